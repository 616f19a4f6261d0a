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
 * What to load, and how to use it. Start from {@link #published} or {@link #of} and change what differs; each change
 * gives new options and leaves the old ones as they are.
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

    /**
     * The published weights of the name that is loaded, used as published.
     *
     * @return the options
     */
    public static LoadOptions published() {
        return new LoadOptions();
    }

    /**
     * A checkpoint. If it is a model folder or carries its configuration, that says how to use it; else everything is as
     * published for the network.
     *
     * @param weights a checkpoint of the network, of any format that is read, or a folder that holds one
     * @return the options
     */
    public static LoadOptions of(Path weights) {
        return published().with(options -> options.weights = new ModelName.Local(weights));
    }

    /**
     * A checkpoint by name: a path, a URL with the scheme {@code file}, or {@code hf-hub:owner/name[@revision]}.
     *
     * @param weights the name
     * @return the options
     * @throws IllegalArgumentException if it is none of these
     */
    public static LoadOptions of(String weights) {
        ModelName name = weights.startsWith(ModelName.HUB)
                ? ModelName.of(weights)
                : new ModelName.Local(ModelName.path(weights));
        return published().with(options -> options.weights = name);
    }

    /**
     * With a place in the checkpoint for its weights. Where this is not called they are the only mapping of tensors that fits
     * the network.
     *
     * @param value a dotted path, such as {@code checkpoint.model}, that may end in the prefix that their names have
     * @return the changed options
     */
    public LoadOptions withKey(String value) {
        return with(options -> options.reading = reading.withKey(value));
    }

    /**
     * With entries of the weights to leave out, which the report names.
     *
     * @param patterns names as the file has them, in which {@code *} stands for any text and {@code ?} for any character
     * @return the changed options
     */
    public LoadOptions withIgnored(String... patterns) {
        return with(options -> options.reading = reading.withIgnored(List.of(patterns)));
    }

    /**
     * With a decoder that has other limits for images, which come as anything but pixels.
     *
     * @param value the decoder; whether it turns images upright is up to the model, or {@link #withUpright}
     * @return the changed options
     */
    public LoadOptions withDecoder(ImageDecoder value) {
        return with(options -> options.decoder = value);
    }

    /**
     * With other limits for what the checkpoint may ask of its reader.
     *
     * @param value the limits
     * @return the changed options
     */
    public LoadOptions withLimits(Limits value) {
        return with(options -> options.reading = reading.withLimits(value));
    }

    /**
     * With a place that published weights come from.
     *
     * @param value the store; {@link WeightStore#fromEnvironment} where this is not called
     * @return the changed options
     */
    public LoadOptions withStore(WeightStore value) {
        return with(options -> options.store = value);
    }

    /**
     * With someone to tell of a download's bytes.
     *
     * @param value is told from the loading thread; null for nobody
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
     * With a number of classes, which the checkpoint must have unless this is {@linkplain #forTraining for training}; or 0 for
     * pooled features. Where this is not called it is what the checkpoint has.
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
     * With a number of input channels, to which the first convolution of weights for 3 is adapted. Where this is not called
     * it is what the checkpoint has.
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
     * With or without DPN's test-time pooling, for inputs larger than the trained size.
     *
     * @param value whether to pool logits
     * @return the changed options
     */
    public LoadOptions withTestTimePool(boolean value) {
        return with(options -> options.testTimePool = value);
    }

    /**
     * With another last activation of DPN: {@link LastActivation#ELU} for weights of timm 0.6 or older.
     *
     * @param value what follows the last normalisation
     * @return the changed options
     */
    public LoadOptions withLastActivation(LastActivation value) {
        return with(options -> options.lastActivation = value);
    }

    /**
     * With another preprocessing than the published one.
     *
     * @param value how an image becomes the network's input
     * @return the changed options
     */
    public LoadOptions withPreprocessing(Preprocessing value) {
        return with(options -> options.preprocessing = value);
    }

    /**
     * With a square input of another size, which the preprocessing then is for.
     *
     * @param value its side in pixels, at least 1
     * @return the changed options
     * @throws IllegalArgumentException if it is not positive
     */
    public LoadOptions withInputSize(int value) {
        return withInputSize(value, value);
    }

    /**
     * With an input of another height and width, which the preprocessing then is for.
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
     * With or without turning images upright, as their EXIF orientation says. Where this is not called, the model's
     * configuration says it, and images are turned upright if there is none. torchvision does not turn them.
     *
     * @param value whether to turn them; images that come as arrays or pixels have no orientation
     * @return the changed options
     */
    public LoadOptions withUpright(boolean value) {
        return with(options -> options.upright = Optional.of(value));
    }

    /**
     * With names for the classes. Where this is not called, they are those of the model's configuration; without one, 1000
     * classes are ImageNet's and others have their numbers for names.
     *
     * @param value as many names as classes
     * @return the changed options
     */
    public LoadOptions withLabels(Labels value) {
        return with(options -> options.labels = value);
    }

    /**
     * With another number of classes to name in a prediction than 5.
     *
     * @param value how many, at least 1; the best come first
     * @return the changed options
     * @throws IllegalArgumentException if it is not positive
     */
    public LoadOptions withTopK(int value) {
        if (value < 1) {
            throw new IllegalArgumentException("a prediction names at least 1 class, not " + value);
        }
        return with(options -> options.topK = value);
    }

    /**
     * With a place to compute; where this is not called, a GPU before the CPU.
     *
     * @param value the device
     * @return the changed options
     */
    public LoadOptions withDevice(Device value) {
        return with(options -> options.device = value);
    }

    /**
     * Compiled for prediction: the network's graph is rewritten, written once into the cache, and run by the runtime that is
     * fastest for it here. Results are the same within 1e-5 of the largest.
     *
     * @return the changed options
     */
    public LoadOptions compiled() {
        return compiled(CompiledRuntime.FASTEST);
    }

    /**
     * Compiled for prediction, by a runtime of choice.
     *
     * @param runtime the runtime
     * @return the changed options
     */
    public LoadOptions compiled(CompiledRuntime runtime) {
        return with(options -> options.compiled = Optional.of(runtime));
    }

    /**
     * With another precision of the compiled model than float32: on a CUDA device, where TorchScript runs it. Results then differ in
     * the third digit, in bfloat16 in the second.
     *
     * @param value what the compiled model computes in; needs {@link #compiled()}
     * @return the changed options
     */
    public LoadOptions withPrecision(CompiledPrecision value) {
        return with(options -> options.precision = value);
    }

    /**
     * To start training from the weights: the parameters can learn, and where the number of classes is not the
     * checkpoint's the classifier keeps its initial values, which the report says.
     *
     * @return the changed options
     */
    public LoadOptions forTraining() {
        return with(options -> options.training = true);
    }

    /**
     * With someone to tell what loading did, instead of the log.
     *
     * @param value is called once, when everything is loaded
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
