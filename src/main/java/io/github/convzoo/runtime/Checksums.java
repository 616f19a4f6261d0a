package io.github.convzoo.runtime;

import io.github.convzoo.checkpoint.ReplacedFile;
import io.github.convzoo.checkpoint.TextFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.zip.CRC32C;

/** The checksums of a compiled model's files, next to them: a runtime does not notice all damage. */
final class Checksums {

    private static final String NAME = "checksums";

    private static final int BUFFER = 1 << 20;

    private Checksums() {}

    /**
     * Records the checksums of a model.
     *
     * @param model the model's file; files whose names begin with its name belong to it
     */
    static void write(Path model) throws IOException {
        ReplacedFile.write(model.resolveSibling(NAME), text(model).getBytes(StandardCharsets.UTF_8));
    }

    /** Whether a model's files are those whose checksums were recorded. */
    static boolean match(Path model) throws IOException {
        Path recorded = model.resolveSibling(NAME);
        return Files.isRegularFile(recorded) && TextFile.read(recorded).equals(text(model));
    }

    private static String text(Path model) throws IOException {
        List<String> lines = new ArrayList<>();
        try (DirectoryStream<Path> files =
                Files.newDirectoryStream(model.resolveSibling(""), model.getFileName() + "*")) {
            for (Path file : files) {
                lines.add("%s %d %08x\n".formatted(file.getFileName(), Files.size(file), checksum(file)));
            }
        }
        Collections.sort(lines);
        return String.join("", lines);
    }

    private static long checksum(Path file) throws IOException {
        CRC32C checksum = new CRC32C();
        byte[] buffer = new byte[BUFFER];
        try (InputStream in = Files.newInputStream(file)) {
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                checksum.update(buffer, 0, count);
            }
        }
        return checksum.getValue();
    }
}
