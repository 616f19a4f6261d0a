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
 * do about it.
 */
public final class CheckpointException extends IOException {
    private static final long serialVersionUID = 1L;

    /** A path itself cannot be serialized. */
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
     * @param problem what is wrong and what to do, without the file, offset and tensor
     * @param cause the exception behind this one, or null
     */
    public CheckpointException(
            Path file, long offset, @Nullable String tensor, String problem, @Nullable Throwable cause) {
        super(message(file, offset, tensor, problem), cause);
        this.file = file.toString();
        this.offset = offset;
        this.tensor = tensor;
        this.problem = problem;
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
        int longest = 200;
        StringBuilder shown = new StringBuilder();
        for (int i = 0; i < Math.min(text.length(), longest); i++) {
            char c = text.charAt(i);
            shown.append(Character.isISOControl(c) || Character.isSurrogate(c) ? '?' : c);
        }
        return text.length() > longest ? shown.append("...").toString() : shown.toString();
    }

    /**
     * The file that was read or written.
     *
     * @return its path as it was given
     */
    public Path file() {
        return Path.of(file);
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
