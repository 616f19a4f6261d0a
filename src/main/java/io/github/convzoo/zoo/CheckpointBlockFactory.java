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
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Builds a network and loads a checkpoint that lies in DJL's model path, in any format that is read, or the published
 * weights where none does: what makes {@code Criteria.optModelPath} and a model directory of DJL Serving work.
 *
 * <p>For DJL to name in the argument {@code blockFactory}, together with the option {@code hasParameter=false} and
 * {@link ClassifierTranslatorFactory}. The argument {@code model} is the network's name; {@code weights} the checkpoint's,
 * not needed where the model path is the file or a directory with only one, or with only one index of a sharded one, but
 * always beside a model name of one's own and for a {@code .tar}, which DJL takes for an archive of models; {@code numClasses}, {@code inChannels},
 * {@code inputSize}, {@code testTimePool}, {@code lastActivation}, {@code featuresOnly} and {@code forTraining} may be
 * there too.
 */
public final class CheckpointBlockFactory implements BlockFactory {

    private static final long serialVersionUID = 1L;

    private static final String INDEX = "*.safetensors.index.json";
    private static final String CHECKPOINTS = "*.{safetensors,pth,pt,tar,bin,npz,params,pdparams}";

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
        Optional<Path> file = options.weights == null ? checkpoint(modelPath, model.getName()) : Optional.empty();
        if (file.isPresent()) {
            options = options.withWeights(file.get());
        }
        if (options.weights == null && Name.of(name.toString()).row() == null) {
            throw new IOException(modelPath + ": holds no checkpoint; name one in the argument "
                    + Arguments.Key.WEIGHTS.text + ", for there are no published weights of " + name);
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
    private static Optional<Path> checkpoint(Path directory, String modelName) throws IOException {
        Path named = directory.resolve(modelName);
        if (Files.isRegularFile(named)) {
            return Optional.of(named);
        }
        List<Path> found = matching(directory, INDEX);
        if (found.isEmpty()) {
            found = matching(directory, CHECKPOINTS);
        }
        if (found.size() > 1) {
            throw new IOException(
                    directory + ": holds several checkpoints; name one in the argument " + Arguments.Key.WEIGHTS.text);
        }
        return found.stream().findFirst();
    }

    private static List<Path> matching(Path directory, String glob) throws IOException {
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, glob)) {
            for (Path each : files) {
                if (Files.isRegularFile(each)) {
                    found.add(each);
                }
            }
        }
        return found;
    }
}
