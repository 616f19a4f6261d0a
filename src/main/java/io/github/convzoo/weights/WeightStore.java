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

/** The published weights: those bundled with the library, and those that a {@link FileStore} finds or downloads. */
public final class WeightStore {

    private static final String HUB_FILE = "model.safetensors";

    private final FileStore files;

    /**
     * Creates a store of weights on top of a store of files.
     *
     * @param files the source and cache of downloaded files
     */
    public WeightStore(FileStore files) {
        this.files = files;
    }

    /**
     * Creates a store with the given settings.
     *
     * @param settings the sources of weights and the cache
     */
    public WeightStore(StoreSettings settings) {
        this(new FileStore(settings));
    }

    /**
     * {@return a new store with settings from the process's environment}
     *
     * @throws IllegalArgumentException if an environment variable is invalid
     */
    public static WeightStore fromEnvironment() {
        return new WeightStore(FileStore.fromEnvironment());
    }

    /** {@return the source and cache of downloaded files} */
    public FileStore files() {
        return files;
    }

    /**
     * Looks for weights on this machine, without network access.
     *
     * @param row the weights
     * @return the file; empty if there is no usable file
     * @throws IOException if the cache cannot be read
     */
    public Optional<StoredFile> find(Manifest.Row row) throws IOException {
        Manifest.@Nullable Bundled bundled = row.bundled();
        return bundled == null ? files.find(remote(row)) : Optional.of(BundledFile.of(row, bundled, files));
    }

    /**
     * {@return the file of the weights, downloaded if necessary}
     *
     * @param row the weights
     * @param progress as in {@link FileStore#fetch}
     * @throws FetchException if no place has them; the message names each place and the reason
     * @throws InterruptedIOException if the thread was interrupted; the partial download is kept
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
