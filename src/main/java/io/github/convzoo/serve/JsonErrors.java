package io.github.convzoo.serve;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;

/** Jetty's own errors, for requests that are not HTTP for example, in the shape of all others. */
final class JsonErrors extends ErrorHandler {

    JsonErrors() {
        setShowStacks(false);
    }

    @Override
    protected void generateResponse(
            Request request,
            Response response,
            int code,
            @Nullable String message,
            @Nullable Throwable cause,
            Callback callback) {
        response.getHeaders().put("Content-Type", Answer.JSON);
        response.write(true, body(code, message), callback);
    }

    @Override
    public boolean errorPageForMethod(String method) {
        return true;
    }

    /** Jetty's reasons name what is wrong with a request; about its own failures they say too much. */
    private static ByteBuffer body(int status, @Nullable String reason) {
        Problem.Kind kind = Problem.Kind.of(status);
        String text = reason == null || kind == Problem.Kind.INTERNAL ? HttpStatus.getMessage(status) : reason;
        return StandardCharsets.UTF_8.encode(Problem.json(kind.name().toLowerCase(Locale.ROOT), String.valueOf(text)));
    }
}
