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

/** Small JSON files that the cache keeps beside its data. One that is missing, damaged, or not a file counts as none. */
sealed interface CacheRecord {

    /** What such files end in. */
    String SUFFIX = ".json";

    /** Longer ones are not ours. */
    int MAX_BYTES = 1 << 16;

    /** What they end in while they are written. */
    String TEMPORARY = ".tmp";

    /**
     * What is known of a whole file.
     *
     * @param sha256 its SHA-256, computed here
     * @param expected what that had to be, or its first digits; null where nobody said
     * @param size its length in bytes
     * @param modified its time of modification in seconds since 1970: copies and archives often keep no more
     * @param source where it came from
     */
    record Receipt(String sha256, @Nullable String expected, long size, long modified, String source)
            implements CacheRecord {

        static Receipt of(Path file, String sha256, @Nullable String expected, String source) throws IOException {
            return new Receipt(sha256, expected, Files.size(file), seconds(file), source);
        }

        /** Whether the file is still, by length and time, the one that was looked at. */
        boolean covers(Path file) throws IOException {
            return Files.size(file) == size && seconds(file) == modified;
        }

        StoredFile file(String weights, Path path) {
            StoredFile.State state = expected == null ? StoredFile.State.UNVERIFIED : StoredFile.State.VERIFIED;
            return new StoredFile(weights, path, size, state, sha256, expected);
        }

        /** What the file's SHA-256 has to be now: what it was, at least. */
        String required() {
            return expected == null ? sha256 : expected;
        }

        private static long seconds(Path file) throws IOException {
            return Files.getLastModifiedTime(file).to(TimeUnit.SECONDS);
        }
    }

    /**
     * What a partial file is a part of.
     *
     * @param source the URL asked for
     * @param tag the entity tag of the response that brought it; null where it had none
     * @param sha256 the SHA-256 that the hub promised; null where it did not
     * @param size the whole file's length in bytes; null where nobody said
     */
    record Origin(String source, @Nullable String tag, @Nullable String sha256, @Nullable Long size)
            implements CacheRecord {}

    /**
     * Which commit a branch or tag stood for when the hub was last asked.
     *
     * @param commit the commit's hash
     * @param source the URL asked for
     */
    record Reference(String commit, String source) implements CacheRecord {}

    /** Whether a file of the cache is a record, not one of the JSON files that repositories have. */
    static boolean isRecord(Path path) {
        String name = String.valueOf(path.getFileName());
        return name.endsWith(SUFFIX) && !name.equals("config.json") && !name.endsWith(".index.json");
    }

    /** The place of a file's record. */
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

    /** Writes the record so that its place never holds half of one. */
    default void write(Path record) throws IOException {
        ReplacedFile.write(record, (new Gson().toJson(this) + "\n").getBytes(StandardCharsets.UTF_8));
    }
}
