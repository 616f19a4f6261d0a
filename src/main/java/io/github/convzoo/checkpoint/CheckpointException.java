package io.github.convzoo.checkpoint;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * A tensor file that cannot be read or written: missing, truncated, corrupt, hostile, over a limit, or of an
 * unsupported kind.
 *
 * <p>The message is one line: the file, the tensor and the byte offset if known, the problem, and the remedy.
 * Quotations from the file are shortened and made safe for terminals.
 */
public final class CheckpointException extends IOException {
    private static final long serialVersionUID = 1L;

    /** The maximum length of a quotation from a file, in UTF-16 units. */
    private static final int LONGEST_TEXT = 200;

    private static final int LONGEST_PROBLEM = 2000;

    /** A path itself cannot be serialized; null after deserialization. */
    private final transient @Nullable Path path;

    /** The path as text, which can be serialized. */
    private final String file;

    /** In bytes; -1 if none exists. */
    private final long offset;

    /** The tensor's name; null if none exists. */
    private final @Nullable String tensor;

    /** The message without file, offset and tensor. */
    private final String problem;

    /**
     * Creates an exception.
     *
     * @param file the file that was read or written
     * @param offset the byte offset of the problem in the file, or -1 if none exists
     * @param tensor the name of the tensor concerned, or null if none exists
     * @param problem the problem and the remedy, without the file, offset and tensor; characters that control a
     *     terminal are removed
     * @param cause the exception behind this one, or null
     */
    public CheckpointException(
            Path file, long offset, @Nullable String tensor, String problem, @Nullable Throwable cause) {
        super(message(file, offset, tensor, harmless(shortened(problem))), cause);
        this.path = file;
        this.file = file.toString();
        this.offset = offset;
        this.tensor = tensor;
        this.problem = harmless(shortened(problem));
    }

    private static String message(Path file, long offset, @Nullable String tensor, String problem) {
        StringBuilder message = new StringBuilder(file.toString()).append(": ");
        if (tensor != null) {
            message.append("tensor ").append(printable(tensor)).append(": ");
        }
        message.append(problem);
        if (offset >= 0) {
            message.append(" (at byte ").append(offset).append(')');
        }
        return message.toString();
    }

    /** Shortens text from a file, and replaces characters that break a line or control a terminal. */
    static String printable(String text) {
        return text.length() > LONGEST_TEXT ? harmless(text.substring(0, LONGEST_TEXT)) + "..." : harmless(text);
    }

    /** Replaces characters that end a line, control a terminal or change the writing direction with question marks. */
    private static String harmless(String text) {
        StringBuilder shown = new StringBuilder(text.length());
        text.codePoints().forEach(c -> shown.appendCodePoint(isHarmless(c) ? c : '?'));
        return shown.toString();
    }

    private static boolean isHarmless(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR -> false;
            default -> true;
        };
    }

    /** Most problems quote the file: the quotation is in the middle, the remedy at the end. */
    private static String shortened(String problem) {
        int excess = problem.length() - LONGEST_PROBLEM;
        int half = LONGEST_PROBLEM / 2;
        return excess > 0 ? problem.substring(0, half) + "..." + problem.substring(half + excess) : problem;
    }

    /** {@return the path, as given, of the file that was read or written} */
    public Path file() {
        return path == null ? Path.of(file) : path;
    }

    /**
     * {@return the place of the problem, as an offset in bytes from the start of the file; empty if there is no single
     * place}
     */
    public OptionalLong offset() {
        return offset < 0 ? OptionalLong.empty() : OptionalLong.of(offset);
    }

    /** {@return the name of the tensor concerned; empty if there is no single tensor} */
    public Optional<String> tensor() {
        return Optional.ofNullable(tensor);
    }

    /** {@return the problem and the remedy: the message without file, offset and tensor} */
    public String problem() {
        return problem;
    }
}
