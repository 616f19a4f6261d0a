package io.github.convzoo.zoo;

import ai.djl.Device;
import io.github.convzoo.image.Labels;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.network.NetworkOptions;
import io.github.convzoo.network.Variant;
import io.github.convzoo.weights.LoadReport;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;

/**
 * What to load, and how to use it. Start from {@link #of} and change what differs.
 *
 * @param weights a checkpoint of the network
 * @param numClasses the number of classes; as many as the checkpoint has where empty
 * @param inChannels the number of input channels; images have 3
 * @param testTimePool DPN's test-time pooling, for inputs larger than the trained size
 * @param preprocessing how an image becomes the network's input; the published one where empty
 * @param labels the classes' names, as many as there are classes; their numbers where empty
 * @param topK how many classes a prediction names, the best first; at least 1
 * @param device where to compute; where DJL finds best if empty, a GPU before the CPU
 * @param onLoaded is told what loading did
 */
public record LoadOptions(
        Path weights,
        OptionalInt numClasses,
        int inChannels,
        boolean testTimePool,
        Optional<Preprocessing> preprocessing,
        Optional<Labels> labels,
        int topK,
        Optional<Device> device,
        Consumer<LoadReport> onLoaded) {

    /**
     * Checks the numbers.
     *
     * @param weights any path
     * @param numClasses empty, or at least 0
     * @param inChannels at least 1
     * @param testTimePool either
     * @param preprocessing any
     * @param labels any
     * @param topK at least 1
     * @param device any
     * @param onLoaded any
     */
    public LoadOptions {
        if (numClasses.isPresent() && numClasses.getAsInt() < 0) {
            throw new IllegalArgumentException(
                    "the number of classes must be at least 1, or 0 for pooled features, not " + numClasses.getAsInt());
        }
        if (inChannels < 1) {
            throw new IllegalArgumentException("the number of input channels must be at least 1, not " + inChannels);
        }
        if (topK < 1) {
            throw new IllegalArgumentException("a prediction names at least 1 class, not " + topK);
        }
    }

    /**
     * A checkpoint, everything else as published.
     *
     * @param weights a checkpoint of the network, of any format that is read
     * @return the options
     */
    public static LoadOptions of(Path weights) {
        return new LoadOptions(
                weights,
                OptionalInt.empty(),
                3,
                false,
                Optional.empty(),
                Optional.empty(),
                5,
                Optional.empty(),
                report -> {});
    }

    /**
     * With a number of classes that the checkpoint must have, or 0 for pooled features.
     *
     * @param value the number of classes
     * @return the changed options
     */
    public LoadOptions withNumClasses(int value) {
        return new LoadOptions(
                weights,
                OptionalInt.of(value),
                inChannels,
                testTimePool,
                preprocessing,
                labels,
                topK,
                device,
                onLoaded);
    }

    /**
     * With another number of input channels, to which the first convolution is adapted.
     *
     * @param value the number of input channels
     * @return the changed options
     */
    public LoadOptions withInChannels(int value) {
        return new LoadOptions(weights, numClasses, value, testTimePool, preprocessing, labels, topK, device, onLoaded);
    }

    /**
     * With or without DPN's test-time pooling.
     *
     * @param value whether to pool logits
     * @return the changed options
     */
    public LoadOptions withTestTimePool(boolean value) {
        return new LoadOptions(weights, numClasses, inChannels, value, preprocessing, labels, topK, device, onLoaded);
    }

    /**
     * With another preprocessing.
     *
     * @param value how an image becomes the network's input
     * @return the changed options
     */
    public LoadOptions withPreprocessing(Preprocessing value) {
        return new LoadOptions(
                weights, numClasses, inChannels, testTimePool, Optional.of(value), labels, topK, device, onLoaded);
    }

    /**
     * With names for the classes.
     *
     * @param value as many names as classes
     * @return the changed options
     */
    public LoadOptions withLabels(Labels value) {
        return new LoadOptions(
                weights,
                numClasses,
                inChannels,
                testTimePool,
                preprocessing,
                Optional.of(value),
                topK,
                device,
                onLoaded);
    }

    /**
     * With another number of classes to name in a prediction.
     *
     * @param value how many, at least 1
     * @return the changed options
     */
    public LoadOptions withTopK(int value) {
        return new LoadOptions(
                weights, numClasses, inChannels, testTimePool, preprocessing, labels, value, device, onLoaded);
    }

    /**
     * With a place to compute.
     *
     * @param value the device
     * @return the changed options
     */
    public LoadOptions withDevice(Device value) {
        return new LoadOptions(
                weights,
                numClasses,
                inChannels,
                testTimePool,
                preprocessing,
                labels,
                topK,
                Optional.of(value),
                onLoaded);
    }

    /**
     * With someone to tell what loading did.
     *
     * @param value is called once, when everything is loaded
     * @return the changed options
     */
    public LoadOptions withOnLoaded(Consumer<LoadReport> value) {
        return new LoadOptions(
                weights, numClasses, inChannels, testTimePool, preprocessing, labels, topK, device, value);
    }

    NetworkOptions network(Variant variant, int classes) {
        return variant.options()
                .withNumClasses(classes)
                .withInChannels(inChannels)
                .withTestTimePool(testTimePool);
    }
}
