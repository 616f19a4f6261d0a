package io.github.convzoo.graph;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Numbers in row-major order.
 *
 * @param sizes the size of each axis; empty for a single number
 * @param values all elements, whose number is the product of the sizes; not copied
 */
@SuppressWarnings("ArrayRecordComponent") // two literals are the same constant only if they are the same object
public record Tensor(List<Long> sizes, float[] values) {

    /** A source of parameters' values. */
    @FunctionalInterface
    public interface Source {

        /**
         * Reads a parameter.
         *
         * @param name its canonical name
         * @return its values
         * @throws IllegalArgumentException if it does not exist
         */
        Tensor read(String name);
    }

    /**
     * Copies the sizes.
     *
     * @throws IllegalArgumentException if the number of values does not match the shape
     */
    public Tensor {
        sizes = List.copyOf(sizes);
        long elements = sizes.stream().reduce(1L, (a, b) -> a * b);
        if (elements != values.length) {
            throw new IllegalArgumentException(
                    "a tensor of " + sizes + " has " + elements + " elements, not " + values.length);
        }
    }

    /**
     * {@return a vector}
     *
     * @param values its elements; not copied
     */
    public static Tensor vector(float... values) {
        return new Tensor(List.of((long) values.length), values);
    }

    /** The rows of a range, whose end is exclusive. */
    Tensor rows(int from, int to) {
        int each = values.length / Math.toIntExact(sizes.get(0));
        return new Tensor(withSize(0, to - (long) from), Arrays.copyOfRange(values, from * each, to * each));
    }

    /** All rows of all parts in their order. */
    static Tensor stacked(List<Tensor> parts) {
        int length = parts.stream().mapToInt(part -> part.values.length).sum();
        float[] values = new float[length];
        int at = 0;
        long rows = 0;
        for (Tensor part : parts) {
            System.arraycopy(part.values, 0, values, at, part.values.length);
            at += part.values.length;
            rows += part.sizes.get(0);
        }
        return new Tensor(parts.get(0).withSize(0, rows), values);
    }

    /** Each row with its second axis moved to its own start among more elements, padded with zeros. */
    Tensor spread(List<Integer> starts, int channels) {
        int rows = Math.toIntExact(sizes.get(0));
        int before = Math.toIntExact(sizes.get(1));
        int each = values.length / rows / before;
        float[] spread = new float[rows * channels * each];
        for (int row = 0; row < rows; row++) {
            System.arraycopy(
                    values, row * before * each, spread, (row * channels + starts.get(row)) * each, before * each);
        }
        return new Tensor(withSize(1, channels), spread);
    }

    private List<Long> withSize(int axis, long size) {
        List<Long> changed = new ArrayList<>(sizes);
        changed.set(axis, size);
        return changed;
    }
}
