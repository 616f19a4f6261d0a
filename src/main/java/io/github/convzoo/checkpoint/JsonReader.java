package io.github.convzoo.checkpoint;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Reads JSON (RFC 8259) token by token, for callers that know what comes next. Text must be valid UTF-8; there are no
 * comments, trailing commas or other extensions. It is not recursive, so nesting is harmless.
 */
final class JsonReader {
    private static final int LONGEST_SCALAR = 64;

    private final Cursor in;

    /** The current string, in UTF-8. */
    private byte[] text = new byte[128];

    private int length;

    JsonReader(Cursor in) {
        this.in = in;
    }

    long offset() {
        return in.offset();
    }

    void open(char bracket) throws CheckpointException {
        expect(bracket);
    }

    /**
     * Whether another member or element follows; if not, consumes the closing bracket.
     *
     * @param first whether none was read yet; the others must be preceded by a comma
     */
    boolean more(boolean first, char bracket) throws CheckpointException {
        space();
        if (in.peek() == bracket) {
            in.u8();
            return false;
        }
        if (!first) {
            expect(',');
        }
        return true;
    }

    /** Reads a member's name and the colon after it. */
    String name() throws CheckpointException {
        String name = string();
        expect(':');
        return name;
    }

    String string() throws CheckpointException {
        expect('"');
        length = 0;
        for (int c = in.u8(); c != '"'; c = in.u8()) {
            if (c < 0x20) {
                throw in.corrupt("the header is not valid JSON: a control character in a string");
            }
            if (c == '\\') {
                escape();
            } else {
                append(c);
            }
        }
        String decoded = Cursor.decode(Arrays.copyOf(text, length));
        if (decoded == null) {
            throw in.corrupt("the header has text that is not valid UTF-8");
        }
        return decoded;
    }

    private void append(int c) {
        if (length == text.length) {
            text = Arrays.copyOf(text, 2 * length);
        }
        text[length++] = (byte) c;
    }

    private void escape() throws CheckpointException {
        int c = in.u8();
        switch (c) {
            case '"', '\\', '/' -> append(c);
            case 'b' -> append('\b');
            case 'f' -> append('\f');
            case 'n' -> append('\n');
            case 'r' -> append('\r');
            case 't' -> append('\t');
            case 'u' -> {
                int unit = hex4();
                int codePoint = unit;
                if (Character.isHighSurrogate((char) unit)) {
                    int low = in.u8() == '\\' && in.u8() == 'u' ? hex4() : 0;
                    if (!Character.isLowSurrogate((char) low)) {
                        throw in.corrupt("the header is not valid JSON: half a surrogate pair in a string");
                    }
                    codePoint = Character.toCodePoint((char) unit, (char) low);
                } else if (Character.isLowSurrogate((char) unit)) {
                    throw in.corrupt("the header is not valid JSON: half a surrogate pair in a string");
                }
                for (byte b : Character.toString(codePoint).getBytes(StandardCharsets.UTF_8)) {
                    append(b);
                }
            }
            default -> throw in.corrupt("the header is not valid JSON: an unknown escape in a string");
        }
    }

    private int hex4() throws CheckpointException {
        int unit = 0;
        for (int i = 0; i < 4; i++) {
            int c = in.u8();
            int digit = c < 0x80 ? Character.digit(c, 16) : -1;
            if (digit < 0) {
                throw in.corrupt("the header is not valid JSON: \\u without four hexadecimal digits");
            }
            unit = (unit << 4) | digit;
        }
        return unit;
    }

    /** A whole number from 0 to 2^63 - 1, without sign, fraction or exponent. */
    long whole() throws CheckpointException {
        space();
        long at = in.offset();
        if (in.peek() < '0' || in.peek() > '9') {
            throw in.corrupt("the header has " + shown(in.peek()) + " instead of a whole number");
        }
        long number = 0;
        int digits = 0;
        while (in.peek() >= '0' && in.peek() <= '9') {
            int digit = in.u8() - '0';
            if ((digits > 0 && number == 0) || number > (Long.MAX_VALUE - digit) / 10) {
                throw in.corrupt("the header has a number with a leading zero or beyond 2^63, at byte " + at);
            }
            number = number * 10 + digit;
            digits++;
        }
        return number;
    }

    /** A string, or a number, true, false or null as written. */
    String scalar() throws CheckpointException {
        space();
        if (in.peek() == '"') {
            return string();
        }
        StringBuilder spelled = new StringBuilder();
        while (spelled.length() < LONGEST_SCALAR && isOfScalar(in.peek())) {
            spelled.append((char) in.u8());
        }
        if (!spelled.toString().matches("true|false|null|-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][-+]?[0-9]+)?")) {
            throw in.corrupt("the header has " + (spelled.isEmpty() ? shown(in.peek()) : spelled)
                    + " instead of text or a number");
        }
        return spelled.toString();
    }

    private static boolean isOfScalar(int c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == 'E' || c == '-' || c == '+' || c == '.';
    }

    /** Checks that only white space is left. */
    void end() throws CheckpointException {
        space();
        if (in.peek() >= 0) {
            throw in.corrupt("the header continues with " + shown(in.peek()) + " after its end");
        }
    }

    private void expect(char c) throws CheckpointException {
        space();
        if (in.peek() != c) {
            throw in.corrupt("the header is not valid JSON: " + shown(in.peek()) + " instead of '" + c + "'");
        }
        in.u8();
    }

    private void space() throws CheckpointException {
        for (int c = in.peek(); c == ' ' || c == '\t' || c == '\n' || c == '\r'; c = in.peek()) {
            in.u8();
        }
    }

    private static String shown(int c) {
        if (c < 0) {
            return "its end";
        }
        return c > 0x20 && c < 0x7f ? "'" + (char) c + "'" : String.format("byte 0x%02x", c);
    }
}
