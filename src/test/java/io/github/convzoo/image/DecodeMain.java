package io.github.convzoo.image;

import java.nio.file.Path;

/** Decodes files, to be run in a process of its own, and prints each one's size or what is wrong with it. */
final class DecodeMain {

    private DecodeMain() {}

    public static void main(String[] args) {
        for (String file : args) {
            try {
                System.out.println(file + ": " + new ImageDecoder().decode(Path.of(file)));
            } catch (ImageException e) {
                System.out.println(e.getMessage());
            }
        }
    }
}
