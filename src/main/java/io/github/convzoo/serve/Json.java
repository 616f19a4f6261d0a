package io.github.convzoo.serve;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.MalformedJsonException;
import io.github.convzoo.message.Reason;
import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.InputStreamReader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/**
 * Reads requests and writes answers. Requests are read as a stream, because a tree of small values takes many times the
 * memory of its text. In answers, characters that matter in HTML are escaped, in case a browser takes an answer for a
 * page.
 */
final class Json {

    private static final Gson GSON = new GsonBuilder().serializeNulls().create();

    private static final String NOT_UTF_8 = "the JSON of the request is not UTF-8; encode it as UTF-8";

    private Json() {}

    /** One value on one line. */
    static String line(JsonElement value) {
        return GSON.toJson(value);
    }

    /**
     * A reader of the JSON at the start of a body. Its exceptions are for {@link #problem}.
     *
     * @param body the body
     * @param length the length of the JSON in bytes
     * @throws Problem if it is not UTF-8, as far as its start shows
     */
    static JsonReader reader(byte[] body, int length) throws Problem {
        // UTF-16 and UTF-32 have zeros here, which are also valid UTF-8.
        if (length >= 2 && (body[0] == 0 || body[1] == 0)) {
            throw new Problem(Problem.Kind.BAD_REQUEST, NOT_UTF_8);
        }
        JsonReader reader = new JsonReader(new InputStreamReader(
                new ByteArrayInputStream(body, 0, length),
                StandardCharsets.UTF_8
                        .newDecoder()
                        .onMalformedInput(CodingErrorAction.REPORT)
                        .onUnmappableCharacter(CodingErrorAction.REPORT)));
        reader.setStrictness(Strictness.STRICT);
        return reader;
    }

    /** What is wrong with a request, from an exception of its reader. */
    static Problem problem(Exception e) {
        String message;
        if (e instanceof CharacterCodingException) {
            message = NOT_UTF_8;
        } else if (e instanceof EOFException) {
            message = "the request ends within its JSON";
        } else if (e instanceof MalformedJsonException) {
            message = "the request is not JSON: " + Reason.ofJson(e);
        } else {
            message = "the request does not follow the protocol: " + Reason.ofJson(e);
        }
        return new Problem(Problem.Kind.BAD_REQUEST, message, e);
    }
}
