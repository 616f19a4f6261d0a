package io.github.convzoo.serve;

import com.google.gson.JsonObject;
import java.util.Locale;

/** A request that gets an error instead of what it asked for. The message is for the client. */
final class Problem extends Exception {

    private static final long serialVersionUID = 1L;

    /** The longest message, in UTF-16 units. Names in a message may be as long as requests are. */
    private static final int LONGEST = 1000;

    private final Kind kind;

    /** The kinds of errors, with their HTTP status. */
    enum Kind {
        BAD_REQUEST(400),
        BAD_IMAGE(400),
        UNAUTHORIZED(401),
        FORBIDDEN(403),
        NOT_FOUND(404),
        UNKNOWN_MODEL(404),
        METHOD_NOT_ALLOWED(405),
        NOT_ACCEPTABLE(406),
        TOO_SLOW(408),
        TOO_LARGE(413),
        UNSUPPORTED_TYPE(415),
        WRONG_HOST(421),
        HEADERS_TOO_LARGE(431),
        INTERNAL(500),
        NOT_IMPLEMENTED(501),
        QUEUE_FULL(503),
        EXPIRED(503),
        STOPPING(503);

        final int status;

        Kind(int status) {
            this.status = status;
        }

        /** The first kind of an HTTP status, or the one for its class. */
        static Kind of(int status) {
            for (Kind kind : values()) {
                if (kind.status == status) {
                    return kind;
                }
            }
            // 505 is about the client's version of HTTP.
            return status >= 500 && status != 505 ? INTERNAL : BAD_REQUEST;
        }
    }

    Problem(Kind kind, String message) {
        super(message);
        this.kind = kind;
    }

    Problem(Kind kind, String message, Throwable cause) {
        super(message, cause);
        this.kind = kind;
    }

    /** An error of the server, which says nothing about its inside. */
    static Problem internal(Throwable cause) {
        return new Problem(Kind.INTERNAL, "the server failed; its log says why", cause);
    }

    Kind kind() {
        return kind;
    }

    /** The body of every error: {@code {"error": message, "type": kind}}. */
    String toJson() {
        return json(kind.name().toLowerCase(Locale.ROOT), String.valueOf(getMessage()));
    }

    static String json(String type, String message) {
        JsonObject object = new JsonObject();
        object.addProperty("error", shortened(message));
        object.addProperty("type", type);
        return Json.line(object);
    }

    private static String shortened(String message) {
        return message.length() <= LONGEST
                ? message
                : message.substring(0, LONGEST / 2) + "..." + message.substring(message.length() - LONGEST / 2);
    }
}
