package io.github.convzoo.data;

import io.github.convzoo.image.ImageNetSynsets;
import io.github.convzoo.image.Labels;
import java.io.IOException;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Finds a class's number by its name. A class also matches its synset's identifier, if its name starts with it, as in
 * {@code n01440764 tench}, or if the classes are ImageNet's; and its name with accents composed in any way.
 */
final class ClassIndex {

    /** By code points, like Python's sort. */
    private static final Comparator<String> BY_CODE_POINTS = (a, b) -> {
        int[] first = a.codePoints().toArray();
        int[] second = b.codePoints().toArray();
        return Arrays.compare(first, second);
    };

    private final int size;
    private final List<Map<String, Set<Integer>>> readings = new ArrayList<>();

    /**
     * Creates the index.
     *
     * @param names the class names in the order of their numbers; duplicates are allowed
     * @throws IllegalArgumentException if there are none
     */
    ClassIndex(List<String> names) {
        if (names.isEmpty()) {
            throw new IllegalArgumentException("at least one class name is required");
        }
        this.size = names.size();
        Map<String, Set<Integer>> exact = new HashMap<>();
        Map<String, Set<Integer>> composed = new HashMap<>();
        Map<String, Set<Integer>> synsets = new HashMap<>();
        boolean imageNet = names.equals(Labels.imageNet().names());
        for (int i = 0; i < names.size(); i++) {
            String name = names.get(i);
            add(exact, name, i);
            add(composed, composed(name), i);
            String first = name.split("[\\s,]", 2)[0];
            if (imageNet) {
                add(synsets, ImageNetSynsets.id(i), i);
            } else if (ImageNetSynsets.isSynset(first)) {
                add(synsets, first, i);
            }
        }
        readings.add(exact);
        readings.add(composed);
        readings.add(synsets);
    }

    private static void add(Map<String, Set<Integer>> map, String name, int number) {
        map.computeIfAbsent(name, key -> new LinkedHashSet<>()).add(number);
    }

    private static String composed(String name) {
        return Normalizer.normalize(name, Normalizer.Form.NFC);
    }

    int size() {
        return size;
    }

    /**
     * {@return the number of the class with a name; empty if no class has the name}
     *
     * @param where the start of the message
     * @throws IOException if several classes have the name
     */
    OptionalInt find(String where, String name) throws IOException {
        for (Map<String, Set<Integer>> reading : readings) {
            Set<Integer> found = reading.getOrDefault(name, reading.getOrDefault(composed(name), Set.of()));
            if (found.size() > 1) {
                throw new IOException(where + ": '" + name + "' is the name of classes "
                        + found.stream().map(String::valueOf).collect(Collectors.joining(" and "))
                        + "; use different class names, or synset identifiers such as n02012849");
            }
            if (!found.isEmpty()) {
                return OptionalInt.of(found.iterator().next());
            }
        }
        return OptionalInt.empty();
    }

    /**
     * The order in which classes are numbered: by value if all names are whole numbers, as in timm, else by code
     * points, as in torchvision.
     */
    static Comparator<String> order(List<String> names) {
        return names.stream().allMatch(ClassIndex::isNumber)
                ? Comparator.comparing(ClassIndex::withoutZeros, Comparator.comparing(String::length))
                        .thenComparing(ClassIndex::withoutZeros)
                        .thenComparing(Comparator.naturalOrder())
                : BY_CODE_POINTS;
    }

    static boolean isNumber(String name) {
        return !name.isEmpty() && name.chars().allMatch(c -> c >= '0' && c <= '9');
    }

    static String withoutZeros(String number) {
        return number.replaceFirst("^0+(?=.)", "");
    }
}
