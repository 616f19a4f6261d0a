package io.github.convzoo.hub;

import java.io.IOException;
import java.io.OutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** What a hub's files look like from outside. */
public final class Hubs {

    private Hubs() {}

    /** Bytes of no pattern, the same for a seed. */
    public static byte[] bytes(int length, long seed) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    public static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Serves a file as the hub's storage does, ranges and all, with the hash that the hub adds. */
    public static LoopbackServer.Handler file(byte[] content) {
        return (request, out) -> send(request, out, content, content.length, "X-Linked-ETag", quoted(content));
    }

    /**
     * Serves the files of one repository at a commit, which is also its branch main, with each one's hash.
     *
     * @param repository {@code owner/name}
     */
    public static LoopbackServer.Handler repository(String repository, String commit, Map<String, byte[]> files) {
        return (request, out) -> {
            String[] parts = request.target().split("/", 6);
            byte[] content = parts.length == 6
                            && (parts[1] + "/" + parts[2]).equals(repository)
                            && List.of("main", commit).contains(parts[4])
                    ? files.get(parts[5])
                    : null;
            if (content == null) {
                LoopbackServer.status(out, 404);
            } else if (request.method().equals("HEAD")) {
                LoopbackServer.head(out, 200, "X-Repo-Commit", commit, "Content-Length", content.length);
            } else {
                send(request, out, content, content.length, "X-Repo-Commit", commit, "X-Linked-ETag", quoted(content));
            }
        };
    }

    /** Sends a file from where it was asked for up to a byte, and then breaks off if that is not its end. */
    public static void send(
            LoopbackServer.Request request, OutputStream out, byte[] content, int until, Object... headers)
            throws IOException {
        int from = request.from();
        if (from >= content.length && from > 0) {
            LoopbackServer.status(out, 416, "Content-Range", "bytes */" + content.length);
            return;
        }
        Object[] all = Arrays.copyOf(headers, headers.length + (from > 0 ? 4 : 2));
        all[headers.length] = "Content-Length";
        all[headers.length + 1] = content.length - from;
        if (from > 0) {
            all[headers.length + 2] = "Content-Range";
            all[headers.length + 3] = "bytes " + from + "-" + (content.length - 1) + "/" + content.length;
        }
        LoopbackServer.head(out, from > 0 ? 206 : 200, all);
        out.write(content, from, Math.max(0, until - from));
        out.flush();
    }

    public static String quoted(byte[] content) {
        return "\"" + sha256(content) + "\"";
    }
}
