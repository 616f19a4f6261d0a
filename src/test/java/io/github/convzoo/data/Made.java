package io.github.convzoo.data;

import io.github.convzoo.image.RgbImage;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/** A data set in memory: image i is of one color that says i, or cannot be read. */
final class Made implements LabeledImages {

    private final int[] labels;
    private final List<String> classes;
    private final Set<Integer> bad;
    private final int side;

    private Made(int side, Set<Integer> bad, int... labels) {
        this.side = side;
        this.bad = bad;
        this.labels = labels;
        int count = IntStream.of(labels).max().orElseThrow() + 1;
        this.classes = IntStream.range(0, count).mapToObj(i -> "class " + i).toList();
    }

    static Made of(int... labels) {
        return new Made(4, Set.of(), labels);
    }

    /** So many images, of three classes in turn. */
    static Made of(int size, Set<Integer> bad) {
        return new Made(4, bad, IntStream.range(0, size).map(i -> i % 3).toArray());
    }

    @Override
    public int size() {
        return labels.length;
    }

    @Override
    public List<String> classes() {
        return classes;
    }

    @Override
    public RgbImage image(int index) throws IOException {
        if (bad.contains(index)) {
            throw new IOException(name(index) + ": is broken");
        }
        byte[] samples = new byte[3 * side * side];
        for (int i = 0; i < samples.length; i += 3) {
            samples[i] = (byte) (index >> 8);
            samples[i + 1] = (byte) index;
            samples[i + 2] = (byte) i;
        }
        return RgbImage.of(side, side, samples);
    }

    @Override
    public int label(int index) {
        return labels[index];
    }

    @Override
    public String name(int index) {
        return "image " + index;
    }
}
