package io.github.convzoo.train;

/**
 * The validation result of an epoch; NaN without validation.
 *
 * @param top1 accuracy
 * @param balanced the mean per-class accuracy
 * @param loss cross-entropy
 */
record Score(double top1, double balanced, double loss) {

    static Score of(EpochMetrics metrics) {
        return new Score(metrics.valTop1(), metrics.valBalanced(), metrics.valLoss());
    }
}
