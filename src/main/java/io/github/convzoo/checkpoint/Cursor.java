package io.github.convzoo.checkpoint;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Reads a range of a file sequentially; reading past its end throws a {@link CheckpointException}. */
final class Cursor {
    private final MappedFile file;
    private final String what;
    /** The end of the range. */
    private final long end;
    /** The read-ahead buffer and its offset. */
    private ByteBuffer bytes = ByteBuffer.allocate(0);

    private long start;

    /**
     * Starts reading.
     *
     * @param what the name of the range in messages: "the header"
     */
    Cursor(MappedFile file, long start, long length, String what) throws CheckpointException {
        file.require(start, length);
        this.file = file;
        this.start = start;
        this.what = what;
        this.end = start + length;
    }

    /** The file offset of the next byte. */
    long offset() {
        return start + bytes.position();
    }

    long remaining() {
        return end - offset();
    }

    CheckpointException corrupt(String problem) {
        return file.corrupt(offset(), problem);
    }

    /** The next byte without consuming it, or -1 at the end. */
    int peek() throws CheckpointException {
        if (!bytes.hasRemaining()) {
            if (remaining() == 0) {
                return -1;
            }
            fill(1);
        }
        return bytes.get(bytes.position()) & 0xff;
    }

    int u8() throws CheckpointException {
        fill(1);
        return bytes.get() & 0xff;
    }

    int u16() throws CheckpointException {
        fill(2);
        return bytes.getShort() & 0xffff;
    }

    int i32() throws CheckpointException {
        fill(4);
        return bytes.getInt();
    }

    long u32() throws CheckpointException {
        return i32() & 0xffffffffL;
    }

    /** 64 bits; values of 2^63 or more are negative. */
    long i64() throws CheckpointException {
        fill(8);
        return bytes.getLong();
    }

    double bigEndianDouble() throws CheckpointException {
        return Double.longBitsToDouble(Long.reverseBytes(i64()));
    }

    void skip(long length) throws CheckpointException {
        need(length);
        if (length <= bytes.remaining()) {
            bytes.position(bytes.position() + (int) length);
        } else {
            start = offset() + length;
            bytes = ByteBuffer.allocate(0);
        }
    }

    /** The next bytes, copied to the heap. */
    byte[] take(long length) throws CheckpointException {
        need(length);
        if (length > bytes.remaining()) {
            byte[] copy = file.copy(offset(), length);
            skip(length);
            return copy;
        }
        byte[] copy = new byte[(int) length];
        bytes.get(copy);
        return copy;
    }

    /** A reader of only the next bytes. */
    Cursor cursor(long length) throws CheckpointException {
        need(length);
        Cursor cursor = new Cursor(file, offset(), length, what);
        skip(length);
        return cursor;
    }

    String utf8(long length) throws CheckpointException {
        long at = offset();
        String text = decode(take(length));
        if (text == null) {
            throw file.corrupt(at, what + " has text that is not valid UTF-8");
        }
        return text;
    }

    /** Text up to the next line feed, which is consumed but not returned. */
    String asciiLine(int longest) throws CheckpointException {
        StringBuilder line = new StringBuilder();
        for (int c = u8(); c != '\n'; c = u8()) {
            if (c > 0x7e || (c < 0x20 && c != '\t' && c != '\r')) {
                throw corrupt(what + " has a byte that is not ASCII in a line of text");
            }
            if (line.length() == longest) {
                throw corrupt(what + " has a line of text of more than " + longest + " characters");
            }
            line.append((char) c);
        }
        return line.toString();
    }

    /** The bytes decoded as UTF-8; null if they are not valid. */
    static @Nullable String decode(byte[] bytes) {
        String text = new String(bytes, StandardCharsets.UTF_8);
        // The decoder replaces invalid bytes with U+FFFD, which may also be valid content. Re-encoding the text, or a
        // strict decoder, would take three times the heap.
        int replacements = 0;
        for (int at = text.indexOf('\uFFFD'); at >= 0; at = text.indexOf('\uFFFD', at + 1)) {
            replacements++;
        }
        for (int i = 2; i < bytes.length && replacements > 0; i++) {
            // EF always starts a character.
            replacements -=
                    bytes[i - 2] == (byte) 0xef && bytes[i - 1] == (byte) 0xbf && bytes[i] == (byte) 0xbd ? 1 : 0;
        }
        return replacements > 0 ? null : text;
    }

    /** Ensures that some bytes are buffered, at most eight. */
    private void fill(int length) throws CheckpointException {
        if (length > bytes.remaining()) {
            need(length);
            start = offset();
            bytes = file.ahead(start, length, end - start);
        }
    }

    private void need(long length) throws CheckpointException {
        if (length < 0 || length > remaining()) {
            throw corrupt(what + " is truncated or corrupt; it has " + remaining() + " of the "
                    + Long.toUnsignedString(length) + " bytes required; copy or download the file again");
        }
    }
}
