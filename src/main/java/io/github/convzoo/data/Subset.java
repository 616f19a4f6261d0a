package io.github.convzoo.data;

import io.github.convzoo.image.RgbImage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Some of a data set's images, for small experiments and for splitting. It keeps all classes and the order of the data
 * set.
 */
public final class Subset implements LabeledImages {

    private final LabeledImages images;
    private final int[] indices;

    /** Takes ownership of the array, which must be ascending. */
    Subset(LabeledImages images, int[] indices) {
        this.images = images;
        this.indices = indices;
    }

    /**
     * {@return a view of the first images}
     *
     * @param images the data set
     * @param count the number of images, 1 to the data set's size
     * @throws IllegalArgumentException if the count is out of range
     */
    public static Subset first(LabeledImages images, int count) {
        checkCount(images, count);
        int[] indices = new int[count];
        Arrays.setAll(indices, i -> i);
        return new Subset(images, indices);
    }

    /**
     * {@return a view of images picked at random, with each class's share as closely as whole images allow: images lost
     * to rounding go to the classes with the largest remainders, first classes first}
     *
     * @param images the data set
     * @param count the number of images, 1 to the data set's size
     * @param seed determines the images; the same seed picks the same
     * @throws IllegalArgumentException if the count is out of range
     */
    public static Subset stratified(LabeledImages images, int count, long seed) {
        checkCount(images, count);
        int[][] shuffled = shuffledByClass(images, seed);
        int[] taken = new int[shuffled.length];
        List<Integer> byRemainder = new ArrayList<>();
        int left = count;
        for (int c = 0; c < shuffled.length; c++) {
            taken[c] = (int) ((long) count * shuffled[c].length / images.size());
            left -= taken[c];
            byRemainder.add(c);
        }
        byRemainder.sort(Comparator.comparingLong(c -> -((long) count * shuffled[c].length % images.size())));
        for (int c : byRemainder.subList(0, left)) {
            taken[c]++;
        }
        return of(images, shuffled, new int[shuffled.length], taken);
    }

    /** {@return a view of the images that are not in this subset; empty if there are none} */
    public Optional<Subset> rest() {
        BitSet taken = new BitSet(images.size());
        Arrays.stream(indices).forEach(taken::set);
        int[] others =
                IntStream.range(0, images.size()).filter(i -> !taken.get(i)).toArray();
        return others.length == 0 ? Optional.empty() : Optional.of(new Subset(images, others));
    }

    /** The images of each class from one position of its order up to another, exclusive. */
    static Subset of(LabeledImages images, int[][] shuffled, int[] from, int[] to) {
        int count = 0;
        for (int c = 0; c < shuffled.length; c++) {
            count += to[c] - from[c];
        }
        int[] indices = new int[count];
        int n = 0;
        for (int c = 0; c < shuffled.length; c++) {
            for (int i = from[c]; i < to[c]; i++) {
                indices[n++] = shuffled[c][i];
            }
        }
        Arrays.sort(indices);
        return new Subset(images, indices);
    }

    /** The indices of each class's images in random order. */
    static int[][] shuffledByClass(LabeledImages images, long seed) {
        int[][] byClass = new int[images.classes().size()][];
        int[] counts = new int[byClass.length];
        for (int i = 0; i < images.size(); i++) {
            counts[images.label(i)]++;
        }
        Arrays.setAll(byClass, c -> new int[counts[c]]);
        for (int i = images.size() - 1; i >= 0; i--) {
            int label = images.label(i);
            byClass[label][--counts[label]] = i;
        }
        for (int c = 0; c < byClass.length; c++) {
            // One generator per class, so that classes do not affect each other.
            Randomness.shuffle(byClass[c], Randomness.of(seed, Randomness.Purpose.SPLIT, 0, c));
        }
        return byClass;
    }

    private static void checkCount(LabeledImages images, int count) {
        if (count < 1 || count > images.size()) {
            throw new IllegalArgumentException(
                    "the number of images must be 1 to %d, not %d".formatted(images.size(), count));
        }
    }

    @Override
    public int size() {
        return indices.length;
    }

    @Override
    public List<String> classes() {
        return images.classes();
    }

    @Override
    public RgbImage image(int index) throws IOException {
        return images.image(indices[index]);
    }

    @Override
    public int label(int index) {
        return images.label(indices[index]);
    }

    @Override
    public String name(int index) {
        return images.name(indices[index]);
    }

    @Override
    public List<String> notes() {
        return images.notes();
    }
}
