package io.github.convzoo.serve;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Who may use the server.
 *
 * <p>A key protects it from other programs. The headers {@code Host} and {@code Origin} protect it from web pages that
 * the user of this machine visits, which could otherwise send requests to it: a page elsewhere has its own origin, and
 * a host name that was made to lead here (DNS rebinding) is not one of this server's.
 */
final class AccessRules {

    private static final Set<String> LOCAL = Set.of("localhost", "127.0.0.1", "[::1]");

    private final byte @Nullable [] key;
    private final Set<String> own;
    private final Set<String> others;
    private final IntSupplier port;

    /**
     * Creates the rules.
     *
     * @param host the address that the server listens on
     * @param access who may use it
     * @param port the port that the server listens on, once it does
     */
    AccessRules(String host, ServerOptions.Access access, IntSupplier port) {
        key = access.apiKey()
                .map(value -> value.getBytes(StandardCharsets.UTF_8))
                .orElse(null);
        others = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);
        others.addAll(access.hosts());
        own = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);
        if (isLoopback(host)) {
            own.addAll(LOCAL);
            own.add(host.contains(":") && !host.startsWith("[") ? "[" + host + "]" : host);
        }
        this.port = port;
    }

    /**
     * Whether only programs on this machine reach a host.
     *
     * @param host a name or address of this machine
     */
    static boolean isLoopback(String host) {
        try {
            return InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException e) {
            return false;
        }
    }

    /**
     * Checks where a request comes from.
     *
     * @param host the header {@code Host}
     * @param origin the header {@code Origin}
     */
    void requireOwnHost(@Nullable String host, @Nullable String origin) throws Problem {
        String authority = host == null ? "" : host.toLowerCase(Locale.ROOT);
        if (!isAllowed(authority)) {
            Set<String> names = new TreeSet<>(others);
            own.forEach(name -> names.add(name + ":" + port.getAsInt()));
            throw new Problem(
                    Problem.Kind.WRONG_HOST,
                    "this server is not " + authority + "; use " + String.join(", ", names)
                            + ", or start it with --allowed-host NAME or NAME:PORT");
        }
        if (origin != null && !isOwn(origin.toLowerCase(Locale.ROOT), authority)) {
            throw new Problem(
                    Problem.Kind.FORBIDDEN,
                    "a web page of " + origin + " may not use this server; only its own page may");
        }
    }

    /**
     * This machine's names are allowed with the server's port or none, so that other programs on this machine cannot be
     * confused with it. Others are a proxy's, whose port is not known, unless they are given with one.
     */
    private boolean isAllowed(String authority) {
        if (own.isEmpty() && others.isEmpty()) {
            return true;
        }
        String name = withoutPort(authority);
        return others.contains(authority)
                || others.contains(name)
                || (own.contains(name) && (name.equals(authority) || authority.equals(name + ":" + port.getAsInt())));
    }

    private static boolean isOwn(String origin, String authority) {
        return origin.equals("http://" + authority) || origin.equals("https://" + authority);
    }

    private static String withoutPort(String authority) {
        int colon = authority.lastIndexOf(':');
        return colon > authority.lastIndexOf(']') ? authority.substring(0, colon) : authority;
    }

    /**
     * Checks the key, in the same time whatever it is.
     *
     * @param authorization the header {@code Authorization}
     * @param apiKey the header {@code X-Api-Key}
     */
    void requireKey(@Nullable String authorization, @Nullable String apiKey) throws Problem {
        byte[] expected = key;
        if (expected == null) {
            return;
        }
        String given = apiKey;
        if (given == null && authorization != null && authorization.regionMatches(true, 0, "Bearer ", 0, 7)) {
            given = authorization.substring(7).strip();
        }
        if (given == null) {
            throw new Problem(
                    Problem.Kind.UNAUTHORIZED,
                    "this server needs its API key, in the header Authorization: Bearer KEY, or X-Api-Key: KEY");
        }
        if (!MessageDigest.isEqual(expected, given.getBytes(StandardCharsets.UTF_8))) {
            throw new Problem(Problem.Kind.UNAUTHORIZED, "the API key is wrong");
        }
    }
}
