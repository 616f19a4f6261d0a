package io.github.convzoo.image;

/** The pixels beyond an image's edges. */
public enum Border {
    /** Black. */
    BLACK,
    /** The image mirrored at the center of its outermost pixels, which are not repeated: {@code c b a b c}. */
    REFLECT
}
