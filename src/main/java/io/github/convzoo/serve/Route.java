package io.github.convzoo.serve;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;

/**
 * What the server does at a path.
 *
 * @param methods the methods, {@code GET} with {@code HEAD}
 * @param template the path, with {@code {name}} for a part that varies
 * @param open whether it needs no API key
 * @param endpoint what answers
 */
record Route(Set<String> methods, String template, boolean open, Endpoint endpoint) {

    /** Answers a request. */
    @FunctionalInterface
    interface Endpoint {

        /** Answers at once, or later; on a thread for decoding if the route has a body. */
        CompletionStage<Answer> answer(Call call) throws Problem;
    }

    /** Whether requests have a body. */
    boolean hasBody() {
        return methods.contains("POST");
    }

    /** The parts of a path that vary, if it is this route's. */
    Optional<Map<String, String>> match(String path) {
        List<String> expected = List.of(template.split("/", -1));
        List<String> given = List.of(path.split("/", -1));
        if (expected.size() != given.size()) {
            return Optional.empty();
        }
        Map<String, String> parts = new LinkedHashMap<>();
        for (int i = 0; i < expected.size(); i++) {
            String part = expected.get(i);
            if (part.startsWith("{")) {
                parts.put(part.substring(1, part.length() - 1), given.get(i));
            } else if (!part.equals(given.get(i))) {
                return Optional.empty();
            }
        }
        return Optional.of(parts);
    }
}
