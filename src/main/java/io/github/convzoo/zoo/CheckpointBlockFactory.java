package io.github.convzoo.zoo;

import ai.djl.Model;
import ai.djl.nn.Block;
import ai.djl.nn.BlockFactory;
import io.github.convzoo.network.FeatureExtractor;
import io.github.convzoo.network.Network;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Builds a network and loads a checkpoint that lies in DJL's model path, in any format that is read: what makes
 * {@code Criteria.optModelPath} and a model directory of DJL Serving work.
 *
 * <p>For DJL to name in the argument {@code blockFactory}, together with the option {@code hasParameter=false} and
 * {@link ClassifierTranslatorFactory}. The argument {@code model} is the network's name; {@code weights} the checkpoint's,
 * not needed where the model path is the file or a directory with only one; {@code numClasses}, {@code inChannels},
 * {@code inputSize}, {@code testTimePool}, {@code lastActivation}, {@code featuresOnly} and {@code forTraining} may be
 * there too.
 */
public final class CheckpointBlockFactory implements BlockFactory {

    private static final long serialVersionUID = 1L;

    private static final String CHECKPOINTS =
            "*.{safetensors,safetensors.index.json,pth,pt,tar,bin,npz,params,pdparams}";

    /** For DJL to call. */
    public CheckpointBlockFactory() {}

    /**
     * Builds a network and loads its weights.
     *
     * @throws IOException if there is no checkpoint, or it is unreadable or does not fit
     * @throws IllegalArgumentException if an argument has no meaning
     */
    @Override
    public Block newBlock(Model model, Path modelPath, Map<String, ?> arguments) throws IOException {
        Object name = arguments.get(Arguments.MODEL);
        if (name == null) {
            throw new IllegalArgumentException("the argument " + Arguments.MODEL
                    + " must be the network's name; there are " + String.join(", ", ConvZoo.list("*")));
        }
        Arguments given = new Arguments(arguments);
        LoadOptions options = given.options(modelPath);
        if (options.weights == null) {
            options.weights = checkpoint(modelPath, model.getName());
        }
        return block(model, name.toString(), options, given.featureLevels());
    }

    /** Builds a network, or its feature maps where levels are given, with weights. */
    static Block block(Model model, String name, LoadOptions options, int @Nullable [] levels) throws IOException {
        if (levels == null) {
            return ConvZoo.network(name, options, model.getNDManager());
        }
        Network network = ConvZoo.network(name, ConvZoo.withoutClassifier(options), model.getNDManager());
        return new FeatureExtractor(network, levels);
    }

    // Where the model path is a file, DJL passes its directory on and names the model after the file.
    private static Path checkpoint(Path directory, String modelName) throws IOException {
        Path named = directory.resolve(modelName);
        if (Files.isRegularFile(named)) {
            return named;
        }
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, CHECKPOINTS)) {
            files.forEach(found::add);
        }
        if (found.size() != 1) {
            throw new IOException(directory + ": holds " + (found.isEmpty() ? "no checkpoint" : "several checkpoints")
                    + "; name one in the argument " + Arguments.Key.WEIGHTS.text);
        }
        return found.get(0);
    }
}
