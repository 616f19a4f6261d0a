package io.github.convzoo.cli;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import java.util.Locale;
import java.util.regex.Pattern;

/** Results for programs: one JSON value, indented. */
final class Json {

    private static final Gson GSON = new GsonBuilder()
            .setPrettyPrinting()
            .disableHtmlEscaping()
            .serializeNulls()
            .create();

    private static final Pattern UNSAFE = Pattern.compile("[\\u007f-\\u009f" + Main.DIRECTIONS + "]");

    private Json() {}

    static String of(Object value) {
        // Only text holds such characters, and there they may be escaped: names out of a file drive no terminal.
        return UNSAFE.matcher(GSON.toJson(value))
                .replaceAll(match -> String.format(
                        Locale.ROOT, "\\\\u%04x", (int) match.group().charAt(0)));
    }
}
