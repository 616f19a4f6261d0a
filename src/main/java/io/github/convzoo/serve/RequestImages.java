package io.github.convzoo.serve;

import io.github.convzoo.image.ImageException;
import io.github.convzoo.image.RgbImage;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.PreparedImage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The images of requests. Whatever is wrong with one is the client's. */
final class RequestImages {

    private final boolean urls;

    /**
     * Creates a source.
     *
     * @param urls whether requests may name images by URLs that have to be fetched
     */
    RequestImages(boolean urls) {
        this.urls = urls;
    }

    /** An image of a request by its index. */
    @FunctionalInterface
    interface Images {
        RgbImage get(int index) throws Problem;
    }

    /** Decodes a file. */
    RgbImage decode(ServedModel model, byte[] bytes, String name) throws Problem {
        try {
            return model.decoder().decode(bytes, name);
        } catch (ImageException e) {
            throw bad(e);
        }
    }

    /** Reads the image that a URL names or contains. */
    RgbImage linked(ServedModel model, String url) throws Problem {
        if (!urls && !url.toLowerCase(Locale.ROOT).startsWith("data:")) {
            throw new Problem(
                    Problem.Kind.FORBIDDEN,
                    "this server fetches no images by URL (serve --allow-urls permits it); send the image itself");
        }
        try {
            return ConvZoo.readPublicImage(url, model.decoder());
        } catch (IOException e) {
            throw bad(e);
        }
    }

    /** The first stage of each image. */
    List<PreparedImage> prepare(ServedModel model, int count, Images images) throws Problem {
        List<PreparedImage> prepared = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            RgbImage image = images.get(i);
            try {
                prepared.add(model.prepare(image));
            } catch (IOException | IllegalArgumentException e) {
                // An image may be too elongated to be resized.
                throw bad(e);
            }
        }
        return prepared;
    }

    private static Problem bad(Exception e) {
        return new Problem(Problem.Kind.BAD_IMAGE, String.valueOf(e.getMessage()), e);
    }
}
