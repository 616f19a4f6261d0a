package io.github.convzoo.graph;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The type of a value: its elements and its shape. Maps are (N, C, H, W), vectors (N, features).
 *
 * @param element the element type
 * @param sizes the size of each axis, at least 0; the first may be {@link #ANY}
 */
public record Type(Element element, List<Long> sizes) {

    /** The size of a batch that is not known before the graph runs. */
    public static final long ANY = -1;

    /** Element types. */
    public enum Element {
        /** 32-bit floating point. */
        FLOAT,
        /** Unsigned 8-bit integers, as in images. */
        BYTE
    }

    /**
     * Validates and copies the sizes.
     *
     * @throws IllegalArgumentException if a size is out of range
     */
    public Type {
        sizes = List.copyOf(sizes);
        for (int axis = 0; axis < sizes.size(); axis++) {
            if (sizes.get(axis) < 0 && (axis > 0 || sizes.get(axis) != ANY)) {
                throw new IllegalArgumentException(
                        "axis " + axis + " of a value cannot have the size " + sizes.get(axis));
            }
        }
    }

    /**
     * {@return the type of a float value}
     *
     * @param sizes the size of each axis
     */
    public static Type of(long... sizes) {
        return new Type(Element.FLOAT, Arrays.stream(sizes).boxed().toList());
    }

    /** {@return the number of axes: 4 for maps, 2 for vectors} */
    public int rank() {
        return sizes.size();
    }

    /**
     * {@return the size of an axis}
     *
     * @param axis from 0
     */
    public long get(int axis) {
        return sizes.get(axis);
    }

    /** {@return the number of elements per sample: the product of all sizes but the first} */
    public long elementsPerSample() {
        return sizes.stream().skip(1).reduce(1L, (a, b) -> a * b);
    }

    /**
     * {@return the type with another size of one axis}
     *
     * @param axis from 0
     * @param size its size
     */
    public Type with(int axis, long size) {
        List<Long> changed = new ArrayList<>(sizes);
        changed.set(axis, size);
        return new Type(element, changed);
    }

    /** {@return the sizes, for example (1, 3, 224, 224), with N for a batch of any size} */
    @Override
    public String toString() {
        String text = sizes.stream()
                .map(size -> size == ANY ? "N" : Long.toString(size))
                .collect(Collectors.joining(", ", "(", ")"));
        return element == Element.FLOAT ? text : text + " of bytes";
    }
}
