package io.github.convzoo.serve;

import ai.djl.modality.Classifications;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import io.github.convzoo.image.RgbImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.stream.IntStream;

/**
 * Predictions as in DJL Serving and TorchServe: an image file as the body, image files in a form, or JSON with the URL
 * of an image. The response is {@code [{"className": ..., "probability": ...}, ...]}, best class first; a list of these
 * if the form has several images.
 */
final class Predictions {

    /** The header that browsers show among a request's timings. */
    static final String TIMING = "Server-Timing";

    private static final String TOP_K = "topK";
    private static final int USUAL_TOP_K = 5;
    private static final double MILLISECOND = 1e6;

    private final RequestImages requestImages;
    private final int maxImages;

    Predictions(RequestImages requestImages, int maxImages) {
        this.requestImages = requestImages;
        this.maxImages = maxImages;
    }

    /**
     * What a request has.
     *
     * @param images its images, one or more
     * @param fields text of a form by name
     */
    record Content(List<Upload> images, Map<String, String> fields) {}

    /** An image of a request. */
    sealed interface Upload {

        /** An image file. */
        record File(String name, ByteBuffer content) implements Upload {

            byte[] bytes() {
                byte[] bytes = new byte[content.remaining()];
                content.duplicate().get(bytes);
                return bytes;
            }
        }

        /** The URL of one. */
        record Link(String url) implements Upload {}
    }

    CompletionStage<Answer> predict(ServedModel model, Call call) throws Problem {
        call.allowQuery(Set.of(TOP_K));
        Content content = content(call, Set.of(TOP_K));
        int topK = topK(model, call, content);
        List<Upload> images = content.images;
        call.memory()
                .take(
                        AnswerCost.results(model, images.size()) + AnswerCost.entries(model, images.size(), topK),
                        "its answer");
        return model.classify(
                        requestImages.prepare(
                                model, images.size(), call.deadline(), i -> image(model, images.get(i), call)),
                        call.deadline())
                .thenApply(done -> response(done, topK));
    }

    private static int topK(ServedModel model, Call call, Content content) throws Problem {
        Optional<String> query = call.query(TOP_K);
        String field = content.fields.get(TOP_K);
        if (query.isPresent() && field != null) {
            throw bad(TOP_K + " is given in the URL and in the form; give it once");
        }
        Optional<String> text = query.or(() -> Optional.ofNullable(field));
        return text.isEmpty()
                ? Math.min(USUAL_TOP_K, model.labels().size())
                : Call.number(TOP_K, text.get(), 1, model.labels().size());
    }

    /** Reads an image. */
    RgbImage image(ServedModel model, Upload upload, Call call) throws Problem {
        if (upload instanceof Upload.Link link) {
            return requestImages.linked(model, link.url, call.deadline());
        }
        Upload.File file = (Upload.File) upload;
        return requestImages.decode(model, file.bytes(), file.name);
    }

    /** Reads the images of a request by its content type. */
    Content content(Call call, Set<String> fields) throws Problem {
        if (call.body().length == 0) {
            throw bad("the request is empty; send an image");
        }
        String header = call.header("Content-Type").orElse("application/octet-stream");
        String type = header.split(";", 2)[0].strip().toLowerCase(Locale.ROOT);
        if (type.equals("multipart/form-data")) {
            return Form.read(call.body(), header, maxImages, fields);
        }
        if (type.equals("application/json")) {
            return new Content(List.of(new Upload.Link(url(call.body()))), Map.of());
        }
        // curl --data-binary says application/x-www-form-urlencoded if it is not told otherwise.
        if (type.startsWith("image/")
                || type.equals("application/octet-stream")
                || type.equals("binary/octet-stream")
                || type.equals("application/x-www-form-urlencoded")) {
            return new Content(List.of(new Upload.File("the request", ByteBuffer.wrap(call.body()))), Map.of());
        }
        throw new Problem(
                Problem.Kind.UNSUPPORTED_TYPE,
                "a request of the type " + type + " has no image; send an image file (image/jpeg, image/png, ...,"
                        + " application/octet-stream), a form (multipart/form-data), or JSON with an image_url");
    }

    private static String url(byte[] body) throws Problem {
        try (JsonReader json = Json.reader(body, body.length)) {
            if (json.peek() == JsonToken.BEGIN_OBJECT) {
                json.beginObject();
                if (json.hasNext() && json.nextName().equals("image_url") && json.peek() == JsonToken.STRING) {
                    String url = json.nextString();
                    if (!json.hasNext()) {
                        json.endObject();
                        if (json.peek() == JsonToken.END_DOCUMENT) {
                            return url;
                        }
                    }
                }
            }
        } catch (IllegalStateException | IOException e) {
            throw Json.problem(e);
        }
        throw bad("the JSON of a request must be {\"image_url\": \"...\"}");
    }

    private static Problem bad(String message) {
        return new Problem(Problem.Kind.BAD_REQUEST, message);
    }

    private static Answer response(BatchQueue.Done<Classifications> done, int topK) {
        JsonArray all = new JsonArray();
        for (Classifications result : done.outputs()) {
            JsonArray list = new JsonArray();
            for (int index : best(result, topK)) {
                JsonObject entry = new JsonObject();
                entry.addProperty("className", result.getClassNames().get(index));
                entry.addProperty("probability", result.getProbabilities().get(index));
                list.add(entry);
            }
            all.add(list);
        }
        return Answer.json(all.size() == 1 ? all.get(0) : all).with(TIMING, timing(done));
    }

    /** The numbers of the most probable classes, best first; the lower number first if two are equal. */
    static List<Integer> best(Classifications result, int count) {
        List<Double> probabilities = result.getProbabilities();
        return IntStream.range(0, probabilities.size())
                .boxed()
                .sorted(Comparator.comparing(probabilities::get, Comparator.reverseOrder()))
                .limit(count)
                .toList();
    }

    /** How long a request waited and was computed, as the value of {@value #TIMING}. */
    static String timing(BatchQueue.Done<?> done) {
        return String.format(
                Locale.ROOT,
                "queue;dur=%.1f, compute;dur=%.1f",
                done.queuedNanos() / MILLISECOND,
                done.computedNanos() / MILLISECOND);
    }
}
