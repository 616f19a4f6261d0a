package io.github.convzoo.data;

/** How to handle an image that cannot be read. */
public enum OnBadImage {
    /** The epoch ends with an error that names the image and the problem. */
    FAIL,
    /**
     * The image is reported once, counted, and skipped. In a shuffled epoch, the next readable image of the epoch's
     * order replaces it, so that batches keep their size and other images, even in a resumed epoch; in the data set's
     * order, the batch shrinks, so that no image counts twice.
     */
    SKIP
}
