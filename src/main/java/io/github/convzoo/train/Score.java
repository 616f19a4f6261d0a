package io.github.convzoo.train;

/**
 * How well an epoch's weights validated; not numbers if there was nothing to validate with.
 *
 * @param top1 accuracy
 * @param balanced the mean of the classes' accuracies
 * @param loss cross-entropy
 */
record Score(double top1, double balanced, double loss) {

    static Score of(EpochMetrics metrics) {
        return new Score(metrics.valTop1(), metrics.valBalanced(), metrics.valLoss());
    }
}
