package io.github.convzoo.zoo;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.modality.Classifications;
import ai.djl.modality.cv.Image;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.repository.zoo.ZooModel;
import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.hub.FetchException;
import io.github.convzoo.hub.FileStore;
import io.github.convzoo.hub.SpecialAddresses;
import io.github.convzoo.image.ImageDecoder;
import io.github.convzoo.image.Labels;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.image.RgbImage;
import io.github.convzoo.network.FeatureExtractor;
import io.github.convzoo.network.Network;
import io.github.convzoo.network.Variant;
import io.github.convzoo.nn.CompiledGraph;
import io.github.convzoo.nn.GraphBlock;
import io.github.convzoo.weights.ExportedFile;
import io.github.convzoo.weights.Glob;
import io.github.convzoo.weights.LoadReport;
import io.github.convzoo.weights.Manifest;
import io.github.convzoo.weights.ModelConfig;
import io.github.convzoo.weights.ModelFolder;
import io.github.convzoo.weights.StateDict;
import io.github.convzoo.weights.WeightLoader;
import java.awt.image.BufferedImage;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.UUID;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Loads networks with their weights as DJL models.
 *
 * <p>A model is named by a network, such as {@code dla34}; by a set of published weights, such as {@code
 * dpn68b.mx_in1k} (a network's name alone means its first set); by a {@linkplain ModelFolder model folder} or a single
 * file that contains its configuration; or as {@code hf-hub:owner/name[@revision]}, a repository on the Hugging Face
 * hub. The same models are available through DJL's {@code Criteria} with the group {@code io.github.convzoo}.
 *
 * <p>A model may be shared by threads; a predictor made from it belongs to one thread. Unless the model is loaded
 * {@linkplain LoadOptions#forTraining for training}, its parameters are frozen, so that prediction keeps nothing for
 * gradients on any thread, and batch normalization is folded into the convolutions.
 */
public final class ConvZoo {

    static final String ENGINE = "PyTorch";

    /** The schemes of URLs in requests. */
    private static final Pattern PUBLIC = Pattern.compile("(https?|data):", Pattern.CASE_INSENSITIVE);

    private static final int RGB = 3;
    private static final int GRAY = 1;
    private static final Logger LOGGER = LoggerFactory.getLogger(ConvZoo.class);

    private ConvZoo() {}

    /**
     * {@return the matching network names, family by family; empty if none matches}
     *
     * @param pattern a pattern for the names, in which {@code *} matches any text and {@code ?} any character
     */
    public static List<String> list(String pattern) {
        return matching(pattern, Variant.all().keySet().stream().toList());
    }

    /**
     * {@return the matching names of published weights, such as {@code dpn68b.ra_in1k}, family by family; empty if none
     * matches}
     *
     * @param pattern a pattern for the names, with or without the tag, in which {@code *} matches any text and {@code
     *     ?} any character
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
     * {@return the published preprocessing of a network, from an image of any size to the network's input}
     *
     * @param name a network, or a set of its published weights
     * @throws IllegalArgumentException if there is no such name
     */
    public static Preprocessing preprocessing(String name) {
        return config(ModelName.published(name)).preprocessing();
    }

    /**
     * {@return the preprocessing of a network from an image of any size to a square input: the published one if
     * accuracies were published for the size, else with the crop fraction of the default size}
     *
     * @param name a network, or a set of its published weights
     * @param inputSize the input's side in pixels
     * @throws IllegalArgumentException if there is no such name, or the size is not positive
     */
    public static Preprocessing preprocessing(String name, int inputSize) {
        return config(ModelName.published(name)).preprocessing(inputSize);
    }

    private static ModelConfig config(ModelName.Published name) {
        Manifest.@Nullable Row row = name.row();
        return row == null ? ModelConfig.usual(name.variant()) : ModelConfig.of(row);
    }

    /**
     * {@return a model's configuration, as {@link #load} would use it, with the options' changes; its classes and input
     * channels are those of the weights, if known} Weights are not loaded, but those of a hub repository are
     * downloaded.
     *
     * @param model a network, published weights, a model folder, or a repository of the hub
     * @param options the weights, and how to use them
     * @throws IOException if a configuration or weights cannot be read or fetched, or contradict each other
     * @throws IllegalArgumentException if there is no such model, or it does not support the options
     */
    public static ModelConfig configuration(String model, LoadOptions options) throws IOException {
        return open(model, options).config(options);
    }

    /**
     * {@return the configuration of a model folder, as {@link #load(Path)} would use it, with the options' changes}
     *
     * @param model a model folder, or a single file that contains its configuration
     * @param options how to use it
     * @throws IOException if a configuration or weights cannot be read, or contradict each other
     * @throws IllegalArgumentException if it does not support the options
     */
    public static ModelConfig configuration(Path model, LoadOptions options) throws IOException {
        return open(new ModelName.Local(model), options).config(options);
    }

    /**
     * Opens a model, to query and load it without reading its files more than once. Published weights are not
     * downloaded yet, but those of a hub repository are.
     *
     * @param model a network, published weights, a model folder, or a repository of the hub
     * @param options the weights, and how to read them
     * @return the model
     * @throws IOException if a configuration or weights cannot be read or fetched, or contradict each other
     * @throws IllegalArgumentException if there is no such model
     */
    public static OpenModel open(String model, LoadOptions options) throws IOException {
        return open(ModelName.of(model), options);
    }

    private static OpenModel open(ModelName model, LoadOptions options) throws IOException {
        return new OpenModel(ModelSource.found(model, options));
    }

    /**
     * Opens the weights that the options name, whatever their network. A configuration next to them is ignored.
     *
     * @param options the weights, a file, model folder, or repository of the hub, and how to read them
     * @return the weights
     * @throws IOException if they cannot be read or fetched
     * @throws IllegalArgumentException if the options name none
     */
    public static Checkpoint checkpoint(LoadOptions options) throws IOException {
        return ModelSource.checkpoint(options);
    }

    /**
     * Reads an image from a path or URL.
     *
     * @param location a path, or a URL with the scheme http, https, file, or data
     * @param decoder decodes the image
     * @return the image
     * @throws IOException if it cannot be read, fetched, or decoded; the message names it
     */
    public static RgbImage readImage(String location, ImageDecoder decoder) throws IOException {
        return ImageReader.of(String.class, decoder).read(location);
    }

    /**
     * Reads an image from a URL that a stranger named, in a request for example: this machine's files and network stay
     * out of reach.
     *
     * @param url a URL with the scheme http, https, or data
     * @param decoder decodes the image, and has the limits of the download
     * @return the image
     * @throws IOException if it cannot be fetched or decoded, is at an address that is not public, or has another
     *     scheme; the message names it
     */
    public static RgbImage readPublicImage(String url, ImageDecoder decoder) throws IOException {
        if (!PUBLIC.matcher(url).lookingAt()) {
            throw new IOException("the URL of an image must start with http:, https:, or data:");
        }
        return ImageReader.linked(decoder, url, SpecialAddresses::isPublic);
    }

    /**
     * Loads an image classifier for DJL's {@link Image}. DJL decodes images without color profiles and orientation; the
     * input type {@link Path} keeps both.
     *
     * @param model a network, published weights, a model folder or file as text, or a repository of the hub
     * @param options the weights, and how to use them
     * @return the model; close it to free its memory
     * @throws CheckpointException if the checkpoint is unreadable or does not fit
     * @throws FetchException if weights cannot be fetched
     * @throws IOException if a configuration cannot be read or contradicts the weights, or the thread is interrupted
     * @throws IllegalArgumentException if there is no such model, or it does not support the options
     */
    public static ZooModel<Image, Classifications> load(String model, LoadOptions options) throws IOException {
        return load(model, Image.class, options);
    }

    /**
     * Loads an image classifier.
     *
     * @param model a network, published weights, a model folder or file as text, or a repository of the hub
     * @param inputType the type of images: {@link Path}, {@link URL}, {@link InputStream}, {@link String} (a URL or a
     *     path), {@code byte[]}, {@link File}, {@link BufferedImage}, DJL's {@link Image} or {@link RgbImage}
     * @param options the weights, and how to use them
     * @param <I> the type of images
     * @return the model; close it to free its memory
     * @throws CheckpointException if the checkpoint is unreadable or does not fit
     * @throws FetchException if weights cannot be fetched
     * @throws IOException if a configuration cannot be read or contradicts the weights, or the thread is interrupted
     * @throws IllegalArgumentException if there is no such model, or it does not support the options
     */
    public static <I> ZooModel<I, Classifications> load(String model, Class<I> inputType, LoadOptions options)
            throws IOException {
        return load(ModelName.of(model), inputType, options);
    }

    /**
     * Loads an image classifier from a model folder.
     *
     * @param model a model folder, or a single file that carries its configuration
     * @param inputType the type of images; see {@link #load(String, Class, LoadOptions)}
     * @param options overrides of its configuration
     * @param <I> the type of images
     * @return the model; close it to free its memory
     * @throws CheckpointException if the checkpoint is unreadable or does not fit
     * @throws FetchException if weights cannot be fetched
     * @throws IOException if a configuration cannot be read or contradicts the weights, or the thread is interrupted
     * @throws IllegalArgumentException if there is no such model, or it does not support the options
     */
    public static <I> ZooModel<I, Classifications> load(Path model, Class<I> inputType, LoadOptions options)
            throws IOException {
        return load(new ModelName.Local(model), inputType, options);
    }

    /**
     * Loads an image classifier from a model folder with the folder's configuration.
     *
     * @param model a model folder, or a single file that carries its configuration
     * @return the model, for paths of images; close it to free its memory
     * @throws CheckpointException if the checkpoint is unreadable or does not fit
     * @throws FetchException if weights cannot be fetched
     * @throws IOException if a configuration cannot be read or contradicts the weights, or the thread is interrupted
     * @throws IllegalArgumentException if there is no such model, or it does not support the options
     */
    public static ZooModel<Path, Classifications> load(Path model) throws IOException {
        return load(model, Path.class, LoadOptions.published());
    }

    private static <I> ZooModel<I, Classifications> load(ModelName model, Class<I> inputType, LoadOptions options)
            throws IOException {
        // Validate before opening anything.
        requireClassifier(inputType, options);
        return load(open(model, options), inputType, options);
    }

    /**
     * Loads an open model as an image classifier.
     *
     * @param model the model
     * @param inputType the type of images; see {@link #load(String, Class, LoadOptions)}
     * @param options how to use it
     * @param <I> the type of images
     * @return the model; close it to free its memory
     * @throws CheckpointException if the checkpoint does not fit
     * @throws FetchException if published weights cannot be fetched
     * @throws IOException if the configuration contradicts the weights, or the thread is interrupted
     * @throws IllegalArgumentException if it does not support the options
     */
    public static <I> ZooModel<I, Classifications> load(OpenModel model, Class<I> inputType, LoadOptions options)
            throws IOException {
        requireClassifier(inputType, options);
        return model(model, options, network -> network, (djl, loaded) -> {
            ImageTranslator.Classifier<I> translator = classifier(loaded.config, inputType, options);
            return new LabeledModel<>(djl, translator, translator.labels());
        });
    }

    private static void requireClassifier(Class<?> inputType, LoadOptions options) {
        ImageReader.of(inputType, new ImageDecoder());
        requireImages(options);
    }

    /**
     * Loads a network for embeddings: it turns images into vectors, its pooled features, without the classifier.
     *
     * @param model a network, published weights, a model folder or file as text, or a repository of the hub
     * @param inputType the type of images; see {@link #load(String, Class, LoadOptions)}
     * @param options the weights, and how to use them; the number of classes must not be set
     * @param <I> the type of images
     * @return a model from an image to a vector of the network's number of features, 512 for {@code dla34}; close it to
     *     free its memory
     * @throws CheckpointException if the checkpoint is unreadable or does not fit
     * @throws FetchException if weights cannot be fetched
     * @throws IOException if a configuration cannot be read or contradicts the weights, or the thread is interrupted
     * @throws IllegalArgumentException if there is no such model, or it does not support the options
     */
    public static <I> ZooModel<I, float[]> loadEmbeddings(String model, Class<I> inputType, LoadOptions options)
            throws IOException {
        return loadEmbeddings(ModelName.of(model), inputType, options);
    }

    /**
     * Loads a network for embeddings from a model folder.
     *
     * @param model a model folder, or a single file that carries its configuration
     * @param inputType the type of images; see {@link #load(String, Class, LoadOptions)}
     * @param options how to use it; the number of classes must not be set
     * @param <I> the type of images
     * @return a model from an image to a vector of the network's number of features; close it to free its memory
     * @throws CheckpointException if the checkpoint is unreadable or does not fit
     * @throws FetchException if weights cannot be fetched
     * @throws IOException if a configuration cannot be read or contradicts the weights, or the thread is interrupted
     * @throws IllegalArgumentException if there is no such model, or it does not support the options
     */
    public static <I> ZooModel<I, float[]> loadEmbeddings(Path model, Class<I> inputType, LoadOptions options)
            throws IOException {
        return loadEmbeddings(new ModelName.Local(model), inputType, options);
    }

    private static <I> ZooModel<I, float[]> loadEmbeddings(ModelName model, Class<I> inputType, LoadOptions options)
            throws IOException {
        ImageReader.of(inputType, new ImageDecoder());
        return loadEmbeddings(open(model, withoutClassifier(options)), inputType, options);
    }

    /**
     * Loads an open model for embeddings.
     *
     * @param model the model
     * @param inputType the type of images; see {@link #load(String, Class, LoadOptions)}
     * @param options how to use it; the number of classes must not be set
     * @param <I> the type of images
     * @return a model from an image to a vector of the network's number of features; close it to free its memory
     * @throws CheckpointException if the checkpoint does not fit
     * @throws FetchException if published weights cannot be fetched
     * @throws IOException if the configuration contradicts the weights, or the thread is interrupted
     * @throws IllegalArgumentException if it does not support the options
     */
    public static <I> ZooModel<I, float[]> loadEmbeddings(OpenModel model, Class<I> inputType, LoadOptions options)
            throws IOException {
        ImageReader.of(inputType, new ImageDecoder());
        LoadOptions headless = withoutClassifier(options);
        return model(
                model,
                headless,
                network -> network,
                (djl, loaded) -> new GuardedModel<>(
                        djl,
                        new ImageTranslator.Embedder<>(
                                ImageReader.of(inputType, decoder(loaded.config, headless)),
                                preprocessing(loaded.config))));
    }

    /**
     * Runs a model on any number of images; see {@link #stream(ZooModel, Iterator, ImageSource, StreamOptions)}.
     *
     * @param model a classifier, or a model for embeddings
     * @param images the images
     * @param options the batch size and the number of threads
     * @param <I> the type of images
     * @param <O> the type of results
     * @return one result per image, in the order of the images; close it if it is not consumed to its end
     * @throws IllegalArgumentException if ConvZoo does not translate the model's input and output
     */
    public static <I, O> Stream<StreamResult<I, O>> stream(
            ZooModel<I, O> model, Iterator<? extends I> images, StreamOptions options) {
        return stream(model, images, image -> image, options);
    }

    /**
     * Runs a model on the images of any number of items. Images are decoded, resized, and computed in batches on all
     * cores; memory use does not depend on their number, because nothing is read far ahead of the consumer. An image
     * that cannot be read costs only its own result.
     *
     * <p>For the highest throughput on a CPU, compile the model ({@link LoadOptions#compiled()}), and set the system
     * property {@code ai.djl.pytorch.num_threads} to 1 before the first model is loaded, so that each core computes a
     * batch of its own.
     *
     * @param model a classifier, or a model for embeddings
     * @param items the items; called by one thread at a time
     * @param source gets the image of an item
     * @param options the batch size and the number of threads
     * @param <T> the type of items, for example names
     * @param <I> the type of images
     * @param <O> the type of results
     * @return one result per item, in the order of the items; close it if it is not consumed to its end. It throws an
     *     {@link IllegalStateException} if inference fails
     * @throws IllegalArgumentException if ConvZoo does not translate the model's input and output
     */
    public static <T, I, O> Stream<StreamResult<T, O>> stream(
            ZooModel<I, O> model,
            Iterator<? extends T> items,
            ImageSource<? super T, ? extends I> source,
            StreamOptions options) {
        ImageStream<T, I, O> results = ImageStream.of(model, items, source, options);
        return StreamSupport.stream(
                        Spliterators.spliteratorUnknownSize(results, Spliterator.ORDERED | Spliterator.NONNULL), false)
                .onClose(results::close);
    }

    /**
     * Loads a network for arrays.
     *
     * @param model a network, published weights, a model folder or file as text, or a repository of the hub
     * @param options the weights, and how to use them; labels and top-k are ignored
     * @return a model from one float32 array (N, channels, H, W) to logits (N, classes), or pooled features if the
     *     number of classes is 0; close it to free its memory
     * @throws CheckpointException if the checkpoint is unreadable or does not fit
     * @throws FetchException if weights cannot be fetched
     * @throws IOException if a configuration cannot be read or contradicts the weights, or the thread is interrupted
     * @throws IllegalArgumentException if there is no such model, or it does not support the options
     */
    public static ZooModel<NDList, NDList> loadLogits(String model, LoadOptions options) throws IOException {
        return loadLogits(open(model, options), options);
    }

    /**
     * Loads a network for arrays from a model folder.
     *
     * @param model a model folder, or a single file that carries its configuration
     * @param options how to use it; labels and top-k are ignored
     * @return a model from one float32 array (N, channels, H, W) to logits (N, classes); close it to free its memory
     * @throws CheckpointException if the checkpoint is unreadable or does not fit
     * @throws FetchException if weights cannot be fetched
     * @throws IOException if a configuration cannot be read or contradicts the weights, or the thread is interrupted
     * @throws IllegalArgumentException if there is no such model, or it does not support the options
     */
    public static ZooModel<NDList, NDList> loadLogits(Path model, LoadOptions options) throws IOException {
        return loadLogits(open(new ModelName.Local(model), options), options);
    }

    /**
     * Loads an open model for arrays.
     *
     * @param model the model
     * @param options how to use it; labels and top-k are ignored
     * @return a model from one float32 array (N, channels, H, W) to logits (N, classes); close it to free its memory
     * @throws CheckpointException if the checkpoint does not fit
     * @throws FetchException if published weights cannot be fetched
     * @throws IOException if the configuration contradicts the weights, or the thread is interrupted
     * @throws IllegalArgumentException if it does not support the options
     */
    public static ZooModel<NDList, NDList> loadLogits(OpenModel model, LoadOptions options) throws IOException {
        return model(model, options, network -> network, ConvZoo::arrays);
    }

    /**
     * Loads an image classifier that shows where an image has evidence for a class. If the model is compiled, so are
     * its class activation maps; Grad-CAM needs weights and always runs operation by operation.
     *
     * @param model a network, published weights, a model folder or file as text, or a repository of the hub
     * @param options the weights, and how to use them; top-k is ignored
     * @return the explainer; close it to free its memory
     * @throws CheckpointException if the checkpoint is unreadable or does not fit
     * @throws FetchException if weights cannot be fetched
     * @throws IOException if a configuration cannot be read or contradicts the weights, or the thread is interrupted
     * @throws IllegalArgumentException if there is no such model, or it does not support the options, or it is an
     *     exported file without class activation maps
     */
    public static Explainer loadExplainer(String model, LoadOptions options) throws IOException {
        requireImages(options);
        return Explainer.load(open(model, options).with(options), options);
    }

    /**
     * Loads an image classifier from a model folder that shows where an image has evidence for a class.
     *
     * @param model a model folder, or a single file that carries its configuration
     * @param options how to use it; top-k is ignored
     * @return the explainer; close it to free its memory
     * @throws CheckpointException if the checkpoint is unreadable or does not fit
     * @throws FetchException if weights cannot be fetched
     * @throws IOException if a configuration cannot be read or contradicts the weights, or the thread is interrupted
     * @throws IllegalArgumentException if there is no such model, or it does not support the options, or it is an
     *     exported file without class activation maps
     */
    public static Explainer loadExplainer(Path model, LoadOptions options) throws IOException {
        requireImages(options);
        return Explainer.load(open(new ModelName.Local(model), options).with(options), options);
    }

    /**
     * Loads an open model that shows where an image has evidence for a class.
     *
     * @param model the model
     * @param options how to use it; top-k is ignored
     * @return the explainer; close it to free its memory
     * @throws CheckpointException if the checkpoint does not fit
     * @throws FetchException if published weights cannot be fetched
     * @throws IOException if the configuration contradicts the weights, or the thread is interrupted
     * @throws IllegalArgumentException if it does not support the options, or it is an exported file without class
     *     activation maps
     */
    public static Explainer loadExplainer(OpenModel model, LoadOptions options) throws IOException {
        requireImages(options);
        return Explainer.load(model.with(options), options);
    }

    /**
     * Loads a network as a backbone, without its classifier.
     *
     * @param model a network, published weights, a model folder or file as text, or a repository of the hub
     * @param options the weights, and how to use them; labels and top-k are ignored
     * @param levels the levels of the feature maps, ascending; {@link Network#featureStages} lists the levels, and
     *     {@link FeatureExtractor} the default ones
     * @return a model from (N, channels, H, W) to a map (N, features, H / stride, W / stride) for each level; its block
     *     is a {@link FeatureExtractor}; close it to free its memory
     * @throws CheckpointException if the checkpoint is unreadable or does not fit
     * @throws FetchException if weights cannot be fetched
     * @throws IOException if a configuration cannot be read or contradicts the weights, or the thread is interrupted
     * @throws IllegalArgumentException if there is no such model, or it does not support the options
     */
    public static ZooModel<NDList, NDList> loadFeatures(String model, LoadOptions options, int... levels)
            throws IOException {
        return loadFeatures(ModelName.of(model), options, levels);
    }

    /**
     * Loads a network as a backbone from a model folder.
     *
     * @param model a model folder, or a single file that carries its configuration
     * @param options how to use it; labels and top-k are ignored
     * @param levels the levels of the feature maps; see {@link #loadFeatures(String, LoadOptions, int...)}
     * @return a model from (N, channels, H, W) to a map for each level; close it to free its memory
     * @throws CheckpointException if the checkpoint is unreadable or does not fit
     * @throws FetchException if weights cannot be fetched
     * @throws IOException if a configuration cannot be read or contradicts the weights, or the thread is interrupted
     * @throws IllegalArgumentException if there is no such model, or it does not support the options
     */
    public static ZooModel<NDList, NDList> loadFeatures(Path model, LoadOptions options, int... levels)
            throws IOException {
        return loadFeatures(new ModelName.Local(model), options, levels);
    }

    private static ZooModel<NDList, NDList> loadFeatures(ModelName model, LoadOptions options, int... levels)
            throws IOException {
        LoadOptions headless = withoutClassifier(options);
        return model(
                open(model, headless), headless, network -> new FeatureExtractor(network, levels), ConvZoo::arrays);
    }

    private static ZooModel<NDList, NDList> arrays(Model djl, Loaded loaded) {
        return new GuardedModel<>(djl, logits(loaded.network));
    }

    static LogitsTranslator logits(Network network) {
        return new LogitsTranslator(network.modelName(), network.options().inChannels());
    }

    static LoadOptions withoutClassifier(LoadOptions options) {
        if (options.numClasses.orElse(0) != 0) {
            throw new IllegalArgumentException("feature maps have no classes; do not set the number of classes ("
                    + options.numClasses.getAsInt() + ")");
        }
        return options.withNumClasses(0);
    }

    /**
     * Creates a network to train from scratch, with random weights from the engine's random number generator ({@code
     * Engine.setRandomSeed}).
     *
     * @param name a network
     * @param options how to use it; options about weights are ignored
     * @return a model from (N, channels, H, W) to logits (N, classes), or pooled features if the number of classes is
     *     0; close it to free its memory
     * @throws IllegalArgumentException if there is no such name, or it does not support the options
     */
    public static ZooModel<NDList, NDList> untrained(String name, LoadOptions options) {
        ModelName.Published published = ModelName.published(name);
        Variant variant = published.variant();
        ModelConfig config = ModelSource.untrained(published, options).config();
        Network network = variant.build(config.options());
        Model model = NativeLibrary.newModel(variant.modelName(), options.device);
        try {
            network.initialize(model.getNDManager(), DataType.FLOAT32, config.input());
            model.setBlock(network);
            return new GuardedModel<>(model, logits(network));
        } catch (RuntimeException e) {
            model.close();
            throw e;
        }
    }

    private static <I, O> ZooModel<I, O> model(
            OpenModel open,
            LoadOptions options,
            Function<Network, GraphBlock> block,
            BiFunction<Model, Loaded, ZooModel<I, O>> wrapper)
            throws IOException {
        ModelSource source = open.with(options);
        Model model = NativeLibrary.newModel(source.config().variant().modelName(), source.device(options));
        try {
            Loaded loaded = load(source, options, model.getNDManager());
            GraphBlock used = block.apply(loaded.network);
            requireWhole(used, loaded.network);
            prepare(used, loaded.config, options, model.getNDManager());
            model.setBlock(used);
            return wrapper.apply(model, loaded);
        } catch (IOException | RuntimeException e) {
            model.close();
            throw e;
        }
    }

    /**
     * A network with its weights.
     *
     * @param config its configuration, with the classes and input channels of the weights
     * @param classMaps the exported file in its place, with class activation maps; empty if it has weights, or the file
     *     has no maps
     */
    record Loaded(Network network, ModelConfig config, Optional<CompiledGraph> classMaps) {}

    /** Builds a network and loads its weights into the manager's arrays. */
    static Loaded load(ModelSource source, LoadOptions options, NDManager manager) throws IOException {
        if (source.weights() instanceof ModelSource.Weights.Exported exported) {
            return loadExported(source, exported, options, manager);
        }
        Variant variant = source.config().variant();
        StateDict stateDict = StateDict.of(source.read(options), variant, options.reading);
        source.requireDeclared(stateDict, options);
        ModelConfig config = source.configFor(stateDict, options);
        Preprocessing preprocessing = config.preprocessing();
        Network network = variant.build(config.options());
        stateDict.requireInput(variant, preprocessing.height(), preprocessing.width());
        LoadReport report = WeightLoader.load(
                        stateDict,
                        network,
                        manager,
                        config.input(),
                        options.training ? WeightLoader.Classifier.MAY_DIFFER : WeightLoader.Classifier.MUST_MATCH)
                .withRemarks(source.remarks());
        if (!options.training) {
            network.freezeParameters(true);
        }
        options.onLoaded.accept(report);
        return new Loaded(network, config, Optional.empty());
    }

    /** Logs guesses as warnings, and the rest of the report if it has any notes. */
    static void log(LoadReport report) {
        if (!report.notes().isEmpty() || !report.remarks().isEmpty()) {
            report.lines().forEach(LOGGER::info);
        }
        report.guesses().forEach(LOGGER::warn);
    }

    /** Loads an exported file as a network without parameters that the file's runtime runs. */
    private static Loaded loadExported(
            ModelSource source, ModelSource.Weights.Exported exported, LoadOptions options, NDManager manager)
            throws IOException {
        ModelConfig config = source.config();
        ExportedFile file = exported.file();
        requireRunnable(config, exported, options);
        Network network = config.variant().build(config.options());
        ModelCompiler.Opened opened =
                ModelCompiler.find().open(file, exported.declared(), config.input(), manager.getDevice());
        manager.attachInternal(UUID.randomUUID().toString(), opened.graph());
        network.useOnlyCompiled(opened.graph());
        LoadReport report = new LoadReport(
                file.path(), "", config.variant().modelName(), List.of(), List.of(), List.of(), source.remarks());
        options.onLoaded.accept(report.withRemarks(opened.remarks()));
        return new Loaded(network, config, opened.classMaps());
    }

    /** Refuses options that an exported file does not support, before anything is loaded. */
    private static void requireRunnable(
            ModelConfig config, ModelSource.Weights.Exported exported, LoadOptions options) {
        ExportedFile file = exported.file();
        String runOnly = file.path() + ": this is an exported graph, which can only be run; ";
        String weights = "add " + ModelFolder.WEIGHTS + ", or load the model that it was exported from";
        if (options.training) {
            throw new IllegalArgumentException(runOnly + "training needs weights; " + weights);
        }
        if (!exported.declared().options().equals(config.options())) {
            throw new IllegalArgumentException(
                    runOnly + "its classes, channels, features, and other network options are fixed; " + weights);
        }
        boolean onnx = file.format() == ExportedFile.Format.ONNX;
        if (onnx && options.device != null && !options.device.equals(Device.cpu())) {
            throw new IllegalArgumentException(
                    file.path() + ": ONNX Runtime runs this file on the CPU; omit the device " + options.device
                            + ", or export to TorchScript");
        }
        if (options.precision != CompiledPrecision.FLOAT32) {
            throw new IllegalArgumentException(file.path() + ": the precision was fixed by the export; omit "
                    + options.precision + ", or export again");
        }
        CompiledRuntime fits = onnx ? CompiledRuntime.ONNX : CompiledRuntime.TORCHSCRIPT;
        CompiledRuntime asked = options.compiled.orElse(CompiledRuntime.FASTEST);
        if (asked != CompiledRuntime.FASTEST && asked != fits) {
            throw new IllegalArgumentException(file.path() + ": this file is for the runtime " + fits + "; omit "
                    + asked + ", or export to its format");
        }
    }

    /** Refuses feature maps of a network that has no parameters. */
    static void requireWhole(GraphBlock block, Network network) {
        if (block != network && network.isOnlyCompiled()) {
            throw new IllegalArgumentException(
                    "an exported graph has no feature maps; load " + network.modelName() + "'s weights instead");
        }
    }

    /** Optimizes a block for prediction, unless it is for training. */
    static void prepare(GraphBlock block, ModelConfig config, LoadOptions options, NDManager manager)
            throws IOException {
        if (block instanceof Network network && network.isOnlyCompiled()) {
            return;
        }
        requirePrecision(options);
        if (options.compiled.isEmpty()) {
            if (!options.training) {
                block.foldNorms();
            }
            return;
        }
        if (options.training) {
            throw new IllegalArgumentException("a compiled model cannot be trained; load it without compiled()");
        }
        if (!(block instanceof Network network)) {
            throw new IllegalArgumentException("feature maps cannot be compiled; load them without compiled()");
        }
        CompileRequest request = new CompileRequest(options.compiled.get(), options.precision, manager.getDevice());
        network.useCompiled(compiled(network, config, request, options, manager));
    }

    /** Compiles a network; the manager closes the compiled form. */
    static CompiledGraph compiled(
            Network network, ModelConfig config, CompileRequest request, LoadOptions options, NDManager manager)
            throws IOException {
        Path cache = ModelCompiler.cache(options.store());
        // Compiled forms are as dangerous as native code.
        FileStore.createFolder(cache);
        CompiledGraph compiled = ModelCompiler.find().compile(network, config, request, cache);
        manager.attachInternal(UUID.randomUUID().toString(), compiled);
        return compiled;
    }

    static void requirePrecision(LoadOptions options) {
        if (options.precision != CompiledPrecision.FLOAT32 && options.compiled.isEmpty()) {
            throw new IllegalArgumentException(options.precision + " needs a compiled model; also call compiled()");
        }
    }

    static <I> ImageTranslator.Classifier<I> classifier(ModelConfig config, Class<I> inputType, LoadOptions options) {
        requireImages(options);
        return new ImageTranslator.Classifier<>(
                ImageReader.of(inputType, decoder(config, options)),
                preprocessing(config),
                labels(config, options),
                options.topK);
    }

    /** A name for each class. */
    static Labels labels(ModelConfig config, LoadOptions options) {
        int classes = config.options().numClasses();
        if (classes == 0) {
            throw noClassifier();
        }
        Labels labels =
                options.labels == null ? config.labels().orElseGet(() -> Labels.usual(classes)) : options.labels;
        if (labels.size() != classes) {
            throw new IllegalArgumentException(
                    (labels.size() == 1 ? "there is 1 label" : "there are " + labels.size() + " labels")
                            + ", but the weights have " + classes + " classes; give one label per class");
        }
        return labels;
    }

    static ImageDecoder decoder(ModelConfig config, LoadOptions options) {
        return options.decoder.withOrientation(config.upright());
    }

    /** The preprocessing, if images have the network's number of channels. */
    static Preprocessing preprocessing(ModelConfig config) {
        int channels = config.options().inChannels();
        if (config.preprocessing().normalization().channels() != channels) {
            throw channelError(channels);
        }
        return config.preprocessing();
    }

    /** Refuses options that an image classifier does not support, before anything is loaded. */
    static void requireImages(LoadOptions options) {
        int channels = options.inChannels.orElse(RGB);
        if (channels != RGB && channels != GRAY) {
            throw channelError(channels);
        }
        if (options.numClasses.orElse(1) == 0) {
            throw noClassifier();
        }
    }

    private static IllegalArgumentException noClassifier() {
        return new IllegalArgumentException(
                "a classifier needs at least 1 class, not 0; use ConvZoo.loadEmbeddings or convzoo embed for feature vectors");
    }

    private static IllegalArgumentException channelError(int channels) {
        return new IllegalArgumentException("images have 3 channels, or 1 if grayscale, but the network takes "
                + channels + "; use loadLogits and pass arrays");
    }
}
