package io.github.convzoo.serve;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.MultiPart;
import org.eclipse.jetty.http.MultiPartConfig;
import org.eclipse.jetty.http.MultiPartFormData;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.util.Attributes;
import org.jspecify.annotations.Nullable;

/** A form of a web page, or of curl or another client: images, and fields of text. */
final class Form {

    private static final int MAX_HEADERS = 8 << 10;
    private static final int MAX_FIELD = 1 << 10;

    private Form() {}

    /**
     * Reads a form.
     *
     * @param type the request's content type, with the boundary
     * @param maxImages the largest number of images
     * @param known the names of fields; every other part is an image
     */
    static Predictions.Content read(byte[] body, String type, int maxImages, Set<String> known) throws Problem {
        MultiPartConfig config = new MultiPartConfig.Builder()
                // One more than allowed, to say what the limit is of.
                .maxParts(maxImages + known.size() + 1)
                .maxHeadersSize(MAX_HEADERS)
                .maxSize(body.length)
                .maxPartSize(body.length)
                // Nothing is written into files.
                .maxMemoryPartSize(body.length)
                .useFilesForPartsWithoutFileName(false)
                .build();
        try (MultiPartFormData.Parts parts = MultiPartFormData.getParts(
                Content.Source.from(ByteBuffer.wrap(body)), new Attributes.Mapped(), type, config)) {
            return content(parts, maxImages, known);
        } catch (RuntimeException | IOException e) {
            // Jetty throws various exceptions for what is wrong with a form.
            String reason = reason(e);
            throw reason.contains("too many keys")
                    ? tooMany(maxImages)
                    : new Problem(Problem.Kind.BAD_REQUEST, "the form cannot be read (" + reason + ")", e);
        }
    }

    private static Problem tooMany(int maxImages) {
        return new Problem(
                Problem.Kind.TOO_LARGE, "a request may have at most " + maxImages + " images; send several requests");
    }

    private static String reason(Throwable e) {
        Throwable cause = e.getCause();
        return cause == null ? String.valueOf(e.getMessage()) : reason(cause);
    }

    private static Predictions.Content content(MultiPartFormData.Parts parts, int maxImages, Set<String> known)
            throws Problem, IOException {
        List<Predictions.Upload> images = new ArrayList<>();
        Map<String, String> fields = new LinkedHashMap<>();
        for (MultiPart.Part part : parts) {
            String name = String.valueOf(part.getName());
            if (known.contains(name)) {
                if (part.getLength() > MAX_FIELD) {
                    throw new Problem(Problem.Kind.BAD_REQUEST, "the field " + name + " of the form is too long");
                }
                if (fields.put(name, part.getContentAsString(StandardCharsets.UTF_8)) != null) {
                    throw new Problem(
                            Problem.Kind.BAD_REQUEST, "the field " + name + " of the form comes twice; give it once");
                }
            } else if (isImage(part)) {
                images.add(new Predictions.Upload.File(shown(part, images.size()), content(part)));
            } else {
                throw new Problem(
                        Problem.Kind.BAD_REQUEST,
                        "the part " + name + " of the form is neither a file nor " + String.join(", ", known));
            }
        }
        if (images.isEmpty()) {
            throw new Problem(Problem.Kind.BAD_REQUEST, "the form has no file; send an image as the part data");
        }
        if (images.size() > maxImages) {
            throw tooMany(maxImages);
        }
        return new Predictions.Content(images, fields);
    }

    /** A part with a file name or a content type of its own; TorchServe's clients also send plain parts. */
    private static boolean isImage(MultiPart.Part part) {
        @Nullable HttpField type = part.getHeaders().getField("Content-Type");
        return part.getFileName() != null
                || (type != null
                        && (type.getValue().startsWith("image/")
                                || type.getValue().startsWith("application/octet-stream")));
    }

    private static ByteBuffer content(MultiPart.Part part) throws IOException {
        return Content.Source.asByteBuffer(part.getContentSource());
    }

    private static String shown(MultiPart.Part part, int index) {
        return part.getFileName() == null ? "image " + index : part.getFileName();
    }
}
