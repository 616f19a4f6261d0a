package io.github.convzoo.quantize;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.convzoo.data.Batch;
import io.github.convzoo.graph.Graph;
import io.github.convzoo.graph.Range;
import io.github.convzoo.graph.Value;
import io.github.convzoo.nn.PreparedGraph;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/** The observed ranges of some of a graph's values on images. */
final class Observations {

    /** Fewer images say little about the ranges of values. */
    private static final int FEW_IMAGES = 16;

    /** The number of images of the first batch to keep for comparing outputs. */
    private static final int SAMPLE = 8;

    private final Value input;
    private final boolean readsInput;
    private final List<Value> computed;
    private final Map<Value, Histogram> histograms = new HashMap<>();
    private final Set<Integer> classes = new HashSet<>();
    private float[] sample = new float[0];
    private Shape sampleShape = new Shape();
    private int images;
    private int plainImages;

    Observations(Graph graph, List<Value> values) {
        input = graph.inputs().get(0);
        readsInput = values.contains(input);
        computed = values.stream().filter(value -> !value.equals(input)).toList();
        values.forEach(value -> histograms.put(value, new Histogram()));
    }

    /** The values that must be computed, in the order of the observed graph's outputs. */
    List<Value> computed() {
        return computed;
    }

    /** Runs a batch, and records its values. */
    void add(Batch batch, PreparedGraph observed) {
        float[] pixels = new float[batch.values().remaining()];
        batch.values().get(pixels);
        look(pixels, batch);
        if (readsInput) {
            histogram(input).add(pixels);
        }
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            NDList outputs = observed.run(new NDList(batch.toArray(manager)));
            // One array per thread is on the heap at a time.
            IntStream.range(0, outputs.size()).parallel().forEach(i -> {
                try (NDArray output = outputs.get(i)) {
                    histogram(computed.get(i)).add(output.toFloatArray());
                }
            });
        }
        images += batch.size();
    }

    private void look(float[] pixels, Batch batch) {
        int each = pixels.length / batch.size();
        int channel = each / Math.toIntExact(batch.shape().get(1));
        for (int from = 0; from < pixels.length; from += each) {
            plainImages += isPlain(pixels, from, from + each, channel) ? 1 : 0;
        }
        Arrays.stream(batch.labels()).forEach(classes::add);
        if (images == 0) {
            int kept = Math.min(SAMPLE, batch.size());
            sample = Arrays.copyOf(pixels, kept * each);
            sampleShape = new Shape(kept).addAll(batch.shape().slice(1));
        }
    }

    /** Whether an image has a single color: each channel is constant. */
    private static boolean isPlain(float[] pixels, int from, int to, int channel) {
        for (int i = from; i < to; i++) {
            if (pixels[i] != pixels[i - (i - from) % channel]) {
                return false;
            }
        }
        return true;
    }

    private Histogram histogram(Value value) {
        Histogram histogram = histograms.get(value);
        if (histogram == null) {
            throw new IllegalStateException(value + " is not observed");
        }
        return histogram;
    }

    int images() {
        return images;
    }

    /**
     * The ranges.
     *
     * @throws IOException if there was no image
     * @throws IllegalArgumentException if every image was a single color
     */
    Map<Value, Range> ranges(Calibration calibration) throws IOException {
        if (images == 0) {
            throw new IOException("none of the images could be read");
        }
        if (plainImages == images) {
            throw new IllegalArgumentException(
                    "every image has a single color, such as black; calibrate with typical images");
        }
        Map<Value, Range> ranges = new HashMap<>();
        histograms.entrySet().parallelStream()
                .map(each -> Map.entry(each.getKey(), calibration.range(each.getValue())))
                .toList()
                .forEach(each -> ranges.put(each.getKey(), each.getValue()));
        return ranges;
    }

    /** Doubts about the images, for people. */
    List<String> notes() {
        List<String> notes = new ArrayList<>();
        if (images < FEW_IMAGES) {
            notes.add("calibrated with only " + (images == 1 ? "one image" : images + " images") + "; use at least "
                    + FEW_IMAGES + ", better a few hundred");
        }
        if (classes.size() == 1 && images > 1) {
            notes.add("all calibration images are of one class; include every class");
        }
        if (plainImages > 0) {
            notes.add(plainImages + " of " + images + " calibration images have a single color");
        }
        return notes;
    }

    /** Some of the images, as the network's input. */
    NDArray sample(NDManager manager) {
        return manager.create(sample, sampleShape);
    }
}
