package io.github.convzoo.image;

/** Refuses images that are too large, or too much work, before allocating memory for them. */
interface PixelLimit {

    /**
     * Checks a size.
     *
     * @throws ImageException if a side is less than 1, or there are more pixels than allowed
     */
    void check(long width, long height) throws ImageException;

    /**
     * Checks the total number of decoded pixels.
     *
     * @param pixels the pixels of all passes over the image
     * @param what a description of the passes, for the message
     * @throws ImageException if there are more than allowed
     */
    void checkDecoded(long pixels, String what) throws ImageException;
}
