package io.github.convzoo.runtime;

import io.github.convzoo.export.ExportOptions;
import io.github.convzoo.weights.ModelFolder;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * The compiled models of {@link CachingCompiler}, one folder each. Removing one costs only the time to compile it
 * again.
 *
 * @param directory the folder of their folders, which may not exist yet
 */
public record CompiledCache(Path directory) {

    /** No export takes longer, so an incomplete model of this age was left behind by a killed process. */
    private static final Duration LEFT_OVER = Duration.ofHours(1);

    /**
     * A compiled model.
     *
     * @param name the network's name and a hash of everything that the compiled form depends on
     * @param path its folder
     * @param size the length of all its files in bytes
     * @param complete whether it is usable; if not, it is being compiled, or its process ended before it was complete
     */
    public record Entry(String name, Path path, long size, boolean complete) {}

    /**
     * Lists the compiled models.
     *
     * @return the models by name
     * @throws IOException if the cache cannot be read
     */
    public List<Entry> list() throws IOException {
        List<Entry> entries = new ArrayList<>();
        if (Files.isDirectory(directory)) {
            try (DirectoryStream<Path> folders = Files.newDirectoryStream(directory, path -> Files.isDirectory(path))) {
                for (Path folder : folders) {
                    entries.add(entry(folder));
                }
            }
        }
        entries.sort(Comparator.comparing(Entry::name));
        return entries;
    }

    private static Entry entry(Path folder) throws IOException {
        long size = 0;
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                size += Files.size(file);
            }
        }
        boolean complete = Arrays.stream(ExportOptions.Format.values())
                .anyMatch(format -> Files.isRegularFile(folder.resolve(format.file())));
        return new Entry(String.valueOf(folder.getFileName()), folder, size, complete);
    }

    /**
     * Removes incomplete models that have not changed for an hour.
     *
     * @param all whether to remove every model
     * @return what was removed
     * @throws IOException if the cache cannot be read, or a file cannot be removed
     */
    public List<Entry> prune(boolean all) throws IOException {
        Instant old = Instant.now().minus(LEFT_OVER);
        List<Entry> removed = new ArrayList<>();
        for (Entry entry : list()) {
            boolean leftOver = !entry.complete()
                    && Files.getLastModifiedTime(entry.path()).toInstant().isBefore(old);
            if (all || leftOver) {
                ModelFolder.delete(entry.path());
                removed.add(entry);
            }
        }
        return removed;
    }
}
