package io.github.convzoo.serve;

import io.github.convzoo.image.ImageDecoder;
import io.github.convzoo.image.ImageException;
import io.github.convzoo.image.RgbImage;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.PreparedImage;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.function.LongSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The images of requests. Whatever is wrong with one is the client's. */
final class RequestImages {

    /** All images of a request together have at most as many pixels as so many of the largest ones. */
    static final int PIXEL_FACTOR = 4;

    private static final Pattern DATA = Pattern.compile("data:[^,]*;base64,", Pattern.CASE_INSENSITIVE);

    private static final String DATA_FORM = "send data:image/png;base64, and then the image file as base64";

    private static final long MILLISECOND = 1_000_000;

    private final boolean urls;
    private final LongSupplier clock;

    /**
     * Creates a source.
     *
     * @param urls whether requests may name images by URLs that have to be fetched
     * @param clock nanoseconds, as of {@link System#nanoTime}
     */
    RequestImages(boolean urls, LongSupplier clock) {
        this.urls = urls;
        this.clock = clock;
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

    /** Reads the image that a URL names or contains. Another server may take no longer than the request may. */
    RgbImage linked(ServedModel model, String url, long deadline) throws Problem {
        if (url.regionMatches(true, 0, "data:", 0, 5)) {
            return decode(model, data(url), "the data: URL");
        }
        if (!urls) {
            throw new Problem(
                    Problem.Kind.FORBIDDEN,
                    "this server fetches no images by URL (serve --allow-urls permits it); send the image itself");
        }
        try {
            return ConvZoo.readPublicImage(url, inTime(model.decoder(), deadline));
        } catch (IOException e) {
            throw bad(e);
        }
    }

    /** A decoder that waits for another server no longer than until a deadline. */
    ImageDecoder inTime(ImageDecoder decoder, long deadline) {
        long left = Math.max(MILLISECOND, deadline - clock.getAsLong());
        return decoder.maxFetchTime().toNanos() <= left ? decoder : decoder.withMaxFetchTime(Duration.ofNanos(left));
    }

    private static byte[] data(String url) throws Problem {
        Matcher start = DATA.matcher(url);
        if (start.lookingAt()) {
            try {
                byte[] bytes = Base64.getMimeDecoder().decode(url.substring(start.end()));
                if (bytes.length > 0) {
                    return bytes;
                }
            } catch (IllegalArgumentException e) {
                throw new Problem(
                        Problem.Kind.BAD_IMAGE,
                        "the data: URL is not base64 (" + e.getMessage() + "); " + DATA_FORM,
                        e);
            }
        }
        throw new Problem(Problem.Kind.BAD_IMAGE, "the data: URL contains no base64; " + DATA_FORM);
    }

    /**
     * The first stage of each image. Ends after the image at which the request's deadline passes or its pixels become
     * too many, so that a small request cannot keep the thread for long.
     *
     * @param count the number of images
     * @param deadline the request's
     * @param images decodes them
     */
    List<PreparedImage> prepare(ServedModel model, int count, long deadline, Images images) throws Problem {
        long maxPixels = PIXEL_FACTOR * model.decoder().maxPixels();
        long pixels = 0;
        List<PreparedImage> prepared = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            if (clock.getAsLong() - deadline >= 0) {
                throw new Problem(
                        Problem.Kind.EXPIRED,
                        "the request's deadline passed after " + i + " of its " + count
                                + " images were decoded; try again later, or send fewer images per request");
            }
            RgbImage image = images.get(i);
            pixels += (long) image.width() * image.height();
            if (pixels > maxPixels) {
                throw new Problem(
                        Problem.Kind.TOO_LARGE,
                        "the images of a request may have at most " + maxPixels + " pixels together, and the first "
                                + (i + 1) + " have " + pixels + "; send several requests");
            }
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
