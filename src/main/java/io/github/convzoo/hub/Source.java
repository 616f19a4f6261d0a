package io.github.convzoo.hub;

import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A place that has a file.
 *
 * @param uri the file
 * @param fileName its name in the cache
 * @param hub whether this is the hub, whose responses announce the file's SHA-256
 * @param digits the first digits of the file's SHA-256, from an older file's name; null if there are none
 */
record Source(URI uri, String fileName, boolean hub, @Nullable String digits) {

    /** File names of PyTorch's model zoo: eight or more digits after the last dash. */
    private static final Pattern DIGITS = Pattern.compile(".*-([0-9a-f]{8,64})\\.[^-]*");

    /** A file's sources in the order to try them. */
    static List<Source> of(RemoteFile file, StoreSettings settings) {
        List<Source> sources = new ArrayList<>();
        if (file.repository() != null) {
            for (URI endpoint : settings.endpoints()) {
                URI uri = URI.create(
                        endpoint + "/" + file.repository() + "/resolve/" + file.revision() + "/" + file.fileName());
                sources.add(new Source(uri, file.fileName(), true, null));
            }
        }
        for (String url : file.urls()) {
            String fileName = RemoteFile.name(url);
            for (URI mirror : settings.mirrors()) {
                sources.add(new Source(URI.create(mirror + "/" + fileName), fileName, false, digits(fileName)));
            }
            sources.add(new Source(URI.create(url), fileName, false, digits(fileName)));
        }
        return sources;
    }

    /** The first digits of the SHA-256 in a file name; null if there are none. */
    static @Nullable String digits(String fileName) {
        Matcher matcher = DIGITS.matcher(fileName);
        return matcher.matches() ? matcher.group(1) : null;
    }

    /** The URL for messages and records, without parts that may be secret, such as signatures in the query. */
    static String shown(URI uri) {
        if (uri.getHost() == null) {
            return uri.toString();
        }
        String port = uri.getPort() < 0 ? "" : ":" + uri.getPort();
        return uri.getScheme() + "://" + uri.getHost() + port + uri.getRawPath();
    }

    @Override
    public String toString() {
        return shown(uri);
    }
}
