package io.github.convzoo.train;

/** The metric that selects the best epoch. The lower validation loss breaks ties, then the earlier epoch. */
public enum BestBy {
    /** The highest validation accuracy. */
    TOP1 {
        @Override
        int compare(Score a, Score b) {
            return Double.compare(a.top1(), b.top1());
        }
    },
    /** The highest balanced validation accuracy: the mean per-class accuracy. */
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

    /** Positive if the first epoch has the better metric. */
    abstract int compare(Score a, Score b);

    /**
     * {@return whether an epoch is better than an earlier one, so that its weights are kept instead} Without
     * validation, a later epoch always is.
     *
     * @param epoch the epoch
     * @param before an earlier one
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
