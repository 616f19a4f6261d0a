package io.github.convzoo.train;

/** Which epoch's weights are the best. Of equal epochs the one with the lower validation loss is, else the first. */
public enum BestBy {
    /** The highest validation accuracy. */
    TOP1 {
        @Override
        int compare(Score a, Score b) {
            return Double.compare(a.top1(), b.top1());
        }
    },
    /** The highest balanced validation accuracy: the mean of the classes' accuracies. */
    BALANCED {
        @Override
        int compare(Score a, Score b) {
            return Double.compare(a.balanced(), b.balanced());
        }
    },
    /** The lowest validation loss. */
    LOSS {
        @Override
        int compare(Score a, Score b) {
            return 0;
        }
    };

    /** Positive if the first epoch is better by what this looks at first. */
    abstract int compare(Score a, Score b);

    /**
     * Whether an epoch is better than an earlier one. If nothing was validated, a later epoch always is.
     *
     * @param epoch the epoch
     * @param before an earlier one
     * @return whether its weights are to be kept instead
     */
    public boolean isBetter(EpochMetrics epoch, EpochMetrics before) {
        return isBetter(Score.of(epoch), Score.of(before));
    }

    boolean isBetter(Score score, Score before) {
        if (Double.isNaN(score.loss())) {
            return true;
        }
        int order = compare(score, before);
        return order > 0 || (order == 0 && score.loss() < before.loss());
    }
}
