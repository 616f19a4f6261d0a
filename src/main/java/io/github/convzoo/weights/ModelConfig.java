package io.github.convzoo.weights;

import ai.djl.ndarray.types.Shape;
import io.github.convzoo.image.Labels;
import io.github.convzoo.image.Normalization;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.image.Resampling;
import io.github.convzoo.network.NetworkOptions;
import io.github.convzoo.network.Variant;
import java.io.IOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The configuration of a model, everything needed to use it except its weights: the network, its classes, and the
 * preprocessing.
 *
 * <p>As text, it is {@code config.json} in the Hugging Face hub's format for timm models. ConvZoo's own settings are
 * under the key {@code convzoo}, which timm ignores.
 *
 * @param variant the network
 * @param options its number of classes and input channels, and the options of its family
 * @param preprocessing the preprocessing from an image to the network's input
 * @param larger the preprocessing for inputs larger than the training size, timm's {@code test_input_size}; empty if no
 *     accuracy was measured with any
 * @param upright whether to rotate images upright first, by their EXIF orientation
 * @param labels the class names; empty if only the numbers are known
 * @param tag distinguishes sets of weights of one network, or empty
 * @param license the license of the weights, or empty if unknown
 */
public record ModelConfig(
        Variant variant,
        NetworkOptions options,
        Preprocessing preprocessing,
        Optional<Preprocessing> larger,
        boolean upright,
        Optional<Labels> labels,
        Optional<String> tag,
        Optional<String> license) {

    /**
     * Checks that the labels match the classes.
     *
     * @throws IllegalArgumentException if the numbers of labels and classes differ
     */
    public ModelConfig {
        if (labels.isPresent() && labels.get().size() != options.numClasses()) {
            int count = labels.get().size();
            throw new IllegalArgumentException((count == 1 ? "there is 1 label" : "there are " + count + " labels")
                    + " for " + options.numClasses() + " classes; give one label per class");
        }
    }

    /**
     * {@return the default configuration of a network without published weights}
     *
     * @param variant the network
     */
    public static ModelConfig usual(Variant variant) {
        return new ModelConfig(
                variant,
                variant.options(),
                Preprocessing.ofCropFraction(variant.inputSize(), 0.875, Resampling.BILINEAR, Normalization.IMAGENET),
                Optional.empty(),
                true,
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
    }

    /**
     * {@return the configuration of published weights}
     *
     * @param row the weights
     */
    public static ModelConfig of(Manifest.Row row) {
        Variant variant = Variant.of(row.model());
        Manifest.@Nullable Bundled bundled = row.bundled();
        Manifest.@Nullable Larger larger = row.larger();
        Optional<Labels> labels = bundled == null ? Optional.empty() : Optional.of(new Labels(bundled.labels()));
        NetworkOptions options = variant.options();
        return new ModelConfig(
                variant,
                labels.isEmpty() ? options : options.withNumClasses(labels.get().size()),
                Manifest.preprocessing(row.preprocessing()),
                larger == null ? Optional.empty() : Optional.of(Manifest.preprocessing(larger.preprocessing())),
                true,
                labels,
                Optional.of(row.tag()),
                Optional.of(row.license()));
    }

    /**
     * Parses a configuration in timm's format, or in its older format with everything at the top level.
     *
     * @param json the text of a {@code config.json}
     * @param name its name in errors
     * @return the configuration
     * @throws IOException if it is not JSON, has a network or a setting that ConvZoo does not support, or contradicts
     *     itself; the message says where, and what to do
     */
    public static ModelConfig parse(String json, String name) throws IOException {
        return PretrainedConfig.parse(json, name);
    }

    /** {@return the configuration as text, in timm's format: indented JSON that ends with a line break} */
    public String toJson() {
        return PretrainedConfig.toJson(this);
    }

    /**
     * {@return the reason why timm does not compute the same results from a folder with this configuration, as a
     * phrase; empty if it does}
     */
    public Optional<String> differenceToTimm() {
        return PretrainedConfig.differenceToTimm(this);
    }

    /**
     * {@return the preprocessing for a square input: the one for larger inputs if it has this size, else the regular
     * one with the same crop fraction}
     *
     * @param inputSize the input's side in pixels
     * @throws IllegalArgumentException if the size is not positive or too large
     */
    public Preprocessing preprocessing(int inputSize) {
        return preprocessing(inputSize, inputSize);
    }

    /**
     * {@return the preprocessing for an input height and width: the one for larger inputs if it has this size, else the
     * regular one with the same crop fraction}
     *
     * @param height the input's height in pixels
     * @param width the input's width in pixels
     * @throws IllegalArgumentException if a size is not positive or too large
     */
    public Preprocessing preprocessing(int height, int width) {
        return larger.filter(each -> each.height() == height && each.width() == width)
                .orElseGet(() -> preprocessing.withInputSize(height, width));
    }

    /** {@return the shape of one input, (1, channels, height, width)} */
    public Shape input() {
        return new Shape(1, options.inChannels(), preprocessing.height(), preprocessing.width());
    }

    /**
     * {@return the configuration with other network options} Labels are dropped if the number of classes differs, and
     * the normalization is adapted to the input channels if these are 1 or 3.
     *
     * @param value the options
     */
    public ModelConfig withOptions(NetworkOptions value) {
        int channels = value.inChannels();
        boolean gray = channels == 1 || channels == 3;
        return new ModelConfig(
                variant,
                value,
                gray ? withChannels(preprocessing, channels) : preprocessing,
                gray ? larger.map(each -> withChannels(each, channels)) : larger,
                upright,
                labels.filter(names -> names.size() == value.numClasses()),
                tag,
                license);
    }

    private static Preprocessing withChannels(Preprocessing preprocessing, int channels) {
        return preprocessing.withNormalization(preprocessing.normalization().forChannels(channels));
    }

    /**
     * {@return the configuration with another preprocessing, for inputs of any size}
     *
     * @param value the preprocessing, from an image to the network's input
     */
    public ModelConfig withPreprocessing(Preprocessing value) {
        return new ModelConfig(variant, options, value, Optional.empty(), upright, labels, tag, license);
    }

    /**
     * {@return the configuration with images rotated upright or kept as stored}
     *
     * @param value whether to rotate images upright
     */
    public ModelConfig withUpright(boolean value) {
        return new ModelConfig(variant, options, preprocessing, larger, value, labels, tag, license);
    }

    /**
     * {@return the configuration with class names}
     *
     * @param value one name per class
     * @throws IllegalArgumentException if the numbers of names and classes differ
     */
    public ModelConfig withLabels(Labels value) {
        return new ModelConfig(variant, options, preprocessing, larger, upright, Optional.of(value), tag, license);
    }

    /** {@return the configuration for other weights of the network: without labels, tag, and license} */
    public ModelConfig ofOtherWeights() {
        return new ModelConfig(
                variant,
                variant.options().withFamily(options.family()),
                preprocessing,
                larger,
                upright,
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
    }
}
