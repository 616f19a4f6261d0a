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
 * Where weights come from and where they are kept.
 *
 * @param endpoints the hub, then its mirrors, in the order to try them
 * @param mirrors who has the older files by their names, in the order to try them before the addresses in the manifest
 * @param token the bearer token, sent to an endpoint's own host alone; null for none
 * @param offline what forbids the network, as a message names it; null where the network is allowed
 * @param hubCache the hub cache of Hugging Face's own tools, which is only read
 * @param cache DJL's cache directory; the weights stand in {@code cache/convzoo} under it
 * @param transfers how to download
 */
public record StoreSettings(
        List<URI> endpoints,
        List<URI> mirrors,
        @Nullable String token,
        @Nullable String offline,
        Path hubCache,
        Path cache,
        TransferSettings transfers) {

    /** The variable with the largest size of a download. */
    static final String MAX_BYTES = "CONVZOO_MAX_DOWNLOAD";

    /** The variable with the longest time of a download, in seconds. */
    static final String MAX_TIME = "CONVZOO_MAX_DOWNLOAD_TIME";

    /** The variable with the least rate of a download, in bytes per second. */
    static final String MIN_RATE = "CONVZOO_MIN_DOWNLOAD_RATE";

    private static final String ENDPOINT = "https://huggingface.co";

    private static final Pattern NUMBER = Pattern.compile("(\\d{1,9})([KMG]?)");

    /** What Hugging Face's own tools read as yes, in lower case. */
    private static final Set<String> YES = Set.of("1", "on", "yes", "true");

    /**
     * Checks the endpoints and the token.
     *
     * @param endpoints the hub, then its mirrors
     * @param mirrors mirrors of the older files
     * @param token the bearer token, or null
     * @param offline what forbids the network, or null
     * @param hubCache the hub cache of Hugging Face's own tools
     * @param cache DJL's cache directory
     * @param transfers how to download
     * @throws IllegalArgumentException if an endpoint or mirror is no http or https URL, or the token holds anything but visible
     *     ASCII characters
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
     * Settings from environment variables: {@code HF_ENDPOINT} (several, with commas between them, are tried in order),
     * {@code CONVZOO_MIRROR} (likewise), {@code HF_TOKEN}, {@code HF_HUB_OFFLINE}, {@code HF_HOME}, {@code DJL_OFFLINE} and
     * {@code DJL_CACHE_DIR}; {@code CONVZOO_MAX_DOWNLOAD} (the largest file in bytes, such as {@code 8G}), {@code
     * CONVZOO_MAX_DOWNLOAD_TIME} (in seconds) and {@code CONVZOO_MIN_DOWNLOAD_RATE} (bytes per second; 0 for any); and from the system
     * properties that DJL has, {@code ai.djl.offline} and {@code DJL_CACHE_DIR}.
     *
     * @param environment gives a variable's value, null where it is not set; {@code System::getenv} outside of tests
     * @return the settings
     * @throws IllegalArgumentException if a variable has no meaning; the message says which values have
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
        // An empty text is found at 0.
        long number =
                matcher.matches() ? Long.parseLong(matcher.group(1)) << (10 * "-KMG".indexOf(matcher.group(2))) : -1;
        if (number < least) {
            throw new IllegalArgumentException(name + " must be a whole number of at least " + least
                    + ", which K, M, or G may follow, not " + value);
        }
        return number;
    }

    /**
     * The settings without the token itself.
     *
     * @return one line
     */
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
                        what + " must be a URL without user, query and fragment, unlike that of " + Source.shown(url));
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
        // As DJL does it: the variable, where it is set, hides the property.
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
