package io.github.convzoo.quantize;

import io.github.convzoo.graph.Graph;
import io.github.convzoo.graph.Node;
import io.github.convzoo.graph.Quantize;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Selects layers by name: their own names, names of enclosing blocks, and patterns of these. */
final class LayerNames implements Predicate<Node> {

    private static final int EXAMPLES = 5;

    private final List<Pattern> patterns;

    private LayerNames(List<Pattern> patterns) {
        this.patterns = patterns;
    }

    /**
     * Parses the names.
     *
     * @throws IllegalArgumentException if one matches no layer of the graph
     */
    static LayerNames of(List<String> names, Graph graph) {
        List<Node> layers = Quantize.layers(graph);
        List<Pattern> patterns = names.stream().map(LayerNames::pattern).toList();
        for (int i = 0; i < names.size(); i++) {
            Pattern pattern = patterns.get(i);
            if (layers.stream().noneMatch(layer -> pattern.matcher(layer.name()).matches())) {
                throw new IllegalArgumentException(names.get(i) + " matches no layer; choose from "
                        + layers.stream()
                                .map(Node::name)
                                .distinct()
                                .limit(EXAMPLES)
                                .collect(Collectors.joining(", ")) + " ...");
            }
        }
        return new LayerNames(patterns);
    }

    private static Pattern pattern(String name) {
        StringBuilder regex = new StringBuilder();
        for (String part : name.split("\\*", -1)) {
            regex.append(regex.isEmpty() ? "" : ".*").append(Pattern.quote(part));
        }
        return Pattern.compile(regex + "(\\..*)?");
    }

    @Override
    public boolean test(Node layer) {
        return patterns.stream()
                .anyMatch(pattern -> pattern.matcher(layer.name()).matches());
    }
}
