package io.github.convzoo.train;

/**
 * The factor of the loss in float16 training. It adapts by the rule and the defaults of PyTorch's {@code torch.amp.GradScaler}:
 * from 65536 on, halved after gradients that overflow, and doubled after 2000 steps in a row without.
 *
 * @param factor the loss is multiplied by it, and its gradients are divided by it
 * @param goodSteps how many steps in a row had finite gradients, since the factor changed
 * @param skipped how many steps were skipped, of all
 */
record LossScale(double factor, int goodSteps, long skipped) {

    static final LossScale INITIAL = new LossScale(65536, 0, 0);

    private static final double GROWTH = 2;
    private static final double BACKOFF = 0.5;
    private static final int GROWTH_INTERVAL = 2000;

    /** Checks what may come from a file. */
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
     * The scale for the step after one that was tried with this.
     *
     * @param finite whether its gradients were; else the step was skipped
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

    /** Whether it is so small that float16 has no room for the gradients themselves. */
    boolean isExhausted() {
        return factor < 1;
    }
}
