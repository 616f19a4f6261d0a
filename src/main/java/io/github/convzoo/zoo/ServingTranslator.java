package io.github.convzoo.zoo;

import ai.djl.modality.Classifications;
import ai.djl.modality.Input;
import ai.djl.modality.Output;
import ai.djl.ndarray.BytesSupplier;
import ai.djl.ndarray.NDList;
import ai.djl.translate.Translator;
import ai.djl.translate.TranslatorContext;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import io.github.convzoo.image.ImageDecoder;
import io.github.convzoo.image.RgbImage;
import io.github.convzoo.message.Reason;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A classifier for requests of DJL Serving: an image's bytes, or JSON with an {@code image_url}. The response is JSON
 * with the code 200; or 400 and a message if the image cannot be read.
 *
 * <p>The images of a batch of requests run as one array. A failed request does not affect the others.
 */
final class ServingTranslator implements Translator<Input, Output> {

    private static final int BAD_REQUEST = 400;
    private static final String PROBLEMS = "convzoo.problems";

    private final ImageTranslator.Classifier<RgbImage> translator;
    private final ImageDecoder decoder;

    ServingTranslator(ImageTranslator.Classifier<RgbImage> translator, ImageDecoder decoder) {
        this.translator = translator;
        this.decoder = decoder;
    }

    /** The problem of each request in a batch; null for those with an image. */
    private record Problems(List<@Nullable String> texts) {}

    @Override
    public NDList processInput(TranslatorContext context, Input input) {
        NDList batch = batchProcessInput(context, List.of(input));
        return new NDList(batch.singletonOrThrow().squeeze(0));
    }

    @Override
    public Output processOutput(TranslatorContext context, NDList list) {
        return batchProcessOutput(context, new NDList(list.singletonOrThrow().expandDims(0)))
                .get(0);
    }

    @Override
    public NDList batchProcessInput(TranslatorContext context, List<Input> inputs) {
        List<RgbImage> images = new ArrayList<>(inputs.size());
        List<@Nullable String> problems = new ArrayList<>(inputs.size());
        for (Input input : inputs) {
            try {
                images.add(image(input));
                problems.add(null);
            } catch (IOException e) {
                problems.add(String.valueOf(e.getMessage()));
            }
        }
        context.setAttachment(PROBLEMS, new Problems(problems));
        if (images.isEmpty()) {
            // DJL runs the network anyway; its output for a black pixel is ignored.
            images.add(RgbImage.of(1, 1, new byte[3]));
        }
        return translator.batch(context, images);
    }

    @Override
    public List<Output> batchProcessOutput(TranslatorContext context, NDList list) {
        Problems problems = (Problems) context.getAttachment(PROBLEMS);
        Iterator<Classifications> results =
                translator.batchProcessOutput(context, list).iterator();
        List<Output> outputs = new ArrayList<>();
        for (String problem : problems.texts) {
            outputs.add(problem == null ? answer(results.next()) : new Output(BAD_REQUEST, problem));
        }
        return outputs;
    }

    private static Output answer(Classifications classifications) {
        Output output = new Output();
        output.add(classifications);
        output.addProperty("Content-Type", "application/json");
        return output;
    }

    private RgbImage image(Input input) throws IOException {
        BytesSupplier data = input.getContent().isEmpty() ? null : input.getData();
        if (data == null) {
            throw new IOException("the request is empty; send an image, or JSON with an image_url");
        }
        return isJson(input)
                ? ConvZoo.readPublicImage(url(data.getAsString()), decoder)
                : decoder.decode(data.getAsBytes(), "the request");
    }

    private static boolean isJson(Input input) {
        String type = input.getProperty("Content-Type", "");
        return type != null && type.toLowerCase(Locale.ROOT).startsWith("application/json");
    }

    /** The URL in a request. Requests are untrusted, so they must not access this machine's files and network. */
    private static String url(@Nullable String json) throws IOException {
        String url = null;
        try {
            if (JsonParser.parseString(String.valueOf(json)) instanceof JsonObject object
                    && object.get("image_url") instanceof JsonPrimitive text) {
                url = text.getAsString();
            }
        } catch (JsonParseException e) {
            throw new IOException("the request is not JSON: " + Reason.ofJson(e), e);
        }
        if (url == null || !url.matches("(?is)(https?|data):.*")) {
            throw new IOException("the JSON must have an image_url that starts with http:, https:, or data:");
        }
        return url;
    }
}
