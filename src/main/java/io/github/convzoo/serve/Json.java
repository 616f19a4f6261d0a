package io.github.convzoo.serve;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;

/** Writes answers. Characters that matter in HTML are escaped, in case a browser takes an answer for a page. */
final class Json {

    private static final Gson GSON = new GsonBuilder().serializeNulls().create();

    private Json() {}

    /** One value on one line. */
    static String line(JsonElement value) {
        return GSON.toJson(value);
    }
}
