package io.github.convzoo.serve;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.Fields;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds the route of a request, reads its body, and writes the answer. None of Jetty's threads waits for any of it. */
final class RequestHandler extends Handler.Abstract {

    private static final Logger LOGGER = LoggerFactory.getLogger(RequestHandler.class);

    /** A client may send any method; metrics must not have as many rows. */
    private static final Set<String> METHODS = Set.of("GET", "HEAD", "POST", "PUT", "OPTIONS");

    private final List<Route> routes;
    private final AccessRules access;
    private final ServerOptions options;
    private final Metrics metrics;
    private final Executor decoders;
    private final MemoryBudget budget;
    private final ConnectionWatch watch;

    /**
     * Creates the handler.
     *
     * @param decoders runs the first stage of requests with a body; may reject it
     * @param watch learns what happens on connections
     */
    RequestHandler(
            List<Route> routes,
            AccessRules access,
            ServerOptions options,
            Metrics metrics,
            Executor decoders,
            ConnectionWatch watch) {
        super(InvocationType.NON_BLOCKING);
        this.routes = routes;
        this.access = access;
        this.options = options;
        this.metrics = metrics;
        this.decoders = decoders;
        this.watch = watch;
        budget = new MemoryBudget(options.limits().memory());
        metrics.watchMemory(budget::taken);
    }

    /** A route that fits a path, and the parts of the path. */
    private record Found(Route route, Map<String, String> parts) {}

    @Override
    public boolean handle(Request request, Response response, Callback callback) {
        long start = System.nanoTime();
        String template = "none";
        MemoryBudget.Share memory = budget.share();
        ConnectionWatch.Watched connection =
                watch.of(request.getConnectionMetaData().getConnection());
        connection.handle();
        CompletionStage<Answer> answer;
        try {
            HttpFields headers = request.getHeaders();
            access.requireOwnHost(headers.get("Host"), headers.get("Origin"));
            Found found =
                    found(request, () -> access.requireKey(headers.get("Authorization"), headers.get("X-Api-Key")));
            template = found.route.template();
            answer =
                    answer(request, found, start + options.batching().deadline().toNanos(), memory);
        } catch (Problem e) {
            answer = CompletableFuture.failedFuture(e);
        } catch (RuntimeException e) {
            answer = CompletableFuture.failedFuture(e);
        }
        String route = template;
        answer.exceptionally(RequestHandler::answer).thenAccept(ready -> {
            metrics.answered(
                    route,
                    METHODS.contains(request.getMethod()) ? request.getMethod() : "other",
                    ready.status(),
                    System.nanoTime() - start);
            // What the client does not read fast enough stays in memory.
            memory.settle(ready.body().remaining());
            connection.write(ready.body().remaining());
            Runnable written = () -> {
                memory.release();
                connection.finish();
            };
            // In this order: the next request may begin as soon as Jetty knows.
            Callback last = Callback.from(written, callback);
            try {
                write(closing(request, ready), response, last);
            } catch (RuntimeException e) {
                // Jetty may have ended the response already.
                last.failed(e);
            }
        });
        return true;
    }

    /** Refuses a request without the key. */
    @FunctionalInterface
    private interface Key {
        void require() throws Problem;
    }

    /** A client that asked for a tunnel may send anything next, for another server to read. */
    private static Answer closing(Request request, Answer answer) {
        return request.getMethod().equals("CONNECT") ? answer.with("Connection", "close") : answer;
    }

    /** Finds a request's route. Without the key, nobody learns which routes there are, except for the open ones. */
    private Found found(Request request, Key key) throws Problem {
        String path = Request.getPathInContext(request);
        if (routes.stream().noneMatch(route -> route.open() && route.match(path).isPresent())) {
            key.require();
        }
        Set<String> methods = new TreeSet<>();
        for (Route route : routes) {
            Optional<Map<String, String>> parts = route.match(path);
            if (parts.isPresent()) {
                if (route.methods().contains(request.getMethod())) {
                    return new Found(route, parts.get());
                }
                methods.addAll(route.methods());
            }
        }
        if (methods.isEmpty()) {
            throw new Problem(
                    Problem.Kind.NOT_FOUND, "there is nothing at " + path + "; /api lists what this server has");
        }
        String allowed = String.join(", ", methods);
        throw new Problem(
                Problem.Kind.METHOD_NOT_ALLOWED,
                path + " allows " + allowed + ", not " + request.getMethod(),
                new AllowedMethods(allowed));
    }

