package io.github.convzoo.image;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;

/** The images of the test resources. */
final class Fixtures {

    private Fixtures() {}

    /** The bytes of a resource, say {@code image/rgb.png}. */
    static byte[] bytes(String resource) {
        try (InputStream in = Objects.requireNonNull(Fixtures.class.getResourceAsStream("/" + resource), resource)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A resource decoded. */
    static RgbImage image(String resource) {
        try {
            return new ImageDecoder().decode(bytes(resource), resource);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Path path(String resource) {
        try {
            URL url = Objects.requireNonNull(Fixtures.class.getResource("/" + resource), resource);
            return Path.of(url.toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The names of the files in a folder of the resources. */
    static Stream<String> names(String folder) {
        try (Stream<Path> files = Files.list(path(folder))) {
            return files.map(file -> file.getFileName().toString()).sorted().toList().stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static RgbImage noise(int width, int height, long seed) {
        byte[] samples = new byte[3 * width * height];
        new Random(seed).nextBytes(samples);
        return RgbImage.of(width, height, samples);
    }

    static RgbImage constant(int width, int height, int level) {
        byte[] samples = new byte[3 * width * height];
        Arrays.fill(samples, (byte) level);
        return RgbImage.of(width, height, samples);
    }

    /** The largest difference between two images' samples. */
    static int maxDifference(RgbImage a, RgbImage b) {
        if (a.width() != b.width() || a.height() != b.height()) {
            throw new AssertionError(a + " is compared to " + b);
        }
        int max = 0;
        for (int i = 0; i < a.samples().length; i++) {
            max = Math.max(max, Math.abs((a.samples()[i] & 0xff) - (b.samples()[i] & 0xff)));
        }
        return max;
    }
}
