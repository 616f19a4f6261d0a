package io.github.convzoo.image;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What the fuzzer calls to decode images. Nothing may come out of here: {@link ImageException}, as documented, ends in
 * here.
 */
public final class ImageFuzzTarget {

    /** Large images are no different from small ones, and would only take time. */
    private static final ImageDecoder DECODER =
            new ImageDecoder().withMaxPixels(1 << 18).withMaxDecodedPixels(1 << 20);

    private static final int LONGEST_MESSAGE = 1000;
    private static final int LONGEST_INPUT = 1 << 16;
    private static final Pattern IMAGE = Pattern.compile("(?i).*[.](png|jpe?g|gif|bmp|tiff?|webp)");

    private ImageFuzzTarget() {}

    /** Called by the fuzzer. */
    public static void fuzzerTestOneInput(byte[] input) {
        isDecoded(input);
    }

    /** Whether an input is an image. */
    static boolean isDecoded(byte[] input) {
        try {
            RgbImage image = DECODER.decode(input, "fuzzed");
            if (image.width() < 1 || image.height() < 1 || image.width() * (long) image.height() > 1 << 18) {
                throw new IllegalStateException("an image of " + image.width() + " x " + image.height());
            }
            return true;
        } catch (ImageException e) {
            if (e.getCause() instanceof RuntimeException bug && isOurs(bug)) {
                throw bug;
            }
            String message = Objects.requireNonNull(e.getMessage());
            if (message.length() > LONGEST_MESSAGE || message.chars().anyMatch(Character::isISOControl)) {
                throw new IllegalStateException("a message that is long or not one line", e);
            }
            return false;
        }
    }

    /** Whether an exception comes from here, not from a reader of the JDK, whose exceptions are expected. */
    private static boolean isOurs(RuntimeException e) {
        return e.getStackTrace().length > 0
                && e.getStackTrace()[0].getClassName().startsWith("io.github.convzoo.");
    }

    /** Runs Jazzer in a process of its own. Arguments: the folder for inputs and findings, and the seconds. */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        Path directory = Path.of(arguments[0]).toAbsolutePath();
        Path corpus = Files.createDirectories(directory.resolve("corpus"));
        for (String folder : List.of("image", "formats", "cases/hostile")) {
            try (Stream<Path> files = Files.list(Fixtures.path(folder))) {
                files.filter(file -> IMAGE.matcher(file.toString()).matches())
                        .filter(file -> file.toFile().length() < LONGEST_INPUT)
                        .forEach(file ->
                                copy(file, corpus.resolve(folder.replace('/', '-') + "-" + file.getFileName())));
            }
        }
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx1g",
                        "-XX:+UseSerialGC",
                        "-cp",
                        System.getProperty("java.class.path"),
                        "com.code_intelligence.jazzer.Jazzer",
                        "--target_class=" + ImageFuzzTarget.class.getName(),
                        "--instrumentation_includes=io.github.convzoo.image.**",
                        "--custom_hook_includes=io.github.convzoo.**",
                        "--reproducer_path=" + directory,
                        "-artifact_prefix=" + directory + File.separator,
                        "-rss_limit_mb=0",
                        "-max_len=" + LONGEST_INPUT,
                        "-timeout=10",
                        "-max_total_time=" + arguments[1],
                        "-seed=1",
                        "-print_final_stats=1",
                        corpus.toString())
                .directory(directory.toFile())
                .inheritIO()
                .start();
        if (process.waitFor() != 0) {
            throw new IllegalStateException("the decoder throws something else than ImageException");
        }
    }

    private static void copy(Path from, Path to) {
        try {
            if (!Files.exists(to)) {
                Files.copy(from, to);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
