package io.github.convzoo.checkpoint;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Reads a stretch of a file from front to back; reading past its end is a {@link CheckpointException}. */
final class Cursor {
    private final MappedFile file;
    private final long start;
    private final String what;
    private final ByteBuffer bytes;

    /**
     * Begins to read.
     *
     * @param what names the stretch in messages: "the header"
     */
    Cursor(MappedFile file, long start, long length, String what) throws CheckpointException {
        this.file = file;
        this.start = start;
        this.what = what;
        this.bytes = file.view(start, length);
    }

    /** The place in the file of the byte that is read next. */
    long offset() {
        return start + bytes.position();
    }

    int remaining() {
        return bytes.remaining();
    }

    CheckpointException corrupt(String problem) {
        return file.corrupt(offset(), problem);
    }

    /** The next byte, or -1 at the end; it stays to be read. */
    int peek() {
        return bytes.hasRemaining() ? bytes.get(bytes.position()) & 0xff : -1;
    }

    int u8() throws CheckpointException {
        need(1);
        return bytes.get() & 0xff;
    }

    int u16() throws CheckpointException {
        need(2);
        return bytes.getShort() & 0xffff;
    }

    int i32() throws CheckpointException {
        need(4);
        return bytes.getInt();
    }

    long u32() throws CheckpointException {
        return i32() & 0xffffffffL;
    }

    /** 64 bits; what is 2^63 or more reads as negative. */
    long i64() throws CheckpointException {
        need(8);
        return bytes.getLong();
    }

    double bigEndianDouble() throws CheckpointException {
        return Double.longBitsToDouble(Long.reverseBytes(i64()));
    }

    void skip(long length) throws CheckpointException {
        need(length);
        bytes.position(bytes.position() + (int) length);
    }

    /** A view on the next bytes. */
    ByteBuffer slice(long length) throws CheckpointException {
        need(length);
        ByteBuffer slice = bytes.slice(bytes.position(), (int) length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.position(bytes.position() + (int) length);
        return slice;
    }

    /** A reader of the next bytes alone. */
    Cursor cursor(long length) throws CheckpointException {
        need(length);
        Cursor cursor = new Cursor(file, offset(), length, what);
        skip(length);
        return cursor;
    }

    String utf8(long length) throws CheckpointException {
        long at = offset();
        String text = decode(slice(length));
        if (text == null) {
            throw file.corrupt(at, what + " holds text that is not valid UTF-8");
        }
        return text;
    }

    /** Bytes up to the next line feed, which is read and left out. */
    String asciiLine(int longest) throws CheckpointException {
        StringBuilder line = new StringBuilder();
        for (int c = u8(); c != '\n'; c = u8()) {
            if (c > 0x7e || (c < 0x20 && c != '\t' && c != '\r')) {
                throw corrupt(what + " has a byte in a line of text that is not ASCII");
            }
            if (line.length() == longest) {
                throw corrupt(what + " has a line of text of more than " + longest + " characters");
            }
            line.append((char) c);
        }
        return line.toString();
    }

    /** The text that the bytes spell in UTF-8, null where they spell none. */
    static @Nullable String decode(ByteBuffer utf8) {
        byte[] bytes = new byte[utf8.remaining()];
        utf8.get(bytes);
        return decode(bytes);
    }

    static @Nullable String decode(byte[] bytes) {
        String text = new String(bytes, StandardCharsets.UTF_8);
        // The decoder puts U+FFFD for what it cannot read; the bytes may spell some as well. To encode the text again,
        // or a
        // decoder that reports, would take three times the heap.
        int replacements = 0;
        for (int at = text.indexOf('\uFFFD'); at >= 0; at = text.indexOf('\uFFFD', at + 1)) {
            replacements++;
        }
        for (int i = 2; i < bytes.length && replacements > 0; i++) {
            // EF begins a character wherever it stands.
            replacements -=
                    bytes[i - 2] == (byte) 0xef && bytes[i - 1] == (byte) 0xbf && bytes[i] == (byte) 0xbd ? 1 : 0;
        }
        return replacements > 0 ? null : text;
    }

    private void need(long length) throws CheckpointException {
        if (length < 0 || length > bytes.remaining()) {
            throw corrupt(what + " is truncated or corrupt: it has " + bytes.remaining() + " of the "
                    + Long.toUnsignedString(length) + " bytes that it announces; copy or download the file again");
        }
    }
}
