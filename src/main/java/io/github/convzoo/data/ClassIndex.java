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
 * Which number a class has by its name. A class is also known by its synset's identifier if its name begins with it, as in
 * {@code n01440764 tench}, or if the classes are ImageNet's; and by its name in whatever way accents are composed.
 */
final class ClassIndex {

    /** By code points, as Python sorts. */
    private static final Comparator<String> BY_CODE_POINTS = (a, b) -> {
        int[] first = a.codePoints().toArray();
        int[] second = b.codePoints().toArray();
        return Arrays.compare(first, second);
    };

    private final int size;
    private final List<Map<String, Set<Integer>>> readings = new ArrayList<>();

    /**
     * Prepares the search.
     *
     * @param names the classes' names in the order of their numbers; some may be the same
     * @throws IllegalArgumentException if there are none
     */
    ClassIndex(List<String> names) {
        if (names.isEmpty()) {
            throw new IllegalArgumentException("the name of at least one class is expected");
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
     * The class of a name.
     *
     * @param where what to begin the message with
     * @return the class's number, empty if no class has the name
     * @throws IOException if several classes have the name
     */
    OptionalInt find(String where, String name) throws IOException {
        for (Map<String, Set<Integer>> reading : readings) {
            Set<Integer> found = reading.getOrDefault(name, reading.getOrDefault(composed(name), Set.of()));
            if (found.size() > 1) {
                throw new IOException(where + ": '" + name + "' is the name of classes "
                        + found.stream().map(String::valueOf).collect(Collectors.joining(" and "))
                        + "; give the classes different names, or use synset identifiers such as n02012849");
            }
            if (!found.isEmpty()) {
                return OptionalInt.of(found.iterator().next());
            }
        }
        return OptionalInt.empty();
    }

    /**
     * Names in the order in which classes are numbered: by value where all are whole numbers, as timm does, else by their code
     * points, as torchvision does.
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
