package io.github.convzoo.train;

import io.github.convzoo.data.Batch;
import java.util.Arrays;

/**
 * The targets of a batch's samples: classes, pairs of classes as created by mixup and CutMix, or arbitrary
 * distributions over the classes.
 */
public final class Targets {

    private final int size;
    private final int[] first;
    private final int[] second;
    private final float[] shares;
    private final float[][] rows;

    private Targets(int size, int[] first, int[] second, float[] shares, float[][] rows) {
        this.size = size;
        this.first = first;
        this.second = second;
        this.shares = shares;
        this.rows = rows;
        if (size < 1) {
            throw new IllegalArgumentException("a batch must have at least 1 sample");
        }
    }

    /**
     * {@return targets of one class per sample}
     *
     * @param labels the classes' numbers
     */
    public static Targets of(int... labels) {
        return new Targets(labels.length, labels.clone(), new int[0], new float[0], new float[0][]);
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
        return new Targets(first.length, first.clone(), second.clone(), shares.clone(), new float[0][]);
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
        return new Targets(rows.length, new int[0], new int[0], new float[0], copy);
    }

    /** {@return the number of samples, at least 1} */
    public int size() {
        return size;
    }

    /** Samples {@code start} to {@code end} - 1. */
    Targets slice(int start, int end) {
        return new Targets(
                end - start,
                first.length == 0 ? first : Arrays.copyOfRange(first, start, end),
                second.length == 0 ? second : Arrays.copyOfRange(second, start, end),
                shares.length == 0 ? shares : Arrays.copyOfRange(shares, start, end),
                rows.length == 0 ? rows : Arrays.copyOfRange(rows, start, end));
    }

    /** The distributions, row by row. */
    float[] distributions(int classes) {
        float[] all = new float[Math.multiplyExact(size, classes)];
        for (int i = 0; i < size; i++) {
            int row = i * classes;
            if (rows.length > 0) {
                if (rows[i].length != classes) {
                    throw new IllegalArgumentException("sample " + i + " has probabilities of " + rows[i].length
                            + " classes, but the network has " + classes + " classes");
                }
                System.arraycopy(rows[i], 0, all, row, classes);
            } else if (second.length > 0) {
                all[row + checked(first[i], classes, i)] += shares[i];
                all[row + checked(second[i], classes, i)] += 1 - shares[i];
            } else {
                all[row + checked(first[i], classes, i)] = 1;
            }
        }
        return all;
    }

    /** Each sample's class with the largest weight; the first one wins ties. */
    int[] classes() {
        if (rows.length == 0 && second.length == 0) {
            return first;
        }
        int[] classes = new int[size];
        for (int i = 0; i < size; i++) {
            if (rows.length == 0) {
                classes[i] = shares[i] >= 0.5f ? first[i] : second[i];
                continue;
            }
            for (int c = 1; c < rows[i].length; c++) {
                if (rows[i][c] > rows[i][classes[i]]) {
                    classes[i] = c;
                }
            }
        }
        return classes;
    }

    private static int checked(int label, int classes, int sample) {
        if (label < 0 || label >= classes) {
            throw new IllegalArgumentException(
                    "sample " + sample + " has class " + label + ", but the network has " + classes + " classes");
        }
        return label;
    }
}
