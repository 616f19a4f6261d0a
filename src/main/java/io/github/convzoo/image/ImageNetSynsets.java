package io.github.convzoo.image;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.regex.Pattern;

/**
 * WordNet's identifiers of ImageNet's 1000 classes, which are ImageNet's folder names: n01440764 to n15075141. Class
 * number i has the i-th identifier in sorted order, and the name {@code Labels.imageNet().name(i)}.
 */
public final class ImageNetSynsets {

    private static final Pattern SYNSET = Pattern.compile("n\\d{8}");

    /** Loaded on first use. */
    private static final class Ids {

        static final List<String> IN_ORDER = read();
        static final Map<String, Integer> NUMBERS = new HashMap<>();

        static {
            for (String id : IN_ORDER) {
                NUMBERS.put(id, NUMBERS.size());
            }
        }

        private static List<String> read() {
            try (InputStream in = ImageNetSynsets.class.getResourceAsStream("imagenet-1k-synsets.txt")) {
                if (in == null) {
                    throw new IllegalStateException("the library's jar lacks imagenet-1k-synsets.txt");
                }
                return new String(in.readAllBytes(), StandardCharsets.US_ASCII)
                        .lines()
                        .toList();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private ImageNetSynsets() {}

    /** {@return all 1000 identifiers in the order of the classes' numbers} */
    public static List<String> ids() {
        return Ids.IN_ORDER;
    }

    /**
     * {@return the identifier of a class, such as {@code n01440764}}
     *
     * @param number the class, 0 to 999
     * @throws IndexOutOfBoundsException if there is no such class
     */
    public static String id(int number) {
        return Ids.IN_ORDER.get(number);
    }

    /**
     * {@return the class of an identifier, 0 to 999; empty if it is none of the 1000}
     *
     * @param id an identifier, or any other text
     */
    public static OptionalInt number(String id) {
        Integer number = Ids.NUMBERS.get(id);
        return number == null ? OptionalInt.empty() : OptionalInt.of(number);
    }

    /**
     * {@return whether a text looks like a synset's identifier, an n followed by eight digits, whether one of these
     * 1000 or not}
     *
     * @param text the text
     */
    public static boolean isSynset(String text) {
        return SYNSET.matcher(text).matches();
    }
}
