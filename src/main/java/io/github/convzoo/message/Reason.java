package io.github.convzoo.message;

import java.io.EOFException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.UnresolvedAddressException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import javax.net.ssl.SSLHandshakeException;
import org.jspecify.annotations.Nullable;

/**
 * The reason of a failure in words, for a message. In many cases the JDK puts it into the exception's type, and the
 * exception's message is just a path, or null.
 */
public final class Reason {

    /** Exceptions whose message, if any, is not a reason. */
    private static final Map<Class<? extends Exception>, String> WORDS = Map.ofEntries(
            Map.entry(NoSuchFileException.class, "no such file"),
            Map.entry(AccessDeniedException.class, "permission denied"),
            Map.entry(FileAlreadyExistsException.class, "a file of this name exists"),
            Map.entry(NotDirectoryException.class, "not a directory"),
            Map.entry(DirectoryNotEmptyException.class, "the folder is not empty"),
            Map.entry(FileSystemLoopException.class, "links form a loop"),
            Map.entry(ClosedByInterruptException.class, "the thread was interrupted"),
            Map.entry(UnresolvedAddressException.class, "unknown host"));

    /** Exceptions that have no message in many cases. */
    private static final Map<Class<? extends Exception>, String> WITHOUT_MESSAGE = Map.of(
            EOFException.class, "unexpected end of data",
            ConnectException.class, "connection refused",
            NoRouteToHostException.class, "no route to the host",
            SocketTimeoutException.class, "timed out",
            UnknownHostException.class, "unknown host",
            ClosedChannelException.class, "closed");

    private Reason() {}

    /**
     * {@return the reason of a failure, such as {@code permission denied}; never empty}
     *
     * @param failure the exception
     */
    public static String of(Throwable failure) {
        Throwable actual = unwrapped(failure);
        String words = WORDS.get(actual.getClass());
        if (words != null) {
            return words;
        }
        if (actual instanceof CharacterCodingException) {
            return "not UTF-8";
        }
        String message = actual instanceof FileSystemException file ? file.getReason() : actual.getMessage();
        if (message == null || message.isBlank()) {
            return withoutMessage(actual);
        }
        if (actual instanceof UnknownHostException) {
            return "unknown host " + message;
        }
        if (actual instanceof FileSystemException || actual instanceof SocketException) {
            return begun(message.strip());
        }
        if (actual instanceof SSLHandshakeException) {
            return "the TLS handshake failed: " + message.strip();
        }
        boolean isReason = !(actual instanceof Error || actual instanceof RuntimeException)
                || actual instanceof IllegalArgumentException
                || actual instanceof IllegalStateException;
        return isReason ? message.strip() : actual.getClass().getSimpleName() + ": " + message.strip();
    }

    /**
     * {@return the reason why JSON cannot be read, without Gson's advice to Java programmers}
     *
     * @param failure Gson's exception, or that of code that reads what it parsed
     */
    public static String ofJson(Throwable failure) {
        String first =
                Objects.toString(failure.getMessage(), "").lines().findFirst().orElse("");
        // Gson wraps exceptions, and begins with the name of their class.
        String said = first.replaceFirst("^[\\w.$]+(Exception|Error): ", "")
                .replaceFirst("^Use JsonReader\\S+ to accept malformed JSON", "unexpected text");
        return said.isBlank() ? "unexpected text" : begun(said.strip());
    }

    /**
     * {@return the reason of a failure, after its files if there are any, such as {@code weights.pth: permission
     * denied}}
     *
     * @param failure the exception
     */
    public static String withFile(Throwable failure) {
        return withFile(failure, null);
    }

    /**
     * {@return the reason of a failure, after its file if that is not the named one}
     *
     * @param named the file or folder that the message already names
     * @param failure the exception
     */
    public static String within(Path named, Throwable failure) {
        return withFile(failure, named.toString());
    }

    private static String withFile(Throwable failure, @Nullable String named) {
        if (!(unwrapped(failure) instanceof FileSystemException file) || file.getFile() == null) {
            return of(failure);
        }
        if (file.getOtherFile() != null) {
            return file.getFile() + " -> " + file.getOtherFile() + ": " + of(file);
        }
        return file.getFile().equals(named) ? of(file) : file.getFile() + ": " + of(file);
    }

    private static String withoutMessage(Throwable failure) {
        String usual = WITHOUT_MESSAGE.get(failure.getClass());
        Throwable cause = failure.getCause();
        if (usual != null) {
            return usual;
        }
        return cause == null ? failure.getClass().getSimpleName() : of(cause);
    }

    /** The failure inside wrappers, which have no message of their own. */
    private static Throwable unwrapped(Throwable failure) {
        Throwable cause = failure.getCause();
        if (cause == null) {
            return failure;
        }
        boolean isWrapper =
                failure instanceof UncheckedIOException || cause.toString().equals(failure.getMessage());
        return isWrapper ? unwrapped(cause) : failure;
    }

    /** A sentence of the operating system as a part of another. */
    private static String begun(String sentence) {
        boolean isWord = sentence.length() > 1 && Character.isLowerCase(sentence.charAt(1));
        return isWord ? Character.toLowerCase(sentence.charAt(0)) + sentence.substring(1) : sentence;
    }
}
