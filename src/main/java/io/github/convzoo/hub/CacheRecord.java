package io.github.convzoo.hub;

import com.google.gson.Gson;
import com.google.gson.JsonParseException;
import io.github.convzoo.checkpoint.ReplacedFile;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Small JSON files that the cache stores next to its data. A record that is missing, damaged, or not a file is ignored.
 */
sealed interface CacheRecord {

    /** The suffix of records. */
    String SUFFIX = ".json";

    /** Longer files are not records of this class. */
    int MAX_BYTES = 1 << 16;

    /** The suffix of records while they are being written. */
    String TEMPORARY = ".tmp";

    /**
     * What is known of a complete file.
     *
     * @param sha256 its SHA-256, computed locally
     * @param expected its expected SHA-256, or the first digits; null if unknown
     * @param size its length in bytes
     * @param modified its modification time in seconds since 1970, because copies and archives often keep no finer
     *     resolution
     * @param source the source of the file
     */
    record Receipt(String sha256, @Nullable String expected, long size, long modified, String source)
            implements CacheRecord {

        static Receipt of(Path file, String sha256, @Nullable String expected, String source) throws IOException {
            return new Receipt(sha256, expected, Files.size(file), seconds(file), source);
        }

        /** Whether the file is unchanged, judging by length and time. */
        boolean covers(Path file) throws IOException {
            return Files.size(file) == size && seconds(file) == modified;
        }

        StoredFile file(String weights, Path path) {
            StoredFile.State state = expected == null ? StoredFile.State.UNVERIFIED : StoredFile.State.VERIFIED;
            return new StoredFile(weights, path, size, state, sha256, expected);
        }

        /** The required SHA-256 of the file: the expected one, or at least the previous one. */
        String required() {
            return expected == null ? sha256 : expected;
        }

        private static long seconds(Path file) throws IOException {
            return Files.getLastModifiedTime(file).to(TimeUnit.SECONDS);
        }
    }

    /**
     * The file that a partial download belongs to.
     *
     * @param source the requested URL
     * @param tag the entity tag of the response; null if it had none
     * @param sha256 the SHA-256 announced by the hub; null if none
     * @param size the complete file's length in bytes; null if unknown
     */
    record Origin(String source, @Nullable String tag, @Nullable String sha256, @Nullable Long size)
            implements CacheRecord {}

    /**
     * The commit of a branch or tag when the hub was last queried.
     *
     * @param commit the commit's hash
     * @param source the requested URL
     */
    record Reference(String commit, String source) implements CacheRecord {}

    /** Whether a file in the cache is a record, rather than a JSON file of a repository. */
    static boolean isRecord(Path path) {
        String name = String.valueOf(path.getFileName());
        return name.endsWith(SUFFIX) && !name.equals("config.json") && !name.endsWith(".index.json");
    }

    /** The path of a file's record. */
    static Path beside(Path file) {
        return sibling(file, SUFFIX);
    }

    static Path sibling(Path file, String suffix) {
        return file.resolveSibling(file.getFileName() + suffix);
    }

    static Optional<Receipt> receipt(Path record) throws IOException {
        return read(record, Receipt.class).filter(receipt -> receipt.sha256() != null && receipt.source() != null);
    }

    static Optional<Origin> origin(Path record) throws IOException {
        return read(record, Origin.class).filter(origin -> origin.source() != null);
    }

    static Optional<Reference> reference(Path record) throws IOException {
        return read(record, Reference.class)
                .filter(reference -> reference.commit() != null && reference.source() != null);
    }

    private static <T extends CacheRecord> Optional<T> read(Path record, Class<T> type) throws IOException {
        try {
            if (!Files.isRegularFile(record) || Files.size(record) > MAX_BYTES) {
                return Optional.empty();
            }
            return Optional.ofNullable(new Gson().fromJson(Files.readString(record), type));
        } catch (NoSuchFileException | CharacterCodingException | JsonParseException e) {
            return Optional.empty();
        }
    }

    /** Writes the record atomically. */
    default void write(Path record) throws IOException {
        ReplacedFile.write(record, (new Gson().toJson(this) + "\n").getBytes(StandardCharsets.UTF_8));
    }
}
