package io.github.convzoo.zoo;

import io.github.convzoo.image.ImageDecoder;
import io.github.convzoo.image.ImageException;
import io.github.convzoo.image.RgbImage;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.SocketTimeoutException;
import java.net.URL;
import java.net.URLConnection;
import java.time.Duration;
import java.util.function.Predicate;

/** An image behind a URL. It may take a minute in all. */
final class RemoteImage {

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final Duration ALL = Duration.ofMinutes(1);

    private RemoteImage() {}

    /**
     * Fetches and decodes an image.
     *
     * @param allowed what its host's every address has to be
     * @throws ImageException if it cannot be fetched or decoded; the message names the URL without what may be secret
     */
    static RgbImage read(ImageDecoder decoder, URL url, Predicate<InetAddress> allowed) throws ImageException {
        String shown = shown(url);
        try {
            for (InetAddress address : InetAddress.getAllByName(url.getHost())) {
                if (!url.getHost().isEmpty() && !allowed.test(address)) {
                    throw new ImageException(
                            shown, "is at an address of this network, which is not open to requests", null);
                }
            }
            URLConnection connection = url.openConnection();
            connection.setConnectTimeout((int) PATIENCE.toMillis());
            connection.setReadTimeout((int) PATIENCE.toMillis());
            if (connection instanceof HttpURLConnection http) {
                // It could lead where the first address may not.
                http.setInstanceFollowRedirects(false);
                int status = http.getResponseCode();
                if (status != HttpURLConnection.HTTP_OK) {
                    String to = http.getHeaderField("Location");
                    throw new ImageException(
                            shown,
                            "the server answers " + status
                                    + (to == null
                                            ? ""
                                            : " and redirects, which is not followed; give the image's own URL"),
                            null);
                }
            }
            try (InputStream in = new Timed(connection.getInputStream())) {
                return decoder.decode(in, shown);
            }
        } catch (ImageException e) {
            throw e;
        } catch (IOException e) {
            throw new ImageException(shown, "cannot be fetched (" + e + ")", e);
        }
    }

    /** Neither this machine nor one beside it. */
    static boolean isPublic(InetAddress address) {
        byte[] bytes = address.getAddress();
        // RFC 4193's local addresses are not the site-local ones that Java knows.
        boolean uniqueLocal = bytes.length == 16 && (bytes[0] & 0xfe) == 0xfc;
        return !address.isLoopbackAddress()
                && !address.isAnyLocalAddress()
                && !address.isLinkLocalAddress()
                && !address.isSiteLocalAddress()
                && !address.isMulticastAddress()
                && !uniqueLocal;
    }

    private static String shown(URL url) {
        String port = url.getPort() < 0 ? "" : ":" + url.getPort();
        return url.getHost().isEmpty()
                ? url.getProtocol() + ":" + url.getPath()
                : url.getProtocol() + "://" + url.getHost() + port + url.getPath();
    }

    /** Gives up after a while, however slowly bytes come. */
    private static final class Timed extends FilterInputStream {

        private final long end = System.nanoTime() + ALL.toNanos();

        Timed(InputStream in) {
            super(in);
        }

        @Override
        public int read() throws IOException {
            check();
            return super.read();
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            check();
            return super.read(bytes, offset, length);
        }

        private void check() throws SocketTimeoutException {
            if (System.nanoTime() - end > 0) {
                throw new SocketTimeoutException("not all of it came within " + ALL.toSeconds() + " s");
            }
        }
    }
}
