package io.github.convzoo.weights;

import io.github.convzoo.hub.FileStore;
import io.github.convzoo.hub.Sha256;
import io.github.convzoo.hub.StoredFile;
import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;

/** Weights bundled with the library: used in place, or unpacked into the cache if the library is a jar. */
final class BundledFile {

    private BundledFile() {}

    /**
     * Finds the file, unpacking it if necessary.
     *
     * @param cache the cache to unpack to
     * @throws IOException if it cannot be written there
     */
    static StoredFile of(Manifest.Row row, Manifest.Bundled bundled, FileStore cache) throws IOException {
        URL url = Manifest.class.getResource(Manifest.resource(bundled.file()));
        if (url == null) {
            throw new IllegalStateException("the library's jar lacks " + bundled.file());
        }
        if (url.getProtocol().equals("file")) {
            try {
                return file(row, bundled, Path.of(url.toURI()));
            } catch (URISyntaxException e) {
                throw new IllegalStateException(e);
            }
        }
        Path unpacked = cache.directory().resolve(row.name()).resolve(bundled.file());
        if (!Files.isRegularFile(unpacked) || !Sha256.of(unpacked).equals(bundled.sha256())) {
            try (InputStream in = url.openStream()) {
                return cache.put(row.name(), bundled.file(), in.readAllBytes(), "the library's jar");
            }
        }
        return file(row, bundled, unpacked);
    }

    private static StoredFile file(Manifest.Row row, Manifest.Bundled bundled, Path path) throws IOException {
        return new StoredFile(
                row.name(), path, Files.size(path), StoredFile.State.VERIFIED, bundled.sha256(), bundled.sha256());
    }
}
