package io.github.convzoo.image;

/** Refuses images that are too large, or too much work, before memory is taken for them. */
interface PixelLimit {

    /**
     * Checks a size, each side of which is 1 at least.
     *
     * @throws ImageException if there are more pixels than allowed
     */
    void check(long width, long height) throws ImageException;

    /**
     * Checks how many pixels are computed in all.
     *
     * @param pixels the pixels of all passes over the image
     * @param what what they are the pixels of, for the message
     * @throws ImageException if there are more than allowed
     */
    void checkDecoded(long pixels, String what) throws ImageException;
}
