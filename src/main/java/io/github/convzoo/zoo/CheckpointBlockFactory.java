package io.github.convzoo.zoo;

import ai.djl.Model;
import ai.djl.nn.Block;
import ai.djl.nn.BlockFactory;
import io.github.convzoo.network.FeatureExtractor;
import io.github.convzoo.nn.GraphBlock;
import io.github.convzoo.weights.ModelFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Builds a network and loads the weights in DJL's model path, in any supported format, or the published weights if
 * there are none. This makes {@code Criteria.optModelPath} and model directories of DJL Serving work.
 *
 * <p>Name this class in DJL's argument {@code blockFactory}, together with the option {@code hasParameter=false} and
 * {@link ClassifierTranslatorFactory}. Nothing else is needed if the model path is a {@linkplain ModelFolder model
 * folder}, or if its only weights file contains its configuration. Otherwise, the argument {@code model} is the
 * network's name, and {@code weights} the checkpoint. {@code weights} is optional if the model path is the file or a
 * directory with only one; it is required with a custom model name, and for a {@code .tar}, which DJL takes for an
 * archive of models. The arguments {@code numClasses}, {@code inChannels}, {@code inputSize}, {@code testTimePool},
 * {@code lastActivation}, {@code ignoreOrientation}, {@code featuresOnly} and {@code forTraining} are optional and
 * override the configuration.
 */
public final class CheckpointBlockFactory implements BlockFactory {

    private static final long serialVersionUID = 1L;

    /** The property of a DJL model that holds its configuration, for the translator. */
    static final String CONFIG = "convzoo.config";

    /** For DJL to call. */
    public CheckpointBlockFactory() {}

    /**
     * Builds a network and loads its weights.
     *
     * @throws IOException if there is no checkpoint, or it is unreadable or does not fit
     * @throws IllegalArgumentException if an argument is unknown or invalid
     */
    @Override
    public Block newBlock(Model model, Path modelPath, Map<String, ?> arguments) throws IOException {
        Arguments given = new Arguments(arguments);
        given.refuseUnknown(modelPath);
        int[] levels = given.featureLevels();
        LoadOptions options = forLevels(given.options(modelPath), levels);
        Object text = arguments.get(Arguments.MODEL);
        @Nullable ModelName name = text == null ? null : ModelName.of(text.toString());
        if (options.weights == null) {
            Optional<Path> weights = weights(modelPath, model.getName());
            if (weights.isPresent()) {
                options = options.withWeights(weights.get());
            }
        }
        if (options.weights == null && name == null) {
            throw new IllegalArgumentException("the argument " + Arguments.MODEL
                    + " must be the network's name, because " + modelPath + " is not a model folder; choose from "
                    + String.join(", ", ConvZoo.list("*")));
        }
        ModelSource source = ModelSource.of(name, options);
        if (source.weights() == null) {
            throw new IOException(modelPath + ": no checkpoint found; name one in the argument "
                    + Arguments.Key.WEIGHTS.text + ", because there are no published weights for " + name);
        }
        return block(model, source, options, levels);
    }

    /** Builds a network, or its feature extractor if levels are given, and loads the weights. */
    static Block block(Model model, ModelSource source, LoadOptions options, int @Nullable [] levels)
            throws IOException {
        ConvZoo.Loaded loaded = ConvZoo.load(source, options, model.getNDManager());
        model.setProperty(CONFIG, loaded.config().toJson());
        GraphBlock block = levels == null ? loaded.network() : new FeatureExtractor(loaded.network(), levels);
        ConvZoo.requireWhole(block, loaded.network());
        ConvZoo.prepare(block, loaded.config(), options, model.getNDManager());
        return block;
    }

    /** The options for feature maps, if levels are given. */
    static LoadOptions forLevels(LoadOptions options, int @Nullable [] levels) {
        return levels == null ? options : ConvZoo.withoutClassifier(options);
    }

    // If the model path is a file, DJL passes the file's directory and names the model after the file.
    private static Optional<Path> weights(Path directory, String modelName) throws IOException {
        Path named = directory.resolve(modelName);
        if (Files.isRegularFile(named)) {
            return Optional.of(named);
        }
        if (Files.isRegularFile(directory.resolve(ModelFolder.CONFIG))) {
            return Optional.of(directory);
        }
        try {
            return ModelFolder.weights(directory);
        } catch (IOException e) {
            throw new IOException(e.getMessage() + "; or name one in the argument " + Arguments.Key.WEIGHTS.text, e);
        }
    }
}
