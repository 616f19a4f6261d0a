package io.github.convzoo.message;

import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.UnknownHostException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.Map;

/**
 * The reason of a failure in words, for the end of a message. The JDK puts it into the exception's type in many cases,
 * and its message is just a path, or null.
 */
public final class Reason {

    /** Exceptions whose message, if any, is not a reason. */
    private static final Map<Class<? extends IOException>, String> WORDS = Map.ofEntries(
            Map.entry(NoSuchFileException.class, "no such file"),
            Map.entry(AccessDeniedException.class, "permission denied"),
            Map.entry(FileAlreadyExistsException.class, "a file of this name exists"),
            Map.entry(NotDirectoryException.class, "not a folder"),
            Map.entry(DirectoryNotEmptyException.class, "the folder is not empty"),
            Map.entry(FileSystemLoopException.class, "links form a loop"),
            Map.entry(ClosedByInterruptException.class, "the thread was interrupted"));

    /** Exceptions that have no message in many cases. */
    private static final Map<Class<? extends IOException>, String> WITHOUT_MESSAGE = Map.of(
            EOFException.class, "unexpected end of data",
            ConnectException.class, "connection refused",
            NoRouteToHostException.class, "no route to the host",
            ClosedChannelException.class, "closed");

    private Reason() {}

    /**
     * Words the reason of a failure.
     *
     * @param failure the exception
     * @return such as {@code permission denied}; never empty
     */
    public static String of(Throwable failure) {
        Throwable actual = unwrapped(failure);
        String words = WORDS.get(actual.getClass());
        if (words != null) {
            return words;
        }
        if (actual instanceof UnknownHostException) {
            return "unknown host " + actual.getMessage();
        }
        String message = actual instanceof FileSystemException file ? file.getReason() : actual.getMessage();
        if (message != null && !message.isBlank()) {
            return message.strip();
        }
        String usual = WITHOUT_MESSAGE.get(actual.getClass());
        if (usual != null) {
            return usual;
        }
        Throwable cause = actual.getCause();
        return cause == null ? actual.getClass().getSimpleName() : of(cause);
    }

    /**
     * Words the reason of a failure, after the file's name if it is a file's.
     *
     * @param failure the exception
     * @return such as {@code weights.pth: permission denied}
     */
    public static String withFile(Throwable failure) {
        return unwrapped(failure) instanceof FileSystemException file && file.getFile() != null
                ? file.getFile() + ": " + of(file)
                : of(failure);
    }

    private static Throwable unwrapped(Throwable failure) {
        Throwable cause = failure.getCause();
        return failure instanceof UncheckedIOException && cause != null ? cause : failure;
    }
}
