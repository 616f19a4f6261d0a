package io.github.convzoo.train;

import io.github.convzoo.data.Batch;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * The targets of a batch's samples: classes, pairs of classes as created by mixup and CutMix, or arbitrary
 * distributions over the classes.
 */
// The records are private, and are neither compared nor changed.
@SuppressWarnings("ArrayRecordComponent")
public final class Targets {

    private final Kind samples;

    private Targets(Kind samples) {
        this.samples = samples;
        if (samples.size() < 1) {
            throw new IllegalArgumentException("a batch must have at least 1 sample");
        }
    }

    /**
     * {@return targets of one class per sample}
     *
     * @param labels the classes' numbers
     */
    public static Targets of(int... labels) {
        return new Targets(new Classes(labels.clone()));
    }

    /**
     * {@return the targets of a batch, mixed if its images are}
     *
     * @param batch open or closed
     */
    public static Targets of(Batch batch) {
        if (batch.lambda() == 1) {
            return of(batch.labels());
        }
        float[] shares = new float[batch.size()];
        Arrays.fill(shares, (float) batch.lambda());
        return mixed(batch.labels(), batch.partnerLabels(), shares);
    }

    /**
     * {@return targets of two classes per sample}
     *
     * @param first the first classes
     * @param second the second classes, of the same number
     * @param shares the weights of the first classes, from 0 to 1, of the same number
     */
    public static Targets mixed(int[] first, int[] second, float[] shares) {
        if (first.length != second.length || first.length != shares.length) {
            throw new IllegalArgumentException(
                    "the numbers of first classes, second classes and shares must be equal, not " + first.length + ", "
                            + second.length + " and " + shares.length);
        }
        for (float share : shares) {
            if (!(share >= 0 && share <= 1)) {
                throw new IllegalArgumentException("a share must be from 0 to 1, not " + share);
            }
        }
        return new Targets(new Pairs(first.clone(), second.clone(), shares.clone()));
    }

    /**
     * {@return targets of one distribution per sample}
     *
     * @param rows one row per sample with one probability per class
     */
    public static Targets dense(float[][] rows) {
        float[][] copy = new float[rows.length][];
        for (int i = 0; i < rows.length; i++) {
            copy[i] = rows[i].clone();
            for (float probability : copy[i]) {
                if (!(probability >= 0) || Float.isInfinite(probability)) {
                    throw new IllegalArgumentException(
                            "a probability must be at least 0 and finite, not " + probability + " (sample " + i + ")");
                }
            }
        }
        return new Targets(new Distributions(copy));
    }

    /** {@return the number of samples, at least 1} */
    public int size() {
        return samples.size();
    }

    /** Kind {@code start} to {@code end} - 1. */
    Targets slice(int start, int end) {
        return new Targets(samples.slice(start, end));
    }

    /** The distributions, row by row. */
    float[] distributions(int classes) {
        float[] all = new float[Math.multiplyExact(size(), classes)];
        for (int i = 0; i < size(); i++) {
            samples.write(i, classes, all);
        }
        return all;
    }

    /** Each sample's class with the largest weight; the first one wins ties. */
    int[] classes() {
        return IntStream.range(0, size()).map(samples::largest).toArray();
    }

    private static int checked(int label, int classes, int sample) {
        if (label < 0 || label >= classes) {
            throw new IllegalArgumentException(
                    "sample " + sample + " has class " + label + ", but the network has " + classes + " classes");
        }
        return label;
    }

    /** The targets by kind. */
    private sealed interface Kind {

        int size();

        Kind slice(int start, int end);

        /** Adds sample i's distribution to row i of zeros. */
        void write(int i, int classes, float[] rows);

        /** The class of sample i with the largest weight. */
        int largest(int i);
    }

    private record Classes(int[] labels) implements Kind {

        @Override
        public int size() {
            return labels.length;
        }

        @Override
        public Kind slice(int start, int end) {
            return new Classes(Arrays.copyOfRange(labels, start, end));
        }

        @Override
        public void write(int i, int classes, float[] rows) {
            rows[i * classes + checked(labels[i], classes, i)] = 1;
        }

        @Override
        public int largest(int i) {
            return labels[i];
        }
    }

    private record Pairs(int[] first, int[] second, float[] shares) implements Kind {

        @Override
        public int size() {
            return first.length;
        }

        @Override
        public Kind slice(int start, int end) {
            return new Pairs(
                    Arrays.copyOfRange(first, start, end),
                    Arrays.copyOfRange(second, start, end),
                    Arrays.copyOfRange(shares, start, end));
        }

        @Override
        public void write(int i, int classes, float[] rows) {
            rows[i * classes + checked(first[i], classes, i)] += shares[i];
            rows[i * classes + checked(second[i], classes, i)] += 1 - shares[i];
        }

        @Override
        public int largest(int i) {
            return shares[i] >= 0.5f ? first[i] : second[i];
        }
    }

    private record Distributions(float[][] each) implements Kind {

        @Override
        public int size() {
            return each.length;
        }

        @Override
        public Kind slice(int start, int end) {
            return new Distributions(Arrays.copyOfRange(each, start, end));
        }

        @Override
        public void write(int i, int classes, float[] rows) {
            if (each[i].length != classes) {
                throw new IllegalArgumentException("sample " + i + " has probabilities of " + each[i].length
                        + " classes, but the network has " + classes + " classes");
            }
            System.arraycopy(each[i], 0, rows, i * classes, classes);
        }

        @Override
        public int largest(int i) {
            int largest = 0;
            for (int c = 1; c < each[i].length; c++) {
                if (each[i][c] > each[i][largest]) {
                    largest = c;
                }
            }
            return largest;
        }
    }
}
