package io.github.convzoo.data;

/** What becomes of an image that cannot be read. */
public enum OnBadImage {
    /** The epoch ends with the error, which names the image and says what is wrong with it. */
    FAIL,
    /**
     * It is named once, counted, and not shown. In a shuffled epoch the next readable image of the epoch's order takes its
     * place, so that batches keep their size and their other images, wherever an epoch is begun; in the data set's order the
     * batch gets smaller, so that no image counts twice.
     */
    SKIP
}
