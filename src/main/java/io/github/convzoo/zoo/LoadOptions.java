package io.github.convzoo.zoo;

import ai.djl.Device;
import ai.djl.util.Progress;
import io.github.convzoo.checkpoint.Limits;
import io.github.convzoo.image.ImageDecoder;
import io.github.convzoo.image.Labels;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.network.LastActivation;
import io.github.convzoo.weights.LoadReport;
import io.github.convzoo.weights.ReadOptions;
import io.github.convzoo.weights.WeightStore;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Options for loading a model. Start from {@link #published} or {@link #of} and change what differs. Options are
 * immutable: each change returns new options.
 */
public final class LoadOptions {

    @Nullable ModelName weights;

    ReadOptions reading = ReadOptions.DEFAULT;
    ImageDecoder decoder = new ImageDecoder();

    private @Nullable WeightStore store;

    @Nullable Progress progress;

    OptionalInt numClasses = OptionalInt.empty();
    OptionalInt inChannels = OptionalInt.empty();
    boolean testTimePool;

    @Nullable LastActivation lastActivation;

    @Nullable Preprocessing preprocessing;

    OptionalInt inputHeight = OptionalInt.empty();
    OptionalInt inputWidth = OptionalInt.empty();

    Optional<Boolean> upright = Optional.empty();

    @Nullable Labels labels;

    int topK = 5;

    @Nullable Device device;

    boolean training;
    Optional<CompiledRuntime> compiled = Optional.empty();
    CompiledPrecision precision = CompiledPrecision.FLOAT32;
    Consumer<LoadReport> onLoaded = ConvZoo::log;

    private LoadOptions() {}

    /** {@return options for the published weights, with their published configuration} */
    public static LoadOptions published() {
        return new LoadOptions();
    }

    /**
     * {@return options for a checkpoint} If it is a model folder or contains its configuration, that applies;
     * otherwise, the published configuration of the network does.
     *
     * @param weights a checkpoint of the network in any supported format, or a folder with one
     */
    public static LoadOptions of(Path weights) {
        return published().with(options -> options.weights = new ModelName.Local(weights));
    }

    /**
     * {@return options for a checkpoint by name: a path, a {@code file} URL, or {@code hf-hub:owner/name[@revision]}}
     *
     * @param weights the name
     * @throws IllegalArgumentException if it is none of these
     */
    public static LoadOptions of(String weights) {
        ModelName name = weights.startsWith(ModelName.HUB)
                ? ModelName.of(weights)
                : new ModelName.Local(ModelName.path(weights));
        return published().with(options -> options.weights = name);
    }

    /**
     * Sets the location of the weights in the checkpoint. Default: the only mapping of tensors that fits the network.
     *
     * @param value a dotted path, such as {@code checkpoint.model}, which may end with the prefix of the tensors' names
     * @return the changed options
     */
    public LoadOptions withKey(String value) {
        return with(options -> options.reading = reading.withKey(value));
    }

    /**
     * Ignores entries of the weights; the report lists them.
     *
     * @param patterns entry names as in the file, in which {@code *} matches any text and {@code ?} any character
     * @return the changed options
     */
    public LoadOptions withIgnored(String... patterns) {
        return with(options -> options.reading = reading.withIgnored(List.of(patterns)));
    }

    /**
     * Sets the image decoder, for other limits. It applies to all image types but pixels.
     *
     * @param value the decoder; orientation is decided by the model or {@link #withUpright}
     * @return the changed options
     */
    public LoadOptions withDecoder(ImageDecoder value) {
        return with(options -> options.decoder = value);
    }

    /**
     * Sets the limits for reading the checkpoint.
     *
     * @param value the limits
     * @return the changed options
     */
    public LoadOptions withLimits(Limits value) {
        return with(options -> options.reading = reading.withLimits(value));
    }

    /**
     * Sets the source of published weights.
     *
     * @param value the store; the default is {@link WeightStore#fromEnvironment}
     * @return the changed options
     */
    public LoadOptions withStore(WeightStore value) {
        return with(options -> options.store = value);
    }

    /**
     * Sets the listener for download progress.
     *
     * @param value called on the loading thread; null for none
     * @return the changed options
     */
    public LoadOptions withProgress(@Nullable Progress value) {
        return with(options -> options.progress = value);
    }

    LoadOptions withWeights(Path value) {
        return with(options -> options.weights = new ModelName.Local(value));
    }

    WeightStore store() {
        return store == null ? WeightStore.fromEnvironment() : store;
    }

    /**
     * Sets the number of classes, or 0 for pooled features. The checkpoint must have this number, except {@linkplain
     * #forTraining for training}. Default: that of the checkpoint.
     *
     * @param value the number of classes
     * @return the changed options
     * @throws IllegalArgumentException if it is negative
     */
    public LoadOptions withNumClasses(int value) {
        if (value < 0) {
            throw new IllegalArgumentException(
                    "the number of classes must be at least 1, or 0 for pooled features, not " + value);
        }
        return with(options -> options.numClasses = OptionalInt.of(value));
    }

    /**
     * Sets the number of input channels; the first convolution of weights for 3 channels is adapted. Default: that of
     * the checkpoint.
     *
     * @param value the number of input channels, at least 1; images have 3
     * @return the changed options
     * @throws IllegalArgumentException if it is not positive
     */
    public LoadOptions withInChannels(int value) {
        if (value < 1) {
            throw new IllegalArgumentException("the number of input channels must be at least 1, not " + value);
        }
        return with(options -> options.inChannels = OptionalInt.of(value));
    }

    /**
     * Enables or disables DPN's test-time pooling, for inputs larger than the training size.
     *
     * @param value whether to pool logits
     * @return the changed options
     */
    public LoadOptions withTestTimePool(boolean value) {
        return with(options -> options.testTimePool = value);
    }

    /**
     * Sets DPN's last activation: {@link LastActivation#ELU} for weights of timm 0.6 or older.
     *
     * @param value the activation after the last normalization
     * @return the changed options
     */
    public LoadOptions withLastActivation(LastActivation value) {
        return with(options -> options.lastActivation = value);
    }

    /**
     * Overrides the preprocessing.
     *
     * @param value the preprocessing, from an image to the network's input
     * @return the changed options
     */
    public LoadOptions withPreprocessing(Preprocessing value) {
        return with(options -> options.preprocessing = value);
    }

    /**
     * Sets a square input size and adapts the preprocessing to it.
     *
     * @param value its side in pixels, at least 1
     * @return the changed options
     * @throws IllegalArgumentException if it is not positive
     */
    public LoadOptions withInputSize(int value) {
        return withInputSize(value, value);
    }

    /**
     * Sets the input's height and width and adapts the preprocessing to it.
     *
     * @param height its height in pixels, at least 1
     * @param width its width in pixels, at least 1
     * @return the changed options
     * @throws IllegalArgumentException if one is not positive
     */
    public LoadOptions withInputSize(int height, int width) {
        if (height < 1 || width < 1) {
            throw new IllegalArgumentException(
                    "the input's side must be at least 1 pixel, not " + Math.min(height, width));
        }
        return with(options -> {
            options.inputHeight = OptionalInt.of(height);
            options.inputWidth = OptionalInt.of(width);
        });
    }

    /**
     * Sets whether to rotate images upright by their EXIF orientation. Default: as in the model's configuration, else
     * true. torchvision does not rotate images.
     *
     * @param value whether to rotate images; arrays and pixels have no orientation
     * @return the changed options
     */
    public LoadOptions withUpright(boolean value) {
        return with(options -> options.upright = Optional.of(value));
    }

    /**
     * Sets the class names. Default: those of the model's configuration, else ImageNet's for 1000 classes, else class
     * numbers.
     *
     * @param value one name per class
     * @return the changed options
     */
    public LoadOptions withLabels(Labels value) {
        return with(options -> options.labels = value);
    }

    /**
     * Sets the number of classes in a prediction. Default: 5.
     *
     * @param value the number, at least 1; the best class comes first
     * @return the changed options
     * @throws IllegalArgumentException if it is not positive
     */
    public LoadOptions withTopK(int value) {
        if (value < 1) {
            throw new IllegalArgumentException("a prediction has at least 1 class, not " + value);
        }
        return with(options -> options.topK = value);
    }

    /**
     * Sets the device. Default: a GPU if there is one, else the CPU.
     *
     * @param value the device
     * @return the changed options
     */
    public LoadOptions withDevice(Device value) {
        return with(options -> options.device = value);
    }

    /**
     * Compiles the model for prediction: the network's graph is optimized, cached, and run by the fastest runtime
     * available. Results agree within 1e-5 of the largest value.
     *
     * @return the changed options
     */
    public LoadOptions compiled() {
        return compiled(CompiledRuntime.FASTEST);
    }

    /**
     * Compiles the model for prediction with a given runtime.
     *
     * @param runtime the runtime
     * @return the changed options
     */
    public LoadOptions compiled(CompiledRuntime runtime) {
        return with(options -> options.compiled = Optional.of(runtime));
    }

    /**
     * Sets the precision of a compiled model, instead of float32; other precisions need a CUDA device and TorchScript.
     * Results then differ in the third digit, in bfloat16 in the second.
     *
     * @param value the compute precision; needs {@link #compiled()}
     * @return the changed options
     */
    public LoadOptions withPrecision(CompiledPrecision value) {
        return with(options -> options.precision = value);
    }

    /**
     * Prepares the model for training: its parameters are trainable, and if the number of classes differs from the
     * checkpoint's, the classifier keeps its initial values, as the report says.
     *
     * @return the changed options
     */
    public LoadOptions forTraining() {
        return with(options -> options.training = true);
    }

    /**
     * Sets the listener for the load report, which is otherwise logged.
     *
     * @param value called once, after everything is loaded
     * @return the changed options
     */
    public LoadOptions withOnLoaded(Consumer<LoadReport> value) {
        return with(options -> options.onLoaded = value);
    }

    private LoadOptions with(Consumer<LoadOptions> change) {
        LoadOptions copy = new LoadOptions();
        copy.weights = weights;
        copy.reading = reading;
        copy.decoder = decoder;
        copy.store = store;
        copy.progress = progress;
        copy.numClasses = numClasses;
        copy.inChannels = inChannels;
        copy.testTimePool = testTimePool;
        copy.lastActivation = lastActivation;
        copy.preprocessing = preprocessing;
        copy.inputHeight = inputHeight;
        copy.inputWidth = inputWidth;
        copy.upright = upright;
        copy.labels = labels;
        copy.topK = topK;
        copy.device = device;
        copy.training = training;
        copy.compiled = compiled;
        copy.precision = precision;
        copy.onLoaded = onLoaded;
        change.accept(copy);
        return copy;
    }
}
