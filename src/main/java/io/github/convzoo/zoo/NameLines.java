package io.github.convzoo.zoo;

import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.checkpoint.ReplacedFile;
import io.github.convzoo.message.Reason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** A file with one name per line, in UTF-8, kept as bytes: a million names take little more than the file. */
final class NameLines {

    private static final int PIECE = 1 << 16;

    private final byte[] text;

    /** Where each name starts, and where one more would. */
    private final int[] starts;

    private NameLines(byte[] text, int[] starts) {
        this.text = text;
        this.starts = starts;
    }

    static NameLines read(Path file) throws IOException {
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            throw new IOException(file + ": not a regular file; pass a file with one name per line");
        }
        byte[] text;
        try {
            if (Files.size(file) > Integer.MAX_VALUE - PIECE) {
                throw new IOException(file + ": more than 2 GiB, too large for names");
            }
            text = Files.readAllBytes(file);
        } catch (FileSystemException e) {
            throw new IOException(
                    e instanceof NoSuchFileException
                            ? file + ": no such file; check the path"
                            : file + ": cannot be read (" + Reason.of(e) + "); check the path",
                    e);
        }
        requireUtf8(file, text);
        int count = 0;
        for (byte each : text) {
            count += each == '\n' ? 1 : 0;
        }
        boolean unfinished = text.length > 0 && text[text.length - 1] != '\n';
        int[] starts = new int[count + (unfinished ? 2 : 1)];
        int line = 1;
        for (int i = 0; i < text.length; i++) {
            if (text[i] == '\n') {
                starts[line++] = i + 1;
            }
        }
        if (unfinished) {
            starts[line] = text.length + 1;
        }
        return new NameLines(text, starts);
    }

    private static void requireUtf8(Path file, byte[] text) throws IOException {
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
        ByteBuffer bytes = ByteBuffer.wrap(text);
        CharBuffer characters = CharBuffer.allocate(PIECE);
        CoderResult result;
        do {
            characters.clear();
            result = decoder.decode(bytes, characters, true);
            if (result.isError()) {
                throw new IOException(file + ": not UTF-8 (at byte " + bytes.position() + "); save it as UTF-8");
            }
        } while (result.isOverflow());
    }

    int count() {
        return starts.length - 1;
    }

    String get(int line) {
        int end = starts[line + 1] - 1;
        if (end > starts[line] && text[end - 1] == '\r') {
            end--;
        }
        return new String(text, starts[line], end - starts[line], StandardCharsets.UTF_8);
    }

    /** The SHA-256 of the file's bytes, in hexadecimal. */
    String sha256() {
        return HexFormat.of().formatHex(newDigest().digest(text));
    }

    private static MessageDigest newDigest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** Refuses a name that would become several lines, or that cannot be written. */
    static void requireOneLine(String name) {
        if (name.indexOf('\n') >= 0 || name.indexOf('\r') >= 0) {
            throw new IllegalArgumentException("the name "
                    + name.replace("\n", "\\n").replace("\r", "\\r")
                    + " has a line break, but names are written one per line; rename the file");
        }
        if (!StandardCharsets.UTF_8.newEncoder().canEncode(name)) {
            throw new IllegalArgumentException("the name " + name + " cannot be written as UTF-8; rename the file");
        }
    }

    /** Writes a file of names under a temporary name until it is finished. */
    static final class Writer implements AutoCloseable {

        private final ReplacedFile.Draft draft;
        private final MessageDigest digest = newDigest();
        private ByteBuffer buffer = ByteBuffer.allocate(PIECE);

        private Writer(ReplacedFile.Draft draft) {
            this.draft = draft;
        }

        static Writer create(Path file) throws CheckpointException {
            return new Writer(ReplacedFile.Draft.create(file));
        }

        void append(String name) throws CheckpointException {
            byte[] line = (name + "\n").getBytes(StandardCharsets.UTF_8);
            if (buffer.remaining() < line.length) {
                flush();
            }
            if (buffer.remaining() < line.length) {
                buffer = ByteBuffer.allocate(line.length);
            }
            buffer.put(line);
        }

        private void flush() throws CheckpointException {
            buffer.flip();
            digest.update(buffer.duplicate());
            try {
                while (buffer.hasRemaining()) {
                    draft.channel().write(buffer);
                }
            } catch (IOException e) {
                throw draft.failure(e);
            }
            buffer.clear();
        }

        /** Moves the file into place, and returns its SHA-256 in hexadecimal. */
        String finish() throws CheckpointException {
            flush();
            draft.finish();
            return HexFormat.of().formatHex(digest.digest());
        }

        @Override
        public void close() throws CheckpointException {
            draft.close();
        }
    }
}
