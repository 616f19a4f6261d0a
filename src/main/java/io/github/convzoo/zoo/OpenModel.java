package io.github.convzoo.zoo;

import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.hub.FetchException;
import io.github.convzoo.weights.ModelConfig;
import java.io.IOException;
import java.util.Optional;

/**
 * A model that {@link ConvZoo#open} found. Its configuration is read and its weights are open, except for published weights,
 * which are fetched when they are needed. Ask it and load it, any number of times and with different options, and no file is
 * read again.
 *
 * <p>Where weights come from is decided: what later options say of that plays no part.
 */
public final class OpenModel {

    private final ModelSource found;

    OpenModel(ModelSource found) {
        this.found = found;
    }

    /**
     * What using the model takes.
     *
     * @param options how to use it
     * @return the configuration, with the options' changes
     * @throws IllegalArgumentException if it does not have what the options ask for
     */
    public ModelConfig config(LoadOptions options) {
        return with(options).config();
    }

    /**
     * What the model says of its own use: a model folder, a file that carries its configuration, a repository of the hub, or
     * weights that the library bundles.
     *
     * @param options how to use it
     * @return its configuration, with the options' changes; empty if it is used as is usual for its network
     * @throws IllegalArgumentException if it does not have what the options ask for
     */
    public Optional<ModelConfig> declared(LoadOptions options) {
        boolean bundled = found.weights() instanceof ModelSource.Weights.Published published
                && published.row().bundled() != null;
        return found.declared() != null || bundled ? Optional.of(config(options)) : Optional.empty();
    }

    /**
     * The model's weights.
     *
     * @param options where published weights come from
     * @return the checkpoint
     * @throws FetchException if published weights cannot be fetched
     * @throws IOException if they cannot be read
     * @throws IllegalArgumentException if there are none
     */
    public Checkpoint checkpoint(LoadOptions options) throws IOException {
        return found.read(options);
    }

    ModelSource with(LoadOptions options) {
        return found.changed(options);
    }
}
