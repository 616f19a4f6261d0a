package io.github.convzoo.checkpoint;

import io.github.convzoo.message.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads small text files completely: configurations, properties, options. */
public final class TextFile {

    /** The maximum file size, in bytes. */
    static final int MAX_BYTES = 1 << 24;

    private TextFile() {}

    /**
     * Reads a file.
     *
     * @param file a regular file in UTF-8, at most 16 MiB long
     * @return its text
     * @throws IOException if it is not such a file, or cannot be read; the message names the file
     */
    public static String read(Path file) throws IOException {
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            // A pipe waits for its other end, and some devices are endless.
            throw new IOException(file + ": not a regular file; copy it into one");
        }
        byte[] bytes;
        try (InputStream in = Files.newInputStream(file)) {
            bytes = in.readNBytes(MAX_BYTES + 1);
        } catch (FileSystemException e) {
            throw new IOException(file + ": cannot be read (" + Reason.of(e) + "); check its permissions", e);
        }
        if (bytes.length > MAX_BYTES) {
            throw new IOException(file + ": more than 16 MiB, too large for this kind of file");
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new IOException(file + ": not UTF-8; save it as UTF-8", e);
        }
    }
}
