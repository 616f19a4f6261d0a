package io.github.convzoo.zoo;

/**
 * Dot products and distances of float32 vectors. Eight sums, because a single one would wait for each addition; their
 * order is fixed, so that equal vectors give equal bits.
 */
final class VectorMath {

    private VectorMath() {}

    /** The dot product of a query and the numbers of an array from an index on. */
    static float dot(float[] query, float[] block, int from) {
        float s0 = 0;
        float s1 = 0;
        float s2 = 0;
        float s3 = 0;
        float s4 = 0;
        float s5 = 0;
        float s6 = 0;
        float s7 = 0;
        int i = 0;
        for (; i <= query.length - 8; i += 8) {
            s0 += query[i] * block[from + i];
            s1 += query[i + 1] * block[from + i + 1];
            s2 += query[i + 2] * block[from + i + 2];
            s3 += query[i + 3] * block[from + i + 3];
            s4 += query[i + 4] * block[from + i + 4];
            s5 += query[i + 5] * block[from + i + 5];
            s6 += query[i + 6] * block[from + i + 6];
            s7 += query[i + 7] * block[from + i + 7];
        }
        for (; i < query.length; i++) {
            s0 += query[i] * block[from + i];
        }
        return ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7));
    }

    /** The squared length of the numbers of an array from an index on. */
    static float dotWithItself(float[] block, int from, int length) {
        float s0 = 0;
        float s1 = 0;
        float s2 = 0;
        float s3 = 0;
        float s4 = 0;
        float s5 = 0;
        float s6 = 0;
        float s7 = 0;
        int i = from;
        for (; i <= from + length - 8; i += 8) {
            s0 += block[i] * block[i];
            s1 += block[i + 1] * block[i + 1];
            s2 += block[i + 2] * block[i + 2];
            s3 += block[i + 3] * block[i + 3];
            s4 += block[i + 4] * block[i + 4];
            s5 += block[i + 5] * block[i + 5];
            s6 += block[i + 6] * block[i + 6];
            s7 += block[i + 7] * block[i + 7];
        }
        for (; i < from + length; i++) {
            s0 += block[i] * block[i];
        }
        return ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7));
    }

    /** The squared distance of a query and the numbers of an array from an index on. */
    static float squareDistance(float[] query, float[] block, int from) {
        float s0 = 0;
        float s1 = 0;
        float s2 = 0;
        float s3 = 0;
        int i = 0;
        for (; i <= query.length - 4; i += 4) {
            float d0 = query[i] - block[from + i];
            float d1 = query[i + 1] - block[from + i + 1];
            float d2 = query[i + 2] - block[from + i + 2];
            float d3 = query[i + 3] - block[from + i + 3];
            s0 += d0 * d0;
            s1 += d1 * d1;
            s2 += d2 * d2;
            s3 += d3 * d3;
        }
        for (; i < query.length; i++) {
            float d = query[i] - block[from + i];
            s0 += d * d;
        }
        return (s0 + s1) + (s2 + s3);
    }

    /** The dot product in double. */
    static double exactDot(float[] query, float[] block, int from) {
        double sum = 0;
        for (int i = 0; i < query.length; i++) {
            sum += (double) query[i] * block[from + i];
        }
        return sum;
    }

    /** A vector multiplied by a number. */
    static float[] scaled(float[] vector, double factor) {
        float[] scaled = new float[vector.length];
        for (int i = 0; i < scaled.length; i++) {
            scaled[i] = (float) (vector[i] * factor);
        }
        return scaled;
    }
}
