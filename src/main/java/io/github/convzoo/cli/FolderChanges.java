package io.github.convzoo.cli;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/** What a command has written to a folder since this was created. */
final class FolderChanges {

    /** A file's identity: replacing it changes its key, and rewriting it its time. */
    private record Version(Object key, Object time, long size) {}

    private final Path folder;
    private final Map<String, Version> before;

    FolderChanges(Path folder) throws IOException {
        this.folder = folder;
        before = versions(folder);
    }

    /** In words, such as "only run/model.onnx was written". */
    String inWords() throws IOException {
        List<String> written = versions(folder).entrySet().stream()
                .filter(each -> !each.getValue().equals(before.get(each.getKey())))
                .map(each -> folder.resolve(each.getKey()).toString())
                .toList();
        return switch (written.size()) {
            case 0 -> "nothing was written";
            case 1 -> "only " + written.get(0) + " was written";
            default -> "only these were written: " + String.join(", ", written);
        };
    }

    private static Map<String, Version> versions(Path folder) throws IOException {
        Map<String, Version> versions = new TreeMap<>();
        if (Files.isDirectory(folder)) {
            try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, Files::isRegularFile)) {
                for (Path file : files) {
                    BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
                    versions.put(
                            file.getFileName().toString(),
                            new Version(
                                    Objects.requireNonNullElse(attributes.fileKey(), ""),
                                    attributes.lastModifiedTime(),
                                    attributes.size()));
                }
            }
        }
        return versions;
    }
}
