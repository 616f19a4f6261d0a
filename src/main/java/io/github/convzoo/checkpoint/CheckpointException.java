package io.github.convzoo.checkpoint;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * A tensor file that cannot be read or written: missing, truncated, corrupt, hostile, over a limit, or of a kind that is
 * not supported.
 *
 * <p>The message is one line: the file, the tensor and the byte offset where they are known, what is wrong, and what to
 * do about it. Whatever it quotes from the file is shortened, and does no harm on a terminal.
 */
public final class CheckpointException extends IOException {
    private static final long serialVersionUID = 1L;

    /** What is quoted of a file, in UTF-16 units. */
    private static final int LONGEST_TEXT = 200;

    private static final int LONGEST_PROBLEM = 2000;

    /** A path itself cannot be serialized; this one is null where the exception was. */
    private final transient @Nullable Path path;

    /** The path as text, which can be serialized. */
    private final String file;

    /** In bytes, -1 where there is none. */
    private final long offset;

    /** The tensor's name, null where there is none. */
    private final @Nullable String tensor;

    /** The message without file, offset and tensor. */
    private final String problem;

    /**
     * Creates an exception.
     *
     * @param file the file that was read or written
     * @param offset the byte of the file at which the problem lies, or -1 where there is none
     * @param tensor the name of the tensor concerned, or null where there is none
     * @param problem what is wrong and what to do, without the file, offset and tensor; characters that would drive a
     *     terminal are taken out
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

    /** Shortens what came out of a file, and takes out what would break a line or drive a terminal. */
    static String printable(String text) {
        return text.length() > LONGEST_TEXT ? harmless(text.substring(0, LONGEST_TEXT)) + "..." : harmless(text);
    }

    /** Characters that end a line, drive a terminal or turn the order of others around are shown as question marks. */
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

    /** Most problems quote the file. What it says stands in the middle, what to do about it at the end. */
    private static String shortened(String problem) {
        int excess = problem.length() - LONGEST_PROBLEM;
        int half = LONGEST_PROBLEM / 2;
        return excess > 0 ? problem.substring(0, half) + "..." + problem.substring(half + excess) : problem;
    }

    /**
     * The file that was read or written.
     *
     * @return its path as it was given
     */
    public Path file() {
        return path == null ? Path.of(file) : path;
    }

    /**
     * The place of the problem.
     *
     * @return the offset in bytes from the start of the file, empty where no single place is to blame
     */
    public OptionalLong offset() {
        return offset < 0 ? OptionalLong.empty() : OptionalLong.of(offset);
    }

    /**
     * The tensor concerned.
     *
     * @return its name, empty where no single tensor is to blame
     */
    public Optional<String> tensor() {
        return Optional.ofNullable(tensor);
    }

    /**
     * What is wrong and what to do about it.
     *
     * @return the message without file, offset and tensor
     */
    public String problem() {
        return problem;
    }
}
