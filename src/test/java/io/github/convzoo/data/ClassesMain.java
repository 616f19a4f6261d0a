package io.github.convzoo.data;

import io.github.convzoo.image.RgbImage;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Prints what is found in a folder, to be run in a process of its own, whose locale is another one. */
final class ClassesMain {

    private ClassesMain() {}

    public static void main(String[] args) throws IOException {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        Path folder = Path.of(args[0]);
        ImageFolder images = ImageFolder.of(folder);
        out.println(images.classes());
        out.println(IntStream.range(0, images.size())
                .mapToObj(i -> Integer.toString(images.label(i)))
                .collect(Collectors.joining(" ")));
        out.println(images.notes());
        RgbImage image = ImageList.of(folder.resolve("list.txt"), folder).image(0);
        out.println(image.width() + " x " + image.height());
    }
}
