package io.github.convzoo.serve;

import com.google.gson.JsonElement;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A response.
 *
 * @param status the HTTP status
 * @param type the content type
 * @param headers other headers
 * @param body the content; may be empty
 */
record Answer(int status, String type, List<Header> headers, ByteBuffer body) {

    static final String JSON = "application/json";

    /** A header of a response. */
    record Header(String name, String value) {}

    static Answer json(JsonElement value) {
        return json(200, Json.line(value));
    }

    private static Answer json(int status, String text) {
        return new Answer(status, JSON, List.of(), StandardCharsets.UTF_8.encode(text));
    }

    static Answer text(String type, String text) {
        return new Answer(200, type, List.of(), StandardCharsets.UTF_8.encode(text));
    }

    static Answer bytes(String type, byte[] bytes) {
        return new Answer(200, type, List.of(), ByteBuffer.wrap(bytes));
    }

    /** An error. Says when to come back if the server is only busy. */
    static Answer of(Problem problem) {
        Answer answer = json(problem.kind().status, problem.toJson());
        return switch (problem.kind()) {
            case QUEUE_FULL, EXPIRED, STOPPING -> answer.with("Retry-After", "1");
            case UNAUTHORIZED -> answer.with("WWW-Authenticate", "Bearer");
            default -> answer;
        };
    }

    Answer with(String name, String value) {
        List<Header> more = new ArrayList<>(headers);
        more.add(new Header(name, value));
        return new Answer(status, type, List.copyOf(more), body);
    }

    /** Read-only, at its start. */
    @Override
    public ByteBuffer body() {
        return body.asReadOnlyBuffer();
    }
}
