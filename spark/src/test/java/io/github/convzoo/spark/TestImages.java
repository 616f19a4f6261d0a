package io.github.convzoo.spark;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** Images in the source tree. */
final class TestImages {

    static final String MODEL = "peleenet.fmnist";

    /** Tests run in the root of the source tree. */
    private static final Path CLOTHES = Path.of("docs/tutorials/clothes");

    private TestImages() {}

    /** The pictures of the tutorials, four dozen pieces of clothing. */
    static List<Path> clothes() throws IOException {
        try (Stream<Path> files = Files.walk(CLOTHES)) {
            return files.filter(file -> file.toString().endsWith(".png"))
                    .sorted()
                    .toList();
        }
    }

    /** Copies pictures into a folder, and adds two files that are not pictures. */
    static void goodAndBad(Path folder, int good) throws IOException {
        for (Path image : clothes().subList(0, good)) {
            Files.copy(image, folder.resolve(String.valueOf(image.getFileName())));
        }
        Files.writeString(folder.resolve("text.png"), "not a picture", StandardCharsets.UTF_8);
        byte[] whole = Files.readAllBytes(clothes().get(0));
        Files.write(folder.resolve("half.png"), Arrays.copyOf(whole, whole.length / 2));
        Files.createFile(folder.resolve("empty.png"));
    }
}
