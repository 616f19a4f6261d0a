package io.github.convzoo.train;

import ai.djl.nn.Block;
import io.github.convzoo.weights.ModelConfig;
import io.github.convzoo.weights.ModelFolder;
import io.github.convzoo.weights.WeightSaver;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The network whose weights a run saves, and its configuration. With a configuration, every folder of weights is a
 * model folder, which all commands and {@code ConvZoo.load} accept.
 *
 * @param network the learner's network, or one that contains it; initialized
 * @param config the configuration for using the weights; empty to save only weights, for a network that is not
 *     ConvZoo's
 */
public record SavedModel(Block network, Optional<ModelConfig> config) {

    /**
     * {@return the model of a network that is not ConvZoo's: only its weights are saved}
     *
     * @param network the network, initialized
     */
    public static SavedModel ofWeights(Block network) {
        return new SavedModel(network, Optional.empty());
    }

    /**
     * {@return the model of a ConvZoo network with its configuration}
     *
     * @param network the network, initialized
     * @param config its configuration
     */
    public static SavedModel of(Block network, ModelConfig config) {
        return new SavedModel(network, Optional.of(config));
    }

    /** Refuses a configuration whose labels differ from the data's classes. */
    void requireLabels(List<String> classes) {
        config.flatMap(ModelConfig::labels).ifPresent(labels -> {
            if (!labels.names().equals(classes)) {
                throw new IllegalArgumentException("the labels of the configuration, " + labels.names()
                        + ", differ from the classes of the training data, " + classes + "; use the data's");
            }
        });
        config.ifPresent(says -> {
            if (says.options().numClasses() < classes.size()) {
                throw new IllegalArgumentException("the configuration has "
                        + says.options().numClasses() + " classes, but the training data has " + classes.size()
                        + "; use the data's");
            }
        });
    }

    /** Writes a folder's configuration, if there is one. */
    void writeConfig(Path folder) throws IOException {
        if (config.isPresent()) {
            ModelFolder.writeConfig(folder, config.get());
        }
    }

    /**
     * Writes the current weights, with the configuration in the file if there is one.
     *
     * @param file a safetensors file, replaced if it exists
     * @throws IOException if it cannot be written
     */
    public void writeTo(Path file) throws IOException {
        if (config.isPresent()) {
            WeightSaver.save(file, network, config.get());
        } else {
            WeightSaver.save(file, network);
        }
    }
}
