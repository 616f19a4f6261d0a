package io.github.convzoo.zoo;

import io.github.convzoo.image.ImageDecoder;
import io.github.convzoo.image.ImageException;
import io.github.convzoo.image.RgbImage;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.URI;
import java.net.URL;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/** An image behind a URL. */
final class RemoteImage {

    private static final int MAX_PORT = 65_535;

    /** What {@code jar:} may not be put around. */
    private static final Pattern NESTED_NETWORK = Pattern.compile("(?i)jar:(https?|ftp):.*");

    private RemoteImage() {}

    /**
     * Fetches and decodes an image.
     *
     * @param decoder what decodes it, and knows how long it may take to come
     * @param allowed what its host's every address has to be
     * @throws ImageException if it cannot be fetched or decoded; the message names the URL without what may be secret
     */
    static RgbImage read(ImageDecoder decoder, URL url, Predicate<InetAddress> allowed) throws ImageException {
        String shown = shown(url);
        try {
            return switch (url.getProtocol().toLowerCase(Locale.ROOT)) {
                case "http", "https" -> fetch(decoder, url, shown, allowed);
                case "file" -> decoder.decode(file(url, shown));
                case "ftp" -> throw new ImageException(shown, "FTP is not supported; download the file first");
                default -> open(decoder, url, shown);
            };
        } catch (ImageException e) {
            throw e;
        } catch (IOException e) {
            throw new ImageException(shown, "cannot be fetched (" + e + ")", e);
        }
    }

    private static RgbImage fetch(ImageDecoder decoder, URL url, String shown, Predicate<InetAddress> allowed)
            throws IOException {
        if (url.getHost().isEmpty() || !url.getHost().matches("[!-~]+")) {
            throw new ImageException(shown, "the URL names no host; give one such as https://example.org/image.png");
        }
        if (url.getPort() == 0 || url.getPort() > MAX_PORT) {
            throw new ImageException(shown, "there is no port " + url.getPort() + "; ports are 1 to " + MAX_PORT);
        }
        try (PinnedRequest request = PinnedRequest.send(url, allowed, decoder.maxFetchTime())) {
            if (request.status() != 200) {
                throw new ImageException(
                        shown,
                        "the server answers " + request.status()
                                + (request.header("location").isEmpty()
                                        ? ""
                                        : " and redirects, which is not followed; give the image's own URL"));
            }
            return decoder.decode(request.body(), shown);
        } catch (PinnedRequest.RefusedException e) {
            throw new ImageException(shown, "is at an address of this network, which is not open to requests", e);
        }
    }

    /** A file, which then is one that can be read to its end. */
    private static Path file(URL url, String shown) throws ImageException {
        if (!url.getHost().isEmpty() && !url.getHost().equalsIgnoreCase("localhost")) {
            throw new ImageException(shown, "a file's URL must not name another machine; begin it with file:///");
        }
        try {
            return Path.of(URI.create("file://" + url.getPath().replace(" ", "%20")));
        } catch (IllegalArgumentException e) {
            throw new ImageException(shown, "is no URL of a file (" + e.getMessage() + "); begin it with file:///", e);
        }
    }

    /** What Java has other handlers for, such as the entry of a jar. */
    private static RgbImage open(ImageDecoder decoder, URL url, String shown) throws IOException {
        if (NESTED_NETWORK.matcher(url.toString()).matches()) {
            throw new ImageException(shown, "a jar on another machine is not supported; download it first");
        }
        try (InputStream in = url.openStream()) {
            return decoder.decode(in, shown);
        }
    }

    private static String shown(URL url) {
        String port = url.getPort() < 0 ? "" : ":" + url.getPort();
        return url.getHost().isEmpty()
                ? url.getProtocol() + ":" + url.getPath()
                : url.getProtocol() + "://" + url.getHost() + port + url.getPath();
    }
}