    /** Carries the header {@code Allow} of an error. */
    private static final class AllowedMethods extends Exception {

        private static final long serialVersionUID = 1L;

        AllowedMethods(String methods) {
            super(methods);
        }
    }

    private CompletionStage<Answer> answer(Request request, Found found, long deadline, MemoryBudget.Share memory)
            throws Problem {
        HttpFields headers = request.getHeaders();
        Map<String, List<String>> query = query(request);
        if (!found.route.hasBody()) {
            return found.route
                    .endpoint()
                    .answer(new Call(found.parts, query, headers::get, new byte[0], deadline, memory));
        }
        @Nullable String encoding = headers.get("Content-Encoding");
        if (encoding != null && !encoding.equalsIgnoreCase("identity")) {
            throw new Problem(
                    Problem.Kind.UNSUPPORTED_TYPE,
                    "the request's body is compressed (" + encoding + "); send it as it is, for images are already");
        }
        return new RequestBody(request, options.limits(), memory)
                .read()
                .thenCompose(bytes ->
                        decoded(found.route, new Call(found.parts, query, headers::get, bytes, deadline, memory)));
    }

    /** Runs an endpoint on a thread for decoding. */
    private CompletionStage<Answer> decoded(Route route, Call call) {
        CompletableFuture<Answer> result = new CompletableFuture<>();
        try {
            decoders.execute(() -> {
                try {
                    if (System.nanoTime() - call.deadline() >= 0) {
                        throw new Problem(
                                Problem.Kind.EXPIRED,
                                "the request waited until its deadline and was not computed; try again later");
                    }
                    route.endpoint().answer(call).whenComplete((answer, failure) -> {
                        if (failure == null) {
                            result.complete(answer);
                        } else {
                            result.completeExceptionally(failure);
                        }
                    });
                } catch (Throwable e) {
                    // Also an error, such as too little memory: the client must get an answer.
                    result.completeExceptionally(e);
                }
            });
        } catch (RejectedExecutionException e) {
            result.completeExceptionally(
                    new Problem(Problem.Kind.QUEUE_FULL, "too many requests wait to be decoded; try again later", e));
        }
        return result;
    }

    private static Map<String, List<String>> query(Request request) throws Problem {
        Map<String, List<String>> query = new LinkedHashMap<>();
        try {
            for (Fields.Field field : Request.extractQueryParameters(request)) {
                query.put(field.getName(), field.getValues());
            }
        } catch (RuntimeException e) {
            throw new Problem(Problem.Kind.BAD_REQUEST, "the URL's parameters cannot be read: " + e.getMessage(), e);
        }
        return query;
    }

    /** The answer to a request that failed. */
    static Answer answer(Throwable failure) {
        Throwable cause = failure;
        while (cause instanceof CompletionException && cause.getCause() != null) {
            cause = cause.getCause();
        }
        if (cause instanceof Problem problem) {
            Answer answer = Answer.of(problem);
            return cause.getCause() instanceof AllowedMethods allowed
                    ? answer.with("Allow", String.valueOf(allowed.getMessage()))
                    : answer;
        }
        LOGGER.error("a request failed", cause);
        if (cause instanceof OutOfMemoryError) {
            return Answer.of(new Problem(
                    Problem.Kind.QUEUE_FULL, "the server has too little memory for the request now; try again later"));
        }
        return Answer.of(Problem.internal(cause));
    }

    /** Writes an answer, whole. */
    static void write(Answer answer, Response response, Callback callback) {
        response.setStatus(answer.status());
        response.getHeaders()
                .put("Content-Type", answer.type())
                .put("Content-Length", answer.body().remaining())
                .put("X-Content-Type-Options", "nosniff")
                .put("Cache-Control", "no-store");
        for (Answer.Header header : answer.headers()) {
            response.getHeaders().put(header.name(), header.value());
        }
        response.write(true, answer.body(), callback);
    }
}
