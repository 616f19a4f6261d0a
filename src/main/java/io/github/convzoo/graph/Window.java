package io.github.convzoo.graph;

import java.util.StringJoiner;

/**
 * The window of a convolution or pool.
 *
 * @param kernel its size, at least 1
 * @param stride the stride, at least 1
 * @param padding the padding on each side, at least 0
 * @param dilation the distance between adjacent elements, at least 1
 */
public record Window(Size kernel, Size stride, Size padding, Size dilation) {

    /**
     * Two numbers, one per direction.
     *
     * @param height the vertical one
     * @param width the horizontal one
     */
    public record Size(int height, int width) {

        /**
         * {@return a size that is equal in both directions}
         *
         * @param side the side
         */
        public static Size of(int side) {
            return new Size(side, side);
        }

        /** {@return for example, 3, or 3x1 if they differ} */
        @Override
        public String toString() {
            return height == width ? Integer.toString(height) : height + "x" + width;
        }
    }

    /**
     * Validates the numbers.
     *
     * @throws IllegalArgumentException if a number is out of range
     */
    public Window {
        atLeast(1, "kernel", kernel);
        atLeast(1, "stride", stride);
        atLeast(0, "padding", padding);
        atLeast(1, "dilation", dilation);
    }

    private static void atLeast(int least, String name, Size size) {
        if (size.height < least || size.width < least) {
            throw new IllegalArgumentException("a window's " + name + " must be at least " + least + ", not " + size);
        }
    }

    /**
     * {@return a square window without dilation}
     *
     * @param kernel the kernel's side
     * @param stride the stride
     * @param padding the padding on each side
     */
    public static Window square(int kernel, int stride, int padding) {
        return new Window(Size.of(kernel), Size.of(stride), Size.of(padding), Size.of(1));
    }

    /** {@return whether each pixel is processed separately: a kernel of 1 at stride 1 without padding} */
    public boolean isPointwise() {
        return kernel.equals(Size.of(1)) && stride.equals(Size.of(1)) && padding.equals(Size.of(0));
    }

    /**
     * {@return the type of the output map, with floor((side + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1
     * for each side}
     *
     * @param map (N, C, H, W)
     * @throws IllegalArgumentException if the map is smaller than the kernel
     */
    Type over(Type map, String kind) {
        Type output = map.with(2, side(map.get(2), kernel.height, stride.height, padding.height, dilation.height))
                .with(3, side(map.get(3), kernel.width, stride.width, padding.width, dilation.width));
        if (output.get(2) < 1 || output.get(3) < 1) {
            throw new IllegalArgumentException(
                    "the input is too small: a map of " + map + " is smaller than the window of a " + kind + details());
        }
        return output;
    }

    private static long side(long side, int kernel, int stride, int padding, int dilation) {
        long reach = dilation * (kernel - 1L) + 1;
        return Math.max(0, Math.floorDiv(side + 2L * padding - reach, stride) + 1);
    }

    /** The settings that differ from the defaults, for printing. */
    String details() {
        StringJoiner text = new StringJoiner(", ", "[", "]");
        text.add("kernel " + kernel);
        if (!stride.equals(Size.of(1))) {
            text.add("stride " + stride);
        }
        if (!padding.equals(Size.of(0))) {
            text.add("padding " + padding);
        }
        if (!dilation.equals(Size.of(1))) {
            text.add("dilation " + dilation);
        }
        return text.toString();
    }
}
