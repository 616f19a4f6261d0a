package io.github.convzoo.train;

import java.util.List;
import java.util.function.IntBinaryOperator;
import java.util.stream.IntStream;

/** Matrixes for tests of other packages. */
public final class ConfusionMatrixes {

    private ConfusionMatrixes() {}

    /** A matrix with these counts. */
    public static ConfusionMatrix of(int classes, int predictable, IntBinaryOperator counts) {
        return of(IntStream.range(0, classes).mapToObj(i -> "class " + i).toList(), predictable, counts);
    }

    /** A matrix of these classes with these counts. */
    public static ConfusionMatrix of(List<String> classes, int predictable, IntBinaryOperator counts) {
        ConfusionMatrix matrix = new ConfusionMatrix(classes, predictable);
        for (int actual = 0; actual < classes.size(); actual++) {
            for (int predicted = 0; predicted < predictable; predicted++) {
                for (int i = 0; i < counts.applyAsInt(actual, predicted); i++) {
                    matrix.add(actual, predicted);
                }
            }
        }
        return matrix;
    }
}
