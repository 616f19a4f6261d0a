package io.github.convzoo.hub;

import ai.djl.util.Utils;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The sources of weights and the cache.
 *
 * @param endpoints the hub, then its mirrors, in order of preference
 * @param mirrors mirrors of the older files by name, tried in order before the addresses in the manifest
 * @param token the bearer token, sent only to an endpoint's own host; null for none
 * @param offline the setting that disables the network, as named in messages; null if the network is enabled
 * @param hubCache the hub cache of Hugging Face's own tools, which is only read
 * @param cache DJL's cache directory; the weights are in {@code cache/convzoo} inside it
 * @param transfers download settings
 */
public record StoreSettings(
        List<URI> endpoints,
        List<URI> mirrors,
        @Nullable String token,
        @Nullable String offline,
        Path hubCache,
        Path cache,
        TransferSettings transfers) {

    /** The variable for the maximum size of a download. */
    static final String MAX_BYTES = "CONVZOO_MAX_DOWNLOAD";

    /** The variable for the time limit of a download, in seconds. */
    static final String MAX_TIME = "CONVZOO_MAX_DOWNLOAD_TIME";

    /** The variable for the minimum rate of a download, in bytes per second. */
    static final String MIN_RATE = "CONVZOO_MIN_DOWNLOAD_RATE";

    private static final String ENDPOINT = "https://huggingface.co";

    private static final Pattern NUMBER = Pattern.compile("(\\d{1,9})([KMG]?)");

    /** The values that Hugging Face's own tools read as yes, in lower case. */
    private static final Set<String> YES = Set.of("1", "on", "yes", "true");

    /**
     * Validates the endpoints and the token.
     *
     * @throws IllegalArgumentException if an endpoint or mirror is not an http or https URL, or the token has anything
     *     but visible ASCII characters
     */
    public StoreSettings {
        endpoints = List.copyOf(endpoints);
        mirrors = List.copyOf(mirrors);
        requireHttp("the hub's endpoint (HF_ENDPOINT)", endpoints);
        requireHttp("a mirror (CONVZOO_MIRROR)", mirrors);
        if (token != null && !token.matches("[!-~]+")) {
            // The token stays out of the message: messages end up in logs.
            throw new IllegalArgumentException("HF_TOKEN must be visible ASCII characters without spaces");
        }
    }

    /**
     * Reads settings from environment variables: {@code HF_ENDPOINT} (comma-separated values are tried in order),
     * {@code CONVZOO_MIRROR} (likewise), {@code HF_TOKEN}, {@code HF_HUB_OFFLINE}, {@code HF_HOME}, {@code DJL_OFFLINE}
     * and {@code DJL_CACHE_DIR}; {@code CONVZOO_MAX_DOWNLOAD} (the maximum file size in bytes, such as {@code 8G}),
     * {@code CONVZOO_MAX_DOWNLOAD_TIME} (in seconds) and {@code CONVZOO_MIN_DOWNLOAD_RATE} (bytes per second; 0 for
     * any); and from DJL's system properties {@code ai.djl.offline} and {@code DJL_CACHE_DIR}.
     *
     * @param environment returns a variable's value; null if it is not set; {@code System::getenv} outside tests
     * @return the settings
     * @throws IllegalArgumentException if a variable is invalid; the message lists the valid values
     */
    public static StoreSettings fromEnvironment(Function<String, @Nullable String> environment) {
        String home = value(environment, "HF_HOME");
        Path huggingFace =
                home == null ? Path.of(System.getProperty("user.home"), ".cache", "huggingface") : Path.of(home);
        String cache = value(environment, "DJL_CACHE_DIR");
        return new StoreSettings(
                urls("HF_ENDPOINT", value(environment, "HF_ENDPOINT"), ENDPOINT),
                urls("CONVZOO_MIRROR", value(environment, "CONVZOO_MIRROR"), ""),
                value(environment, "HF_TOKEN"),
                offline(environment),
                huggingFace.resolve("hub"),
                cache == null ? Utils.getCacheDir() : Path.of(cache),
                transfers(environment));
    }

    private static TransferSettings transfers(Function<String, @Nullable String> environment) {
        TransferSettings standard = TransferSettings.standard();
        return standard.withMaxBytes(number(environment, MAX_BYTES, 1, standard.maxBytes()))
                .withLeastRate(number(environment, MIN_RATE, 0, standard.leastRate()), standard.rateTime())
                .withLongestTime(Duration.ofSeconds(
                        number(environment, MAX_TIME, 1, standard.longestTime().toSeconds())));
    }

    private static long number(
            Function<String, @Nullable String> environment, String name, long least, long otherwise) {
        String value = value(environment, name);
        if (value == null) {
            return otherwise;
        }
        Matcher matcher = NUMBER.matcher(value.toUpperCase(Locale.ROOT));
        // An empty string is found at 0.
        long number =
                matcher.matches() ? Long.parseLong(matcher.group(1)) << (10 * "-KMG".indexOf(matcher.group(2))) : -1;
        if (number < least) {
            throw new IllegalArgumentException(name + " must be a whole number of at least " + least
                    + ", optionally with K, M, or G, not " + value);
        }
        return number;
    }

    /** {@return the settings without the token, on one line} */
    @Override
    public String toString() {
        return "StoreSettings[endpoints=" + endpoints + ", mirrors=" + mirrors + ", token="
                + (token == null ? "none" : "set") + ", offline=" + offline + ", hubCache=" + hubCache + ", cache="
                + cache + ", transfers=" + transfers + "]";
    }

    private static void requireHttp(String what, List<URI> urls) {
        for (URI url : urls) {
            if (!isHttp(url)) {
                throw new IllegalArgumentException(
                        what + " must be a URL like " + ENDPOINT + ", not " + Source.shown(url));
            }
            if (url.getRawQuery() != null || url.getRawFragment() != null || url.getRawUserInfo() != null) {
                throw new IllegalArgumentException(
                        what + " must be a URL without user, query and fragment, unlike " + Source.shown(url));
            }
        }
    }

    private static List<URI> urls(String name, @Nullable String value, String otherwise) {
        List<URI> urls = new ArrayList<>();
        for (String each : (value == null ? otherwise : value).split("[\\s,]+", -1)) {
            String trimmed = each.replaceAll("/+$", "");
            if (trimmed.isEmpty()) {
                continue;
            }
            try {
                urls.add(new URI(trimmed));
            } catch (URISyntaxException e) {
                throw new IllegalArgumentException(name + " must be a URL like " + ENDPOINT + ", not " + trimmed, e);
            }
        }
        return urls;
    }

    private static @Nullable String offline(Function<String, @Nullable String> environment) {
        String hub = value(environment, "HF_HUB_OFFLINE");
        if (hub != null && YES.contains(hub.toLowerCase(Locale.ROOT))) {
            return "HF_HUB_OFFLINE=" + hub;
        }
        // As in DJL: the variable, if set, overrides the property.
        String djl = value(environment, "DJL_OFFLINE");
        if (djl != null) {
            return Boolean.parseBoolean(djl) ? "DJL_OFFLINE=" + djl : null;
        }
        return Boolean.getBoolean("ai.djl.offline") ? "-Dai.djl.offline=true" : null;
    }

    private static @Nullable String value(Function<String, @Nullable String> environment, String name) {
        String value = environment.apply(name);
        return value == null || value.isBlank() ? null : value.strip();
    }

    private static boolean isHttp(URI uri) {
        String scheme = uri.getScheme();
        return uri.getHost() != null && ("http".equalsIgnoreCase(scheme) || "https".equalsIgnoreCase(scheme));
    }
}
