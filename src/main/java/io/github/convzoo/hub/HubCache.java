package io.github.convzoo.hub;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The cache of Hugging Face's own tools, which is only read: one directory per repository, with {@code
 * snapshots/COMMIT/FILE}, links to {@code blobs/SHA256}, and {@code refs/main} with the commit of main.
 */
final class HubCache {

    private static final int MAX_REFERENCE_BYTES = 1024;

    private final Path directory;

    HubCache(Path directory) {
        this.directory = directory;
    }

    /** The directory of a repository's snapshots. */
    Path snapshots(String repository) {
        return directory.resolve("models--" + repository.replace("/", "--")).resolve("snapshots");
    }

    /** The commit of a branch or tag of a repository when Hugging Face's tools last queried it. */
    Optional<String> commit(String repository, String revision) throws IOException {
        Path reference = snapshots(repository).resolveSibling("refs").resolve(revision);
        if (!Files.isRegularFile(reference) || Files.size(reference) > MAX_REFERENCE_BYTES) {
            return Optional.empty();
        }
        String commit = Files.readString(reference, StandardCharsets.ISO_8859_1).strip();
        return commit.matches("\\w+") ? Optional.of(commit) : Optional.empty();
    }

    /**
     * Finds a file of a repository: for main, in every snapshot, main's own first, then the newest; for another
     * revision, in its own snapshot.
     */
    List<Path> find(String repository, String revision, String fileName) throws IOException {
        Path snapshots = snapshots(repository);
        List<Path> found = new ArrayList<>();
        if (!Files.isDirectory(snapshots)) {
            return found;
        }
        try (Stream<Path> commits = Files.list(snapshots)) {
            commits.map(commit -> commit.resolve(fileName))
                    .filter(Files::isRegularFile)
                    .forEach(found::add);
        }
        Path preferred = snapshots.resolve(commit(repository, revision).orElse(revision));
        if (!revision.equals("main")) {
            found.removeIf(file -> !file.startsWith(preferred));
            return found;
        }
        found.sort(Comparator.comparing((Path file) -> !file.startsWith(preferred))
                .thenComparing(file -> -file.toFile().lastModified()));
        return found;
    }
}
