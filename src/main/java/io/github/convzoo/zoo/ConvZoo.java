package io.github.convzoo.zoo;

import ai.djl.Model;
import ai.djl.modality.Classifications;
import ai.djl.modality.cv.Image;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.NoopTranslator;
import ai.djl.translate.Translator;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.image.Labels;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.image.RgbImage;
import io.github.convzoo.network.FeatureExtractor;
import io.github.convzoo.network.Network;
import io.github.convzoo.network.Variant;
import io.github.convzoo.weights.FetchException;
import io.github.convzoo.weights.Glob;
import io.github.convzoo.weights.LoadReport;
import io.github.convzoo.weights.Manifest;
import io.github.convzoo.weights.StateDict;
import io.github.convzoo.weights.WeightLoader;
import io.github.convzoo.weights.WeightStore;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Loads networks with their weights as DJL models.
 *
 * <p>A name is a network's, such as {@code dla34}, or that of a set of its published weights, such as
 * {@code dpn68b.mx_in1k}; a network's name alone stands for the first of its sets. DJL's own door, {@code Criteria} with
 * the group {@code io.github.convzoo}, gives the same models.
 *
 * <p>A model may be shared by threads; a predictor made from it belongs to one. Unless it is loaded
 * {@linkplain LoadOptions#forTraining for training} the parameters are frozen, so that prediction keeps nothing for
 * gradients on any thread, and batch normalisation is folded into the convolutions.
 */
public final class ConvZoo {

    static final String ENGINE = "PyTorch";

    private static final int IMAGE_CHANNELS = 3;
    private static final Logger LOGGER = LoggerFactory.getLogger(ConvZoo.class);

    private ConvZoo() {}

    /**
     * The networks by name.
     *
     * @param pattern what a name must match, in which {@code *} stands for any text and {@code ?} for any character
     * @return the names, family by family; empty where none matches
     */
    public static List<String> list(String pattern) {
        return matching(pattern, Variant.all().keySet().stream().toList());
    }

    /**
     * The published sets of weights by name.
     *
     * @param pattern what a name, with its tag or without, must match, in which {@code *} stands for any text and
     *     {@code ?} for any character
     * @return names such as {@code dpn68b.ra_in1k}, family by family; empty where none matches
     */
    public static List<String> listWeights(String pattern) {
        List<String> networks = list(pattern);
        List<String> names = Manifest.rows().stream().map(Manifest.Row::name).toList();
        List<String> matching = matching(pattern, names);
        return names.stream()
                .filter(name -> matching.contains(name) || networks.contains(name.substring(0, name.indexOf('.'))))
                .toList();
    }

    private static List<String> matching(String pattern, List<String> names) {
        Pattern glob = Glob.of(pattern);
        return names.stream().filter(name -> glob.matcher(name).matches()).toList();
    }

    /**
     * How an image becomes a network's input, as published.
     *
     * @param name a network, or a set of its published weights
     * @return from an image of any size to the network's input
     * @throws IllegalArgumentException if there is no such name
     */
    public static Preprocessing preprocessing(String name) {
        return Name.of(name).preprocessing();
    }

    /**
     * How an image becomes a network's square input of some size: as published where the size is one that accuracies were
     * published for, else the same share of the resized image as at the usual size.
     *
     * @param name a network, or a set of its published weights
     * @param inputSize the input's side in pixels
     * @return from an image of any size to the network's input
     * @throws IllegalArgumentException if there is no such name, or the size is not positive
     */
    public static Preprocessing preprocessing(String name, int inputSize) {
        return Name.of(name).preprocessing(inputSize);
    }

    /**
     * Loads an image classifier for DJL's images.
     *
     * @param name a network, or a set of its published weights
     * @param options the weights, and how to use them
     * @return the model; close it to free its memory
     * @throws CheckpointException if the checkpoint is unreadable or does not fit
     * @throws FetchException if the published weights cannot be had
     * @throws IOException if the thread is interrupted
     * @throws IllegalArgumentException if there is no such name, or it does not have what the options ask for
     */
    public static ZooModel<Image, Classifications> load(String name, LoadOptions options) throws IOException {
        return load(name, Image.class, options);
    }

    /**
     * Loads an image classifier.
     *
     * @param name a network, or a set of its published weights
     * @param inputType what an image comes as: {@link Path}, {@link URL}, {@link InputStream}, {@link String} (a URL or a
     *     path), DJL's {@link Image} or {@link RgbImage}
     * @param options the weights, and how to use them
     * @param <I> what an image comes as
     * @return the model; close it to free its memory
     * @throws CheckpointException if the checkpoint is unreadable or does not fit
     * @throws FetchException if the published weights cannot be had
     * @throws IOException if the thread is interrupted
     * @throws IllegalArgumentException if there is no such name, or it does not have what the options ask for
     */
    public static <I> ZooModel<I, Classifications> load(String name, Class<I> inputType, LoadOptions options)
            throws IOException {
        ImageReader<I> reader = ImageReader.of(inputType);
        requireImages(options);
        return model(name, options, network -> network, network -> classifier(network, reader, name, options));
    }

    /**
     * Loads a network for arrays.
     *
     * @param name a network, or a set of its published weights
     * @param options the weights, and how to use them; labels and top-k play no part
     * @return a model from (N, channels, H, W) to logits (N, classes), or pooled features where the number of classes is
     *     0; close it to free its memory
     * @throws CheckpointException if the checkpoint is unreadable or does not fit
     * @throws FetchException if the published weights cannot be had
     * @throws IOException if the thread is interrupted
     * @throws IllegalArgumentException if there is no such name, or it does not have what the options ask for
     */
    public static ZooModel<NDList, NDList> loadLogits(String name, LoadOptions options) throws IOException {
        return model(name, options, network -> network, network -> new NoopTranslator());
    }

    /**
     * Loads a network as a backbone, without its classifier.
     *
     * @param name a network, or a set of its published weights
     * @param options the weights, and how to use them; labels and top-k play no part
     * @param levels which feature maps, ascending; {@link Network#featureStages} says which there are, and
     *     {@link FeatureExtractor} which are taken if none are named
     * @return a model from (N, channels, H, W) to a map (N, features, H / stride, W / stride) for each level; its block is a
     *     {@link FeatureExtractor}; close it to free its memory
     * @throws CheckpointException if the checkpoint is unreadable or does not fit
     * @throws FetchException if the published weights cannot be had
     * @throws IOException if the thread is interrupted
     * @throws IllegalArgumentException if there is no such name, it does not have what the options ask for, or these name
     *     classes
     */
    public static ZooModel<NDList, NDList> loadFeatures(String name, LoadOptions options, int... levels)
            throws IOException {
        return model(
                name,
                withoutClassifier(options),
                network -> new FeatureExtractor(network, levels),
                network -> new NoopTranslator());
    }

    static LoadOptions withoutClassifier(LoadOptions options) {
        if (options.numClasses.orElse(0) != 0) {
            throw new IllegalArgumentException("feature maps come without classes; leave their number ("
                    + options.numClasses.getAsInt() + ") out");
        }
        return options.withNumClasses(0);
    }

    /**
     * Makes a network to be trained from scratch: random weights, drawn from the engine's random numbers
     * ({@code Engine.setRandomSeed}).
     *
     * @param name a network
     * @param options how to use it; what they say of weights plays no part
     * @return a model from (N, channels, H, W) to logits (N, classes), or pooled features where the number of classes is 0;
     *     close it to free its memory
     * @throws IllegalArgumentException if there is no such name, or it does not have what the options ask for
     */
    public static ZooModel<NDList, NDList> untrained(String name, LoadOptions options) {
        Name parsed = Name.of(name);
        Variant variant = parsed.variant();
        Preprocessing preprocessing = preprocessing(parsed, options);
        int channels = options.inChannels.orElse(variant.options().inChannels());
        Network network = variant.build(options.network(
                variant, options.numClasses.orElse(variant.options().numClasses()), channels));
        Model model = Model.newInstance(variant.modelName(), options.device, ENGINE);
        try {
            network.initialize(
                    model.getNDManager(),
                    DataType.FLOAT32,
                    new Shape(1, channels, preprocessing.height(), preprocessing.width()));
            model.setBlock(network);
            return new ZooModel<>(model, new NoopTranslator());
        } catch (RuntimeException e) {
            model.close();
            throw e;
        }
    }

    private static <I, O> ZooModel<I, O> model(
            String name,
            LoadOptions options,
            Function<Network, Block> block,
            Function<Network, Translator<I, O>> translator)
            throws IOException {
        Model model = Model.newInstance(Name.of(name).variant().modelName(), options.device, ENGINE);
        try {
            Network network = network(name, options, model.getNDManager());
            model.setBlock(block.apply(network));
            return new ZooModel<>(model, translator.apply(network));
        } catch (IOException | RuntimeException e) {
            model.close();
            throw e;
        }
    }

    /** Builds a network and loads its weights into arrays of the manager. */
    static Network network(String modelName, LoadOptions options, NDManager manager) throws IOException {
        Name name = Name.of(modelName);
        Variant variant = name.variant();
        Preprocessing preprocessing = preprocessing(name, options);
        StateDict stateDict = StateDict.read(weights(name, options), variant, options.reading);
        int classes = options.numClasses.orElseGet(
                () -> stateDict.classes(variant).orElse(variant.options().numClasses()));
        int channels =
                options.inChannels.orElseGet(() -> stateDict.inChannels(variant).orElse(3));
        Network network = variant.build(options.network(variant, classes, channels));
        Shape input = new Shape(1, channels, preprocessing.height(), preprocessing.width());
        stateDict.requireInput(variant, preprocessing.height(), preprocessing.width());
        LoadReport report = WeightLoader.load(
                stateDict,
                network,
                manager,
                input,
                options.training ? WeightLoader.Classifier.MAY_DIFFER : WeightLoader.Classifier.MUST_MATCH);
        if (!options.training) {
            network.freezeParameters(true);
            network.foldNorms();
        }
        if (!report.notes().isEmpty()) {
            report.lines().forEach(LOGGER::info);
        }
        options.onLoaded.accept(report);
        return network;
    }

    private static Path weights(Name name, LoadOptions options) throws IOException {
        if (options.weights != null) {
            return options.weights;
        }
        if (name.row() == null) {
            throw new IllegalArgumentException("there are no published weights of "
                    + name.variant().modelName() + "; name a checkpoint file to load");
        }
        WeightStore store = options.store == null ? WeightStore.fromEnvironment() : options.store;
        return store.fetch(name.row(), options.progress).path();
    }

    private static Preprocessing preprocessing(Name name, LoadOptions options) {
        if (options.inputSize.isEmpty()) {
            return options.preprocessing == null ? name.preprocessing() : options.preprocessing;
        }
        int size = options.inputSize.getAsInt();
        return options.preprocessing == null ? name.preprocessing(size) : options.preprocessing.withInputSize(size);
    }

    static <I> ImageTranslator<I> classifier(Network network, ImageReader<I> reader, String name, LoadOptions options) {
        requireImages(options);
        int channels = network.options().inChannels();
        if (channels != IMAGE_CHANNELS) {
            throw channelError(channels);
        }
        int classes = network.options().numClasses();
        if (classes == 0) {
            throw new IllegalArgumentException("a classifier needs at least 1 class, not 0");
        }
        Labels labels = options.labels == null ? labels(name, options, classes) : options.labels;
        if (labels.size() != classes) {
            throw new IllegalArgumentException("there are " + labels.size() + " labels, and the weights have " + classes
                    + " classes; give as many labels");
        }
        return new ImageTranslator<>(reader, preprocessing(Name.of(name), options), labels, options.topK);
    }

    /** The names that come with the weights, or those that are usual for so many classes. */
    private static Labels labels(String name, LoadOptions options, int classes) {
        Manifest.Row row = Name.of(name).row();
        Manifest.Bundled bundled = row == null ? null : row.bundled();
        return bundled != null && options.weights == null
                ? new Labels(bundled.labels())
                : ImageTranslator.labels(classes);
    }

    /** Refuses what cannot be a classifier of images, before anything is loaded. */
    static void requireImages(LoadOptions options) {
        if (options.inChannels.orElse(IMAGE_CHANNELS) != IMAGE_CHANNELS) {
            throw channelError(options.inChannels.getAsInt());
        }
        if (options.numClasses.orElse(1) == 0) {
            throw new IllegalArgumentException("a classifier needs at least 1 class, not 0");
        }
    }

    private static IllegalArgumentException channelError(int channels) {
        return new IllegalArgumentException("images have 3 channels, and the network takes " + channels
                + "; load the logits instead and give the network arrays");
    }
}
