package io.github.convzoo.weights;

import ai.djl.util.Progress;
import io.github.convzoo.hub.FetchException;
import io.github.convzoo.hub.FileStore;
import io.github.convzoo.hub.RemoteFile;
import io.github.convzoo.hub.StoreSettings;
import io.github.convzoo.hub.StoredFile;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The published weights: those that the library bundles, and those that a {@link FileStore} finds or downloads. */
public final class WeightStore {

    private static final String HUB_FILE = "model.safetensors";

    private final FileStore files;

    /**
     * A store of weights on a store of files.
     *
     * @param files where downloaded files come from and are kept
     */
    public WeightStore(FileStore files) {
        this.files = files;
    }

    /**
     * A store with the given settings.
     *
     * @param settings where weights come from and where they are kept
     */
    public WeightStore(StoreSettings settings) {
        this(new FileStore(settings));
    }

    /**
     * A store with the process's environment for its settings.
     *
     * @return the store
     * @throws IllegalArgumentException if a variable of the environment has no meaning
     */
    public static WeightStore fromEnvironment() {
        return new WeightStore(FileStore.fromEnvironment());
    }

    /**
     * Where downloaded files come from and are kept.
     *
     * @return the store
     */
    public FileStore files() {
        return files;
    }

    /**
     * Looks for weights on this machine. The network is not touched.
     *
     * @param row which weights
     * @return the file; empty if there is none, or none that can be used
     * @throws IOException if the cache cannot be read
     */
    public Optional<StoredFile> find(Manifest.Row row) throws IOException {
        Manifest.@Nullable Bundled bundled = row.bundled();
        return bundled == null ? files.find(remote(row)) : Optional.of(BundledFile.of(row, bundled, files));
    }

    /**
     * Brings weights onto this machine, if they are not there.
     *
     * @param row which weights
     * @param progress as of {@link FileStore#fetch}
     * @return the file
     * @throws FetchException if no place has it; the message names each, and why
     * @throws InterruptedIOException if the thread was interrupted; what came so far stays for the next time
     * @throws IOException if bundled weights cannot be unpacked
     */
    public StoredFile fetch(Manifest.Row row, @Nullable Progress progress) throws IOException {
        Manifest.@Nullable Bundled bundled = row.bundled();
        return bundled == null ? files.fetch(remote(row), progress) : BundledFile.of(row, bundled, files);
    }

    private static RemoteFile remote(Manifest.Row row) {
        return new RemoteFile(row.name(), row.name(), row.hub(), "main", HUB_FILE, row.urls());
    }
}
