package io.github.convzoo.image;

/** Refuses images that are too large before memory is taken for them. */
@FunctionalInterface
interface PixelLimit {

    /**
     * Checks a size, each side of which is 1 at least.
     *
     * @throws ImageException if there are more pixels than allowed
     */
    void check(long width, long height) throws ImageException;
}
