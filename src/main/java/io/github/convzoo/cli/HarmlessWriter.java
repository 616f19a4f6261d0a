package io.github.convzoo.cli;

import java.io.FilterWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/**
 * Filters everything that the command line prints. Names from files, addresses, and messages from other libraries may
 * contain anything; characters that control a terminal or change the writing direction become question marks.
 */
final class HarmlessWriter extends PrintWriter {

    /** A carriage return ends a line on Windows if a line feed follows; alone, it overwrites the line. */
    private static final Pattern HARMFUL =
            Pattern.compile("\\r(?!\\n)|[\\p{Cc}&&[^\\r\\n\\t]]|[" + Main.DIRECTIONS + "]");

    private final PrintWriter target;

    HarmlessWriter(PrintWriter target) {
        super(new Filter(target), true);
        this.target = target;
    }

    static String harmless(String text) {
        return HARMFUL.matcher(text).replaceAll("?");
    }

    /** A writer in which a progress bar may overwrite its line. */
    static PrintWriter overwritable(PrintWriter writer) {
        return writer instanceof HarmlessWriter harmless ? harmless.target : writer;
    }

    /** The same for logs and the JVM's own output, which are UTF-8 bytes. */
    static PrintStream stream(OutputStream target) {
        return new PrintStream(
                new Bytes(new PrintStream(target, true, StandardCharsets.UTF_8)), true, StandardCharsets.UTF_8);
    }

    private static final class Filter extends FilterWriter {

        Filter(Writer target) {
            super(target);
        }

        @Override
        public void write(int c) throws IOException {
            write(Character.toString((char) c));
        }

        @Override
        public void write(char[] text, int from, int length) throws IOException {
            out.write(harmless(new String(text, from, length)));
        }

        @Override
        public void write(String text, int from, int length) throws IOException {
            out.write(harmless(text.substring(from, from + length)));
        }
    }

    private static final class Bytes extends OutputStream {

        private final PrintStream target;
        private final CharsetDecoder decoder = StandardCharsets.UTF_8
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPLACE)
                .onUnmappableCharacter(CodingErrorAction.REPLACE);

        /** The first bytes of a character whose other bytes have not been written yet. */
        private ByteBuffer pending = ByteBuffer.allocate(0);

        Bytes(PrintStream target) {
            this.target = target;
        }

        @Override
        public void write(int b) {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public synchronized void write(byte[] bytes, int from, int length) {
            ByteBuffer all = ByteBuffer.allocate(pending.remaining() + length)
                    .put(pending)
                    .put(bytes, from, length)
                    .flip();
            CharBuffer text = CharBuffer.allocate(all.remaining());
            decoder.decode(all, text, false);
            pending = ByteBuffer.allocate(all.remaining()).put(all).flip();
            target.print(harmless(text.flip().toString()));
        }

        @Override
        public void flush() {
            target.flush();
        }
    }
}
