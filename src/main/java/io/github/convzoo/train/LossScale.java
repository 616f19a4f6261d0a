package io.github.convzoo.train;

/**
 * The loss scale of float16 training. It follows the rule and the defaults of PyTorch's {@code torch.amp.GradScaler}:
 * it starts at 65536, halves after gradients overflow, and doubles after 2000 consecutive steps without overflow.
 *
 * @param factor multiplies the loss; gradients are divided by it
 * @param goodSteps the number of consecutive steps with finite gradients since the factor changed
 * @param skipped the total number of skipped steps
 */
record LossScale(double factor, int goodSteps, long skipped) {

    static final LossScale INITIAL = new LossScale(65536, 0, 0);

    private static final double GROWTH = 2;
    private static final double BACKOFF = 0.5;
    private static final int GROWTH_INTERVAL = 2000;

    /** Validates values, which may come from a file. */
    LossScale {
        if (!(factor > 0 && factor <= Float.MAX_VALUE)
                || goodSteps < 0
                || goodSteps >= GROWTH_INTERVAL
                || skipped < 0) {
            throw new IllegalArgumentException(
                    "loss scale " + factor + " after " + goodSteps + " good and " + skipped + " skipped steps");
        }
    }

    /**
     * The scale after a step with this scale.
     *
     * @param finite whether the step's gradients were finite; else it was skipped
     */
    LossScale after(boolean finite) {
        if (!finite) {
            return new LossScale(factor * BACKOFF, 0, skipped + 1);
        }
        if (goodSteps + 1 < GROWTH_INTERVAL) {
            return new LossScale(factor, goodSteps + 1, skipped);
        }
        double grown = factor * GROWTH;
        return new LossScale(grown <= Float.MAX_VALUE ? grown : factor, 0, skipped);
    }

    /** Whether the scale is so small that float16 cannot represent the gradients themselves. */
    boolean isExhausted() {
        return factor < 1;
    }
}
