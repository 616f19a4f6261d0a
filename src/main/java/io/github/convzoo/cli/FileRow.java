package io.github.convzoo.cli;

import io.github.convzoo.hub.StoredFile;
import io.github.convzoo.runtime.CompiledCache;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A weights file, as it appears in JSON. */
record FileRow(
        String weights, String path, long size, String state, @Nullable String sha256, @Nullable String expected) {

    static List<FileRow> of(List<StoredFile> files) {
        return files.stream()
                .map(file -> new FileRow(
                        file.name(), file.path().toString(), file.size(), state(file), file.sha256(), file.expected()))
                .toList();
    }

    /** Rows for the files and for compiled models, which have no published hash. */
    static List<FileRow> of(List<StoredFile> files, List<CompiledCache.Entry> compiled) {
        return Stream.concat(
                        of(files).stream(),
                        compiled.stream()
                                .map(entry -> new FileRow(
                                        entry.name(),
                                        entry.path().toString(),
                                        entry.size(),
                                        entry.complete() ? "compiled" : "partial",
                                        null,
                                        null)))
                .toList();
    }

    static String state(StoredFile file) {
        return file.state().name().toLowerCase(Locale.ROOT);
    }

    static String bytes(long size) {
        return String.format(Locale.ROOT, "%,d", size);
    }
}
