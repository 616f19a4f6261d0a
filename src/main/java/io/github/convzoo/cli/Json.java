package io.github.convzoo.cli;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import java.util.Locale;
import java.util.regex.Pattern;

/** Writes results for programs as one JSON value, indented or on one line. */
final class Json {

    private static final Gson GSON = new GsonBuilder()
            .setPrettyPrinting()
            .disableHtmlEscaping()
            .serializeNulls()
            .create();

    private static final Gson LINE =
            new GsonBuilder().disableHtmlEscaping().serializeNulls().create();

    private static final Pattern UNSAFE = Pattern.compile("[\\u007f-\\u009f" + Main.DIRECTIONS + "]");

    private Json() {}

    /** One value on one line. */
    static String line(Object value) {
        return safe(LINE.toJson(value));
    }

    static String of(Object value) {
        return safe(GSON.toJson(value));
    }

    private static String safe(String json) {
        // Only strings contain such characters, and JSON allows escapes there, so names from a file cannot control a
        // terminal.
        return UNSAFE.matcher(json)
                .replaceAll(match -> String.format(
                        Locale.ROOT, "\\\\u%04x", (int) match.group().charAt(0)));
    }
}
