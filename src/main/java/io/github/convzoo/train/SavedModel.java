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
 * The network whose weights a run saves, and what using them takes. With a configuration, every folder of weights is a model
 * folder, which all commands and {@code ConvZoo.load} take.
 *
 * @param network the learner's network, or the one that it is a part of; initialized
 * @param config what using the weights takes; empty to save weights alone, as for a network that ConvZoo does not know
 */
public record SavedModel(Block network, Optional<ModelConfig> config) {

    /**
     * A network that ConvZoo does not know: only its weights are saved.
     *
     * @param network the network, initialized
     * @return the model
     */
    public static SavedModel ofWeights(Block network) {
        return new SavedModel(network, Optional.empty());
    }

    /**
     * A network of ConvZoo with everything that using it takes.
     *
     * @param network the network, initialized
     * @param config its configuration
     * @return the model
     */
    public static SavedModel of(Block network, ModelConfig config) {
        return new SavedModel(network, Optional.of(config));
    }

    /** Refuses a configuration whose labels are not the classes of the data. */
    void requireLabels(List<String> classes) {
        config.flatMap(ModelConfig::labels).ifPresent(labels -> {
            if (!labels.names().equals(classes)) {
                throw new IllegalArgumentException("the configuration's labels " + labels.names()
                        + " are not the classes of the training data, " + classes + "; use those");
            }
        });
        config.ifPresent(says -> {
            if (says.options().numClasses() < classes.size()) {
                throw new IllegalArgumentException("the configuration has "
                        + says.options().numClasses() + " classes, and the training data " + classes.size()
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
     * Writes the weights as they are now, with the configuration in the file if there is one.
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
