package io.github.convzoo.serve;

import java.time.Duration;

/**
 * When to compute the inputs that wait.
 *
 * <ol>
 *   <li>Nothing waits: do nothing.
 *   <li>At least {@code size} inputs wait: compute the first {@code size}, now.
 *   <li>The first has waited for {@code delay}: compute all that wait, now.
 *   <li>Otherwise: look again when the first will have waited for {@code delay}, or when another arrives.
 * </ol>
 *
 * <p>With no delay, an idle worker computes whatever is there, and batches form while all workers are busy.
 *
 * @param size the largest batch, at least 1
 * @param delay how long the first input of a batch waits for others; not negative
 */
record BatchPolicy(int size, Duration delay) {

    BatchPolicy {
        if (size < 1) {
            throw new IllegalArgumentException("a batch has at least 1 image, not " + size);
        }
        if (delay.isNegative()) {
            throw new IllegalArgumentException("a batch cannot wait for " + delay.toMillis() + " ms; 0 is the least");
        }
    }

    /**
     * Decides for inputs that wait.
     *
     * @param waiting the number of inputs that wait, at least 1
     * @param age how long the first has waited, in nanoseconds
     * @return how long to wait for more inputs, in nanoseconds; 0 to compute now
     */
    long patience(int waiting, long age) {
        return waiting >= size ? 0 : Math.max(0, delay.toNanos() - age);
    }
}
