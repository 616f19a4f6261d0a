package io.github.convzoo.cli;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;

/** Results for programs: one JSON value, indented. */
final class Json {

    private static final Gson GSON = new GsonBuilder()
            .setPrettyPrinting()
            .disableHtmlEscaping()
            .serializeNulls()
            .create();

    private Json() {}

    static String of(Object value) {
        return GSON.toJson(value);
    }
}
