package io.github.convzoo.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.LinkedHashMap;
import java.util.Map;

/** The average of everything that training changes, including running statistics. It starts with the current values. */
final class MovingAverage {

    private final Averaging averaging;
    private final Map<String, NDArray> sources;
    private final Map<String, NDArray> averages = new LinkedHashMap<>();

    MovingAverage(Averaging averaging, Map<String, NDArray> sources, NDManager manager) {
        this.averaging = averaging;
        this.sources = sources;
        sources.forEach((name, source) -> {
            NDArray average = source.duplicate();
            average.attach(manager);
            averages.put(name, average);
        });
    }

    void update(long updates, Scalars scalars) {
        double share = 1 - averaging.at(updates);
        averages.forEach((name, average) -> approach(average, source(name), share, scalars));
    }

    /** Swaps the values of the average and the network. */
    void swap() {
        averages.forEach((name, average) -> {
            NDArray source = source(name);
            try (NDArray values = source.duplicate()) {
                Values.set(source, average);
                Values.set(average, values);
            }
        });
    }

    Map<String, NDArray> tensors() {
        return averages;
    }

    private NDArray source(String name) {
        NDArray source = sources.get(name);
        if (source == null) {
            throw new IllegalStateException("nothing is averaged as " + name);
        }
        return source;
    }

    /** target += (values - target) * share. */
    static void approach(NDArray target, NDArray values, double share, Scalars scalars) {
        try (NDArray difference = values.sub(target)) {
            difference.muli(scalars.of(share));
            target.addi(difference);
        }
    }
}
