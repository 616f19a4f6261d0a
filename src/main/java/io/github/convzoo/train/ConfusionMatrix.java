package io.github.convzoo.train;

import java.util.List;
import java.util.OptionalDouble;

/** How often images of each class were taken for each class. */
public final class ConfusionMatrix {

    private final List<String> classes;
    private final int predictable;
    private final long[] counts;

    /**
     * Creates a matrix of zeros.
     *
     * @param classes the names of the classes that images have
     * @param predictable how many classes the network tells apart, at least as many
     * @throws IllegalArgumentException if there are no classes, or more than the network tells apart
     */
    public ConfusionMatrix(List<String> classes, int predictable) {
        if (classes.isEmpty() || classes.size() > predictable) {
            throw new IllegalArgumentException("1 to " + predictable
                    + " classes are expected, as many as the network tells apart at most, not " + classes.size());
        }
        this.classes = List.copyOf(classes);
        this.predictable = predictable;
        counts = new long[Math.multiplyExact(classes.size(), predictable)];
    }

    /**
     * Counts an image.
     *
     * @param actual its class
     * @param predicted what it was taken for
     */
    void add(int actual, int predicted) {
        counts[actual * predictable + predicted]++;
    }

    /**
     * The classes that images have, the matrix's rows.
     *
     * @return their names in the order of their numbers
     */
    public List<String> classes() {
        return classes;
    }

    /**
     * How many classes the network tells apart, the matrix's columns.
     *
     * @return at least as many as there are names
     */
    public int predictable() {
        return predictable;
    }

    /**
     * How many images of a class were taken for another, or for it.
     *
     * @param actual their class
     * @param predicted what they were taken for
     * @return at least 0
     */
    public long count(int actual, int predicted) {
        return counts[actual * predictable + predicted];
    }

    /**
     * How many images of a class there were.
     *
     * @param actual the class
     * @return at least 0
     */
    public long total(int actual) {
        long total = 0;
        for (int predicted = 0; predicted < predictable; predicted++) {
            total += count(actual, predicted);
        }
        return total;
    }

    /**
     * The share of a class's images that were taken for what they are.
     *
     * @param actual the class
     * @return from 0 to 1; empty where there was no image
     */
    public OptionalDouble accuracy(int actual) {
        long total = total(actual);
        return total == 0 ? OptionalDouble.empty() : OptionalDouble.of((double) count(actual, actual) / total);
    }

    /**
     * The balanced accuracy: the mean of the accuracies of the classes that there are images of.
     *
     * @return from 0 to 1; not a number if there was no image
     */
    public double balancedAccuracy() {
        double sum = 0;
        int counted = 0;
        for (int i = 0; i < classes.size(); i++) {
            OptionalDouble accuracy = accuracy(i);
            if (accuracy.isPresent()) {
                sum += accuracy.getAsDouble();
                counted++;
            }
        }
        return counted == 0 ? Double.NaN : sum / counted;
    }

    /**
     * The matrix as comma-separated values: a row for each class that images have, a column for each that the network tells
     * apart.
     *
     * @return lines with a head
     */
    public String toCsv() {
        StringBuilder csv = new StringBuilder("actual \\ predicted");
        for (int i = 0; i < predictable; i++) {
            csv.append(',').append(i < classes.size() ? quoted(classes.get(i)) : Integer.toString(i));
        }
        for (int actual = 0; actual < classes.size(); actual++) {
            csv.append('\n').append(quoted(classes.get(actual)));
            for (int predicted = 0; predicted < predictable; predicted++) {
                csv.append(',').append(count(actual, predicted));
            }
        }
        return csv.append('\n').toString();
    }

    /**
     * Each class's accuracy as comma-separated values.
     *
     * @return lines with a head; the accuracy is a fraction, and empty where there was no image
     */
    public String accuraciesToCsv() {
        StringBuilder csv = new StringBuilder("class,images,correct,accuracy");
        for (int i = 0; i < classes.size(); i++) {
            OptionalDouble accuracy = accuracy(i);
            csv.append('\n').append(quoted(classes.get(i)));
            csv.append(',').append(total(i)).append(',').append(count(i, i)).append(',');
            if (accuracy.isPresent()) {
                csv.append(accuracy.getAsDouble());
            }
        }
        return csv.append('\n').toString();
    }

    /** As RFC 4180 has it. A name that a spreadsheet would take for a formula stays the name that it is. */
    private static String quoted(String name) {
        return name.matches("[^\",\\r\\n]*") ? name : '"' + name.replace("\"", "\"\"") + '"';
    }
}
