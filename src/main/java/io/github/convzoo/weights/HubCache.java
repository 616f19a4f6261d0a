package io.github.convzoo.weights;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * The cache of Hugging Face's own tools, which is read and never changed: a directory a repository, in it {@code
 * snapshots/COMMIT/FILE}, links to {@code blobs/SHA256}, and {@code refs/main} with the commit that main stood at.
 */
final class HubCache {

    private final Path directory;

    HubCache(Path directory) {
        this.directory = directory;
    }

    /** Where a repository's snapshots stand. */
    Path snapshots(String repository) {
        return directory.resolve("models--" + repository.replace("/", "--")).resolve("snapshots");
    }

    /** A file of a repository as each snapshot has it, main's first, then the newest. */
    List<Path> find(String repository, String fileName) throws IOException {
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
        Path main = snapshots.resolveSibling("refs").resolve("main");
        String commit = Files.isRegularFile(main)
                ? Files.readString(main, StandardCharsets.ISO_8859_1).strip()
                : "";
        Path preferred = snapshots.resolve(commit.matches("\\w+") ? commit : "");
        found.sort(Comparator.comparing((Path file) -> !file.startsWith(preferred))
                .thenComparing(file -> -file.toFile().lastModified()));
        return found;
    }
}
