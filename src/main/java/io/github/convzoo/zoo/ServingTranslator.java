package io.github.convzoo.zoo;

import ai.djl.modality.Classifications;
import ai.djl.modality.Input;
import ai.djl.modality.Output;
import ai.djl.ndarray.BytesSupplier;
import ai.djl.ndarray.NDList;
import ai.djl.translate.TranslateException;
import ai.djl.translate.Translator;
import ai.djl.translate.TranslatorContext;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import io.github.convzoo.image.ImageDecoder;
import io.github.convzoo.image.RgbImage;
import java.io.IOException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A classifier for requests as DJL Serving has them: an image's bytes, or JSON with an {@code image_url}. The answer is
 * JSON.
 */
final class ServingTranslator implements Translator<Input, Output> {

    private final ImageTranslator<RgbImage> translator;
    private final ImageDecoder decoder = new ImageDecoder();

    ServingTranslator(ImageTranslator<RgbImage> translator) {
        this.translator = translator;
    }

    @Override
    public NDList processInput(TranslatorContext context, Input input) throws TranslateException {
        BytesSupplier data = input.getData();
        if (data == null) {
            throw new TranslateException("the request is empty; send an image, or JSON with an image_url");
        }
        try {
            String url = isJson(input) ? url(data.getAsString()) : null;
            RgbImage image = url == null
                    ? decoder.decode(data.getAsBytes(), "the request")
                    : ImageReader.linked(decoder, url, RemoteImage::isPublic);
            return translator.processInput(context, image);
        } catch (IOException e) {
            throw new TranslateException(e.getMessage(), e);
        }
    }

    @Override
    public Output processOutput(TranslatorContext context, NDList list) {
        Classifications classifications = translator.processOutput(context, list);
        Output output = new Output();
        output.add(classifications);
        output.addProperty("Content-Type", "application/json");
        return output;
    }

    private static boolean isJson(Input input) {
        String type = input.getProperty("Content-Type", "");
        return type != null && type.toLowerCase(Locale.ROOT).startsWith("application/json");
    }

    /** What a request links to. It comes from a stranger, whom this machine's files and network are no business of. */
    private static String url(@Nullable String json) throws TranslateException {
        String url = null;
        try {
            if (JsonParser.parseString(String.valueOf(json)) instanceof JsonObject object
                    && object.get("image_url") instanceof JsonPrimitive text) {
                url = text.getAsString();
            }
        } catch (JsonParseException e) {
            throw new TranslateException("the request is no JSON: " + e.getMessage(), e);
        }
        if (url == null || !url.matches("(?is)(https?|data):.*")) {
            throw new TranslateException("the JSON must have an image_url that begins with http:, https: or data:");
        }
        return url;
    }
}
