package io.github.convzoo.zoo;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/** The rows with the highest scores; of equal scores, the lower rows. The order of additions does not matter. */
final class BestRows {

    private record Row(long row, float score) {}

    private static final Comparator<Row> BETTER_LAST = Comparator.comparingDouble(Row::score)
            .thenComparing(Comparator.comparingLong(Row::row).reversed());

    private final int most;
    private final PriorityQueue<Row> rows;

    /** The score that a row must exceed to be added; few rows do. */
    private float threshold = Float.NEGATIVE_INFINITY;

    BestRows(int most) {
        this.most = most;
        rows = new PriorityQueue<>(BETTER_LAST);
    }

    void add(long row, float score) {
        if (rows.size() < most) {
            rows.add(new Row(row, score));
        } else if (score >= threshold) {
            rows.add(new Row(row, score));
            rows.remove();
        } else {
            return;
        }
        if (rows.size() == most) {
            threshold = rows.element().score;
        }
    }

    void addAll(BestRows others) {
        for (Row each : others.rows) {
            add(each.row, each.score);
        }
    }

    /** Makes a result of a row and its score. */
    @FunctionalInterface
    interface Maker<T> {
        T of(long row, double score);
    }

    /** The results, the best first. */
    <T> List<T> sorted(Maker<T> maker) {
        List<T> results = new ArrayList<>(rows.size());
        rows.stream().sorted(BETTER_LAST.reversed()).forEach(each -> results.add(maker.of(each.row, each.score)));
        return results;
    }
}
