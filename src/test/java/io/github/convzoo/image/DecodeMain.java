package io.github.convzoo.image;

import java.io.InputStream;
import java.nio.file.Path;

/** Decodes files, to be run in a process of its own, and prints each one's size or what is wrong with it. */
final class DecodeMain {

    /** Stands for a stream of zeros without end. */
    static final String ENDLESS = "--endless";

    private DecodeMain() {}

    public static void main(String[] args) {
        for (String file : args) {
            try {
                ImageDecoder decoder = new ImageDecoder();
                System.out.println(file + ": "
                        + (file.equals(ENDLESS)
                                ? decoder.decode(new Endless(), "endless")
                                : decoder.decode(Path.of(file))));
            } catch (ImageException e) {
                System.out.println(e.getMessage());
            }
        }
    }

    private static final class Endless extends InputStream {
        @Override
        public int read() {
            return 0;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) {
            return length;
        }
    }
}
