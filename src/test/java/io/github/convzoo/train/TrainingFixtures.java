package io.github.convzoo.train;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** What PyTorch computes, as src/test/python/optimizer_fixtures.py writes it. */
final class TrainingFixtures {

    private TrainingFixtures() {}

    static JsonObject read(String name) {
        String resource = "/train/" + name + ".json";
        try (InputStream stream = TrainingFixtures.class.getResourceAsStream(resource)) {
            if (stream == null) {
                throw new IllegalArgumentException("no resource " + resource);
            }
            return new Gson().fromJson(new InputStreamReader(stream, StandardCharsets.UTF_8), JsonObject.class);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static double[] doubles(JsonObject object, String name) {
        return new Gson().fromJson(object.get(name), double[].class);
    }

    static float[] floats(JsonObject object, String name) {
        return new Gson().fromJson(object.get(name), float[].class);
    }

    static int[] ints(JsonObject object, String name) {
        return new Gson().fromJson(object.get(name), int[].class);
    }
}
