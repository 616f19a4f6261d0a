package io.github.convzoo.spark;

import ai.djl.repository.zoo.ZooModel;
import io.github.convzoo.zoo.StagedModel;
import java.io.IOException;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The models of one JVM, each loaded once and shared by all tasks. A model stays when its last task ends, for the tasks
 * that follow, until another model is loaded. Thread-safe.
 *
 * @param <O> the type of results
 */
final class SharedModels<O> {

    /**
     * Loads a model.
     *
     * @param <O> the type of results
     */
    @FunctionalInterface
    interface Loader<O> {
        ZooModel<byte[], O> load(ShippedModel model) throws IOException;
    }

    private final Loader<O> loader;
    private final Map<ModelKey, Shared<O>> loaded = new HashMap<>();

    SharedModels(Loader<O> loader) {
        this.loader = loader;
    }

    /** A loaded model with the number of its users. */
    private static final class Shared<O> {

        private final ZooModel<byte[], O> model;
        private final StagedModel<byte[], O> stages;
        private int users;

        Shared(ZooModel<byte[], O> model) {
            this.model = model;
            this.stages = StagedModel.of(model);
        }
    }

    /** A model in use; close it once. */
    final class Lease implements AutoCloseable {

        private final Shared<O> shared;

        private Lease(Shared<O> shared) {
            this.shared = shared;
        }

        StagedModel<byte[], O> stages() {
            return shared.stages;
        }

        @Override
        public void close() {
            synchronized (SharedModels.this) {
                shared.users--;
            }
        }
    }

    /**
     * Returns a model, loading it if this JVM does not have it. Other threads that want it wait.
     *
     * @throws IOException if its files cannot be read
     */
    synchronized Lease lease(ShippedModel model) throws IOException {
        @Nullable Shared<O> shared = loaded.get(model.key());
        if (shared == null) {
            // Before loading, so that two models need not fit into memory.
            closeUnused();
            shared = new Shared<>(loader.load(model));
            loaded.put(model.key(), shared);
        }
        shared.users++;
        return new Lease(shared);
    }

    private void closeUnused() {
        Iterator<Shared<O>> all = loaded.values().iterator();
        while (all.hasNext()) {
            Shared<O> each = all.next();
            if (each.users == 0) {
                all.remove();
                each.stages.close();
                each.model.close();
            }
        }
    }
}
