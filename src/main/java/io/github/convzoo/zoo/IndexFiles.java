package io.github.convzoo.zoo;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The files of an embedding index, named after its vectors. {@code vectors.npy} alone has {@code names.txt}, because
 * that pair of names is documented; every other index has its own, so that two can share a folder. Early
 * builds wrote {@code names.txt} for every index, so it may be the names of any index that does not record its own.
 *
 * @param vectors the {@code .npy} file
 * @param names the images' names
 * @param source the model that computed the vectors
 */
record IndexFiles(Path vectors, Path names, Path source) {

    private static final String SHARED = "names.txt";
    private static final String OWNER = "vectors";

    static IndexFiles of(Path vectors) {
        String file = String.valueOf(vectors.getFileName());
        String base = file.toLowerCase(Locale.ROOT).endsWith(".npy") ? file.substring(0, file.length() - 4) : file;
        return new IndexFiles(
                vectors,
                vectors.resolveSibling(base.equals(OWNER) ? SHARED : base + "." + SHARED),
                vectors.resolveSibling(base + ".json"));
    }

    /**
     * Returns the file with the images' names; empty if the index has none.
     *
     * @param recorded whether the index says which names it has
     * @throws IOException if it may be another index's
     */
    Optional<Path> findNames(boolean recorded) throws IOException {
        Path file = Files.exists(names) || recorded ? names : vectors.resolveSibling(SHARED);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        List<String> others = file.getFileName().toString().equals(SHARED) && !recorded ? others() : List.of();
        if (!others.isEmpty()) {
            throw new IOException("%s: may have the names of %s or of %s; write the indexes again, or pass the names"
                            .formatted(file, vectors.getFileName(), String.join(", ", others))
                    + " of this one (--names)");
        }
        return Optional.of(file);
    }

    /**
     * Refuses to replace names that are not this index's.
     *
     * @throws IOException if they are another index's or belong to none
     */
    void requireOwnNames() throws IOException {
        boolean recorded = recordsNames();
        if (!Files.exists(names)) {
            return;
        }
        if (!Files.exists(vectors)) {
            throw new IOException(
                    "%s: exists, but %s does not, so these may be other names; move or remove the file, or"
                                    .formatted(names, vectors.getFileName())
                            + " name the vectors differently");
        }
        List<String> others = names.getFileName().toString().equals(SHARED) && !recorded ? others() : List.of();
        if (!others.isEmpty()) {
            throw new IOException(
                    "%s: may have the names of %s; move or remove the file, or write the vectors to another folder"
                            .formatted(names, String.join(", ", others)));
        }
    }

    /** Whether the index says which names it has. */
    private boolean recordsNames() throws IOException {
        return SourceFile.read(source).flatMap(SourceFile.Content::namesSha256).isPresent();
    }

    /** The other indexes in the folder that may have names in the shared file. */
    private List<String> others() throws IOException {
        List<String> others = new ArrayList<>();
        Path folder = vectors.toAbsolutePath().getParent();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "*.npy")) {
            for (Path file : files) {
                IndexFiles other = of(file);
                if (!file.getFileName().equals(vectors.getFileName()) && other.mayUseShared()) {
                    others.add(String.valueOf(file.getFileName()));
                }
            }
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        others.sort(null);
        return others;
    }

    private boolean mayUseShared() {
        if (names.getFileName().toString().equals(SHARED)) {
            return true;
        }
        try {
            return !Files.exists(names) && Files.exists(source) && !recordsNames();
        } catch (IOException e) {
            // Not the description of an index, but of something else.
            return false;
        }
    }
}
