package io.github.convzoo.serve;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A request, with its whole body. */
final class Call {

    private static final Pattern NUMBER = Pattern.compile("[0-9]{1,9}");

    private final Map<String, String> path;
    private final Map<String, List<String>> query;
    private final Function<String, @Nullable String> headers;
    private final byte[] body;
    private final long deadline;
    private final MemoryBudget.Share memory;

    /**
     * Collects the parts of a request.
     *
     * @param path the parts of the path that the route names
     * @param query the decoded parameters of the query
     * @param headers finds a header by its name, ignoring case
     * @param body the content
     * @param deadline when its computation must have begun, on the clock of the queue
     * @param memory what the request may take of the memory that all share
     */
    Call(
            Map<String, String> path,
            Map<String, List<String>> query,
            Function<String, @Nullable String> headers,
            byte[] body,
            long deadline,
            MemoryBudget.Share memory) {
        this.path = path;
        this.query = query;
        this.headers = headers;
        this.body = body;
        this.deadline = deadline;
        this.memory = memory;
    }

    /** A part of the path that the route has. */
    String path(String name) {
        String part = path.get(name);
        if (part == null) {
            throw new IllegalArgumentException("the route has no " + name);
        }
        return part;
    }

    /** A part of the path that some routes have. */
    Optional<String> pathIfAny(String name) {
        return Optional.ofNullable(path.get(name));
    }

    Optional<String> header(String name) {
        return Optional.ofNullable(headers.apply(name)).map(String::strip).filter(value -> !value.isEmpty());
    }

    byte[] body() {
        return body;
    }

    long deadline() {
        return deadline;
    }

    /** The request's share of memory, from which whatever is larger than the body is taken before it is made. */
    MemoryBudget.Share memory() {
        return memory;
    }

    /** Refuses parameters that would have no effect. */
    void allowQuery(Set<String> known) throws Problem {
        for (Map.Entry<String, List<String>> each : query.entrySet()) {
            if (!known.contains(each.getKey())) {
                throw new Problem(
                        Problem.Kind.BAD_REQUEST,
                        "unknown parameter " + each.getKey() + "; "
                                + (known.isEmpty() ? "there are none here" : "use " + String.join(", ", known)));
            }
            if (each.getValue().size() != 1) {
                throw new Problem(
                        Problem.Kind.BAD_REQUEST,
                        "the parameter " + each.getKey() + " is given "
                                + each.getValue().size() + " times; give it once");
            }
        }
    }

    Optional<String> query(String name) {
        return Optional.ofNullable(query.get(name)).map(values -> values.get(0));
    }

    /** Parses a number that a client wrote. */
    static int number(String name, String text, int from, int to) throws Problem {
        if (NUMBER.matcher(text).matches()) {
            int value = Integer.parseInt(text);
            if (value >= from && value <= to) {
                return value;
            }
        }
        throw new Problem(
                Problem.Kind.BAD_REQUEST, name + " must be a number from " + from + " to " + to + ", not " + text);
    }
}
