package io.github.convzoo.data;

import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Locale;

/**
 * The real names of files. A path's text depends on the JVM's locale: under {@code LC_ALL=C}, all names of three
 * Chinese characters look the same. Its URI has the original bytes.
 */
final class PathNames {

    private static final char REPLACEMENT = '\ufffd';

    private PathNames() {}

    /**
     * The name of a file or folder: its bytes as UTF-8, regardless of the locale; or as Latin-1, if they are not UTF-8.
     *
     * @param path a path that has a name
     */
    static String of(Path path) {
        String read = path.getFileName().toString();
        if (!path.getFileSystem().equals(FileSystems.getDefault()) || isAscii(read)) {
            return read;
        }
        byte[] bytes = bytes(path);
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            return new String(bytes, StandardCharsets.ISO_8859_1);
        }
    }

    /** Whether the bytes of a name are not UTF-8, so that {@link #of} had to guess. */
    static boolean isGuessed(Path path) {
        if (!path.getFileSystem().equals(FileSystems.getDefault())
                || isAscii(path.getFileName().toString())) {
            return false;
        }
        return new String(bytes(path), StandardCharsets.UTF_8).indexOf(REPLACEMENT) >= 0;
    }

    /**
     * Resolves a path relative to a folder, or an absolute one, even if the locale cannot represent it.
     *
     * @throws InvalidPathException if the path is invalid in every locale
     */
    static Path resolve(Path folder, String text) {
        try {
            return folder.resolve(text);
        } catch (InvalidPathException e) {
            if (!folder.getFileSystem().equals(FileSystems.getDefault()) || text.indexOf('\0') >= 0) {
                throw e;
            }
            String root = text.startsWith("/")
                    ? "file:///"
                    : folder.toAbsolutePath().toUri().toString();
            return Path.of(URI.create(root + (root.endsWith("/") ? "" : "/") + escaped(text)));
        }
    }

    private static boolean isAscii(String text) {
        return text.chars().allMatch(c -> c < 128);
    }

    /** The bytes in the file system, on Unix. Windows stores characters, which become UTF-8. */
    private static byte[] bytes(Path path) {
        String raw = path.toAbsolutePath().toUri().getRawPath();
        String trimmed = raw.endsWith("/") ? raw.substring(0, raw.length() - 1) : raw;
        String name = trimmed.substring(trimmed.lastIndexOf('/') + 1);
        ByteBuffer bytes = ByteBuffer.allocate(4 * name.length());
        for (int i = 0; i < name.length(); i += Character.charCount(name.codePointAt(i))) {
            if (name.charAt(i) == '%') {
                bytes.put((byte) Integer.parseInt(name, i + 1, i + 3, 16));
                i += 2;
            } else {
                bytes.put(Character.toString(name.codePointAt(i)).getBytes(StandardCharsets.UTF_8));
            }
        }
        byte[] result = new byte[bytes.position()];
        bytes.flip().get(result);
        return result;
    }

    private static String escaped(String text) {
        StringBuilder escaped = new StringBuilder();
        for (byte each : text.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (each & 0xff);
            if (c < 128 && (Character.isLetterOrDigit(c) || "/-_.~".indexOf(c) >= 0)) {
                escaped.append(c);
            } else {
                escaped.append(String.format(Locale.ROOT, "%%%02X", each & 0xff));
            }
        }
        return escaped.toString();
    }
}
