package io.github.convzoo.zoo;

import io.github.convzoo.image.ImageDecoder;
import io.github.convzoo.image.ImageException;
import io.github.convzoo.image.RgbImage;
import io.github.convzoo.message.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.URI;
import java.net.URL;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/** An image at a URL. */
final class RemoteImage {

    private static final int MAX_PORT = 65_535;

    /** Schemes that {@code jar:} must not wrap. */
    private static final Pattern NESTED_NETWORK = Pattern.compile("(?i)jar:(https?|ftp):.*");

    private RemoteImage() {}

    /**
     * Fetches and decodes an image.
     *
     * @param decoder decodes the image, and has the time limit of the download
     * @param allowed the condition for all of the host's addresses
     * @throws ImageException if it cannot be downloaded or decoded; the message names the URL without parts that may be
     *     secret
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
        } catch (UnknownHostException e) {
            throw new ImageException(shown, "unknown host " + url.getHost() + "; check the connection", e);
        } catch (IOException e) {
            throw new ImageException(shown, "cannot be downloaded (" + Reason.of(e) + ")", e);
        }
    }

    private static RgbImage fetch(ImageDecoder decoder, URL url, String shown, Predicate<InetAddress> allowed)
            throws IOException {
        if (url.getHost().isEmpty() || !url.getHost().matches("[!-~]+")) {
            throw new ImageException(shown, "the URL has no host; write one such as https://example.org/image.png");
        }
        if (url.getPort() == 0 || url.getPort() > MAX_PORT) {
            throw new ImageException(shown, "invalid port " + url.getPort() + "; ports are 1 to " + MAX_PORT);
        }
        try (PinnedRequest request = PinnedRequest.send(url, allowed, decoder.maxFetchTime())) {
            if (request.status() != 200) {
                throw new ImageException(
                        shown,
                        "the server responded " + request.status()
                                + (request.header("location").isEmpty()
                                        ? ""
                                        : " with a redirect, which is not followed; pass the image's own URL"));
            }
            return decoder.decode(request.body(), shown);
        } catch (PinnedRequest.RefusedException e) {
            throw new ImageException(shown, "is at an internal network address, which requests must not access", e);
        }
    }

    /** The path of a file URL. */
    private static Path file(URL url, String shown) throws ImageException {
        if (!url.getHost().isEmpty() && !url.getHost().equalsIgnoreCase("localhost")) {
            throw new ImageException(shown, "a file URL must not name another host; start it with file:///");
        }
        try {
            return Path.of(URI.create("file://" + url.getPath().replace(" ", "%20")));
        } catch (IllegalArgumentException e) {
            throw new ImageException(shown, "not a file URL (" + e.getMessage() + "); start it with file:///", e);
        }
    }

    /** Other schemes that Java handles, such as a jar's entry. */
    private static RgbImage open(ImageDecoder decoder, URL url, String shown) throws IOException {
        if (NESTED_NETWORK.matcher(url.toString()).matches()) {
            throw new ImageException(shown, "a jar on another host is not supported; download it first");
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
