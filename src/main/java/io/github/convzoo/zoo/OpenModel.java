package io.github.convzoo.zoo;

import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.hub.FetchException;
import io.github.convzoo.weights.ModelConfig;
import java.io.IOException;
import java.util.Optional;

/**
 * A model opened by {@link ConvZoo#open}. Its configuration and weights are open, except for published weights, which
 * are downloaded on demand. It can be queried and loaded any number of times, with different options, without reading
 * files again.
 *
 * <p>The source of the weights is fixed: later options about it are ignored.
 */
public final class OpenModel {

    private final ModelSource found;

    OpenModel(ModelSource found) {
        this.found = found;
    }

    /**
     * {@return the model's configuration, with the options' changes}
     *
     * @param options how to use it
     * @throws IllegalArgumentException if it does not support the options
     */
    public ModelConfig config(LoadOptions options) {
        return with(options).config();
    }

    /**
     * {@return the configuration that the model declares in a model folder, in its weights file, in a hub repository,
     * or with bundled weights, with the options' changes; empty if it uses its network's default}
     *
     * @param options how to use it
     * @throws IllegalArgumentException if it does not support the options
     */
    public Optional<ModelConfig> declared(LoadOptions options) {
        boolean bundled = found.weights() instanceof ModelSource.Weights.Published published
                && published.row().bundled() != null;
        return found.declared() != null || bundled ? Optional.of(config(options)) : Optional.empty();
    }

    /**
     * {@return the checkpoint of the model's weights}
     *
     * @param options the source of published weights
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
