package io.github.convzoo.hub;

import io.github.convzoo.checkpoint.ReplacedFile;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/** A partial download, next to the path of the complete file, with a record of its origin. */
final class PartialFile {

    static final String SUFFIX = ".part";

    private final Path file;
    private final Path path;
    private final Path record;

    PartialFile(Path file) {
        this.file = file;
        path = CacheRecord.sibling(file, SUFFIX);
        record = CacheRecord.beside(path);
    }

    Path path() {
        return path;
    }

    /** The number of bytes so far. */
    long size() throws IOException {
        CacheFile.requireOwn(path);
        return Files.exists(path) ? Files.size(path) : 0;
    }

    /** The origin of the bytes; empty if there are none, or it is unknown. */
    Optional<CacheRecord.Origin> origin() throws IOException {
        return size() == 0 ? Optional.empty() : CacheRecord.origin(record);
    }

    /** Starts over. Bytes are never next to the record of another file. */
    void begin(CacheRecord.Origin origin) throws IOException {
        delete();
        origin.write(record);
    }

    /** Opens the file to append to it. */
    FileChannel append() throws IOException {
        return CacheFile.open(path, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    /** Moves the complete file to its place, with its receipt. */
    void install(CacheRecord.Receipt receipt) throws IOException {
        try (FileChannel out = CacheFile.open(path, StandardOpenOption.WRITE)) {
            out.force(true);
        }
        // The receipt first: a receipt without its file is ignored, but a file without its receipt would have to be
        // hashed again, and could not be verified if only the hub knows its hash.
        receipt.write(CacheRecord.beside(file));
        ReplacedFile.move(path, file);
        Files.deleteIfExists(record);
    }

    void delete() throws IOException {
        Files.deleteIfExists(path);
        Files.deleteIfExists(record);
    }
}
