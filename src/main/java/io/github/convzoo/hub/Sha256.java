package io.github.convzoo.hub;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** SHA-256 of files, in lower-case hexadecimal. */
public final class Sha256 {

    private static final Pattern TAG = Pattern.compile("(?:W/)?\"?([0-9a-fA-F]{64})\"?");
    private static final int BUFFER = 1 << 20;

    private Sha256() {}

    /**
     * Computes the SHA-256 of a file.
     *
     * @param file the file
     * @return its SHA-256 in lower-case hexadecimal
     * @throws IOException if it cannot be read
     */
    public static String of(Path file) throws IOException {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
        ByteBuffer buffer = ByteBuffer.allocate(BUFFER);
        try (FileChannel in = FileChannel.open(file, StandardOpenOption.READ)) {
            while (in.read(buffer) >= 0) {
                digest.update(buffer.flip());
                buffer.clear();
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    /** An entity tag that looks like a SHA-256; else null. */
    static @Nullable String inTag(@Nullable String tag) {
        if (tag == null) {
            return null;
        }
        Matcher matcher = TAG.matcher(tag.strip());
        return matcher.matches() ? matcher.group(1).toLowerCase(Locale.ROOT) : null;
    }
}
