package io.github.convzoo.train;

import java.util.List;
import java.util.OptionalDouble;

/** A confusion matrix: the number of images of each class that were predicted as each class. */
public final class ConfusionMatrix {

    private final List<String> classes;
    private final int predictable;
    private final long[] counts;

    /**
     * Creates a matrix of zeros.
     *
     * @param classes the class names of the data
     * @param predictable the number of the network's classes, at least the number of names
     * @throws IllegalArgumentException if there are no classes, or more than the network has
     */
    public ConfusionMatrix(List<String> classes, int predictable) {
        if (classes.isEmpty() || classes.size() > predictable) {
            throw new IllegalArgumentException("the number of classes must be 1 to " + predictable
                    + ", the number of the network's classes, not " + classes.size());
        }
        this.classes = List.copyOf(classes);
        this.predictable = predictable;
        counts = new long[Math.multiplyExact(classes.size(), predictable)];
    }

    /**
     * Counts an image.
     *
     * @param actual its class
     * @param predicted the predicted class
     */
    void add(int actual, int predicted) {
        counts[actual * predictable + predicted]++;
    }

    /** {@return the names of the data's classes, which are the matrix's rows, in the order of their numbers} */
    public List<String> classes() {
        return classes;
    }

    /**
     * {@return the number of the network's classes, which are the matrix's columns; at least the number of class names}
     */
    public int predictable() {
        return predictable;
    }

    /**
     * {@return the number of images of a class that were predicted as a class, at least 0}
     *
     * @param actual their class
     * @param predicted the predicted class
     */
    public long count(int actual, int predicted) {
        return counts[actual * predictable + predicted];
    }

    /**
     * {@return the number of images of a class, at least 0}
     *
     * @param actual the class
     */
    public long total(int actual) {
        long total = 0;
        for (int predicted = 0; predicted < predictable; predicted++) {
            total += count(actual, predicted);
        }
        return total;
    }

    /**
     * {@return the accuracy of a class, from 0 to 1; empty if there were no images}
     *
     * @param actual the class
     */
    public OptionalDouble accuracy(int actual) {
        long total = total(actual);
        return total == 0 ? OptionalDouble.empty() : OptionalDouble.of((double) count(actual, actual) / total);
    }

    /**
     * {@return the balanced accuracy, from 0 to 1: the mean per-class accuracy, over classes with images; NaN if there
     * were no images}
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
     * {@return the matrix as CSV lines with a header: one row per class of the data, one column per class of the
     * network}
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

    /** {@return the per-class accuracy as CSV lines with a header: a fraction, or empty if there were no images} */
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

    /** Quotes a name as in RFC 4180. A name that looks like a spreadsheet formula is unchanged. */
    private static String quoted(String name) {
        return name.matches("[^\",\\r\\n]*") ? name : '"' + name.replace("\"", "\"\"") + '"';
    }
}
