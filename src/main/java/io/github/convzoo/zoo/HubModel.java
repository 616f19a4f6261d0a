package io.github.convzoo.zoo;

import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.checkpoint.TextFile;
import io.github.convzoo.hub.FetchException;
import io.github.convzoo.hub.FileStore;
import io.github.convzoo.hub.RemoteFile;
import io.github.convzoo.hub.StoredFile;
import io.github.convzoo.weights.ModelConfig;
import io.github.convzoo.weights.ModelFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A model in a hub repository, at one commit. Its files are downloaded on demand.
 *
 * @param name the repository and revision
 * @param revision the commit
 * @param options where to keep files, how to report downloads, and how to read weights
 */
record HubModel(ModelName.Hub name, FileStore.Revision revision, LoadOptions options) {

    private static final Pattern PART = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]*[.](safetensors|bin)");

    static HubModel of(ModelName.Hub name, LoadOptions options) throws IOException {
        return new HubModel(name, options.store().files().resolve(name.repository(), name.revision()), options);
    }

    ModelConfig config() throws IOException {
        return ModelConfig.parse(TextFile.read(fetch(ModelFolder.CONFIG)), name + "/" + ModelFolder.CONFIG);
    }

    /** The weights; sharded weights are found through their index. */
    Checkpoint checkpoint() throws IOException {
        Path weights = weights();
        Checkpoint.Parts<IOException> parts = part -> fetch(checked(weights, part));
        return Checkpoint.read(weights, options.reading.limits(), parts);
    }

    /** Prefers files that are already cached, then safetensors, then PyTorch's files. */
    private Path weights() throws IOException {
        for (String file : ModelFolder.USUAL_WEIGHTS) {
            Optional<StoredFile> here = options.store().files().find(remote(file));
            if (here.isPresent()) {
                return here.get().path();
            }
        }
        for (String file : ModelFolder.USUAL_WEIGHTS) {
            try {
                return fetch(file);
            } catch (FetchException e) {
                if (!e.isMissing()) {
                    throw e;
                }
            }
        }
        throw new IOException(name + ": no weights at commit " + revision.commit() + " (none of "
                + String.join(", ", ModelFolder.USUAL_WEIGHTS) + "); choose another repository or revision");
    }

    /** Refuses names that could collide with the cache's own records of other files. */
    private static String checked(Path index, String part) throws CheckpointException {
        if (!PART.matcher(part).matches()) {
            throw new CheckpointException(
                    index,
                    -1,
                    null,
                    "lists " + part + " as a shard; in a repository, shards are .safetensors or .bin files",
                    null);
        }
        return part;
    }

    private Path fetch(String file) throws IOException {
        return options.store().files().fetch(remote(file), options.progress).path();
    }

    private RemoteFile remote(String file) {
        return RemoteFile.ofRepository(name.repository(), revision.commit(), file);
    }
}
