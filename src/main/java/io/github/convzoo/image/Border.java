package io.github.convzoo.image;

/** What is seen beyond an image's edges. */
public enum Border {
    /** Black. */
    BLACK,
    /** The image mirrored at the centre of its outermost pixels, so that these are not repeated: {@code c b a b c}. */
    REFLECT
}
