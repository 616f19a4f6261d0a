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
 * Everything that using a model takes besides its weights: the network, its classes, and how an image becomes its input.
 *
 * <p>As text it is the {@code config.json} of the Hugging Face hub's layout for timm models. What only ConvZoo has is under
 * the key {@code convzoo}, which timm ignores.
 *
 * @param variant the network
 * @param options its number of classes and input channels, and the options of its family
 * @param preprocessing how an image becomes the network's input
 * @param larger the same for inputs larger than those that the weights were trained on, timm's {@code test_input_size};
 *     empty if nothing was measured with any
 * @param upright whether images are turned upright first, as their EXIF orientation says
 * @param labels the classes' names; empty if only their numbers are known
 * @param tag tells sets of weights of one network apart, or empty
 * @param license the license of the weights, or empty if nobody says
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
     * Checks that the labels are those of the classes.
     *
     * @param variant the network
     * @param options its options
     * @param preprocessing from image to input
     * @param larger the same for larger inputs, or empty
     * @param upright whether images are turned upright
     * @param labels a name for each class, or empty
     * @param tag the tag, or empty
     * @param license the license, or empty
     * @throws IllegalArgumentException if there are more or fewer labels than classes
     */
    public ModelConfig {
        if (labels.isPresent() && labels.get().size() != options.numClasses()) {
            throw new IllegalArgumentException("there are " + labels.get().size() + " labels for "
                    + options.numClasses() + " classes; name each class once");
        }
    }

    /**
     * What is usual for a network of which nothing is published.
     *
     * @param variant the network
     * @return the configuration
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
     * What published weights are used with.
     *
     * @param row the weights
     * @return the configuration
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
                Optional.of(row.licence()));
    }

    /**
     * Reads a configuration in timm's layout, also the older one that has everything at the top.
     *
     * @param json the text of a {@code config.json}
     * @param name what to call it in errors
     * @return the configuration
     * @throws IOException if it is not JSON, names a network or a setting that ConvZoo does not have, or contradicts itself;
     *     the message says where, and what to do
     */
    public static ModelConfig parse(String json, String name) throws IOException {
        return PretrainedConfig.parse(json, name);
    }

    /**
     * The configuration as text, in timm's layout.
     *
     * @return indented JSON that ends with a line break
     */
    public String toJson() {
        return PretrainedConfig.toJson(this);
    }

    /**
     * Whether timm computes the same from a folder with this configuration.
     *
     * @return empty if it does; else why not, as a phrase
     */
    public Optional<String> differenceToTimm() {
        return PretrainedConfig.differenceToTimm(this);
    }

    /**
     * The preprocessing for a square input of some size.
     *
     * @param inputSize the input's side in pixels
     * @return that for larger inputs if it is of this size, else the usual one with the same crop fraction
     * @throws IllegalArgumentException if the size is not positive or too large
     */
    public Preprocessing preprocessing(int inputSize) {
        return preprocessing(inputSize, inputSize);
    }

    /**
     * The preprocessing for an input of some height and width.
     *
     * @param height the input's height in pixels
     * @param width the input's width in pixels
     * @return that for larger inputs if it is of this size, else the usual one with the same crop fraction
     * @throws IllegalArgumentException if a size is not positive or too large
     */
    public Preprocessing preprocessing(int height, int width) {
        return larger.filter(each -> each.height() == height && each.width() == width)
                .orElseGet(() -> preprocessing.withInputSize(height, width));
    }

    /**
     * The shape of one input.
     *
     * @return (1, channels, height, width)
     */
    public Shape input() {
        return new Shape(1, options.inChannels(), preprocessing.height(), preprocessing.width());
    }

    /**
     * With other options of the network. Labels of another number of classes are dropped, and the normalization is adapted
     * to the input channels if these are 1 or 3.
     *
     * @param value the options
     * @return the changed configuration
     */
    public ModelConfig withOptions(NetworkOptions value) {
        int channels = value.inChannels();
        boolean grey = channels == 1 || channels == 3;
        return new ModelConfig(
                variant,
                value,
                grey ? withChannels(preprocessing, channels) : preprocessing,
                grey ? larger.map(each -> withChannels(each, channels)) : larger,
                upright,
                labels.filter(names -> names.size() == value.numClasses()),
                tag,
                license);
    }

    private static Preprocessing withChannels(Preprocessing preprocessing, int channels) {
        return preprocessing.withNormalization(preprocessing.normalization().forChannels(channels));
    }

    /**
     * With another preprocessing, for inputs of every size.
     *
     * @param value from image to input
     * @return the changed configuration
     */
    public ModelConfig withPreprocessing(Preprocessing value) {
        return new ModelConfig(variant, options, value, Optional.empty(), upright, labels, tag, license);
    }

    /**
     * With images turned upright or taken as they are stored.
     *
     * @param value whether to turn them upright
     * @return the changed configuration
     */
    public ModelConfig withUpright(boolean value) {
        return new ModelConfig(variant, options, preprocessing, larger, value, labels, tag, license);
    }

    /**
     * With names for the classes.
     *
     * @param value a name for each class
     * @return the changed configuration
     * @throws IllegalArgumentException if there are more or fewer than classes
     */
    public ModelConfig withLabels(Labels value) {
        return new ModelConfig(variant, options, preprocessing, larger, upright, Optional.of(value), tag, license);
    }

    /**
     * For other weights of the network: without labels, tag, and license.
     *
     * @return the changed configuration
     */
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
