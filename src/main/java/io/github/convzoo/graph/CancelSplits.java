package io.github.convzoo.graph;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Removes splits: a split of a concat uses its parts, a split of a convolution's output becomes several convolutions
 * with fewer filters, and elementwise operations move from the whole to the parts. A concat remains a list of parts
 * until something needs the whole.
 */
public final class CancelSplits implements Pass {

    /** Creates the pass. */
    public CancelSplits() {}

    @Override
    public Graph apply(Graph graph, Types types) {
        return graph.nodes().stream().anyMatch(node -> node.op() instanceof Op.Split)
                ? new Parts(graph, types).rewrite()
                : graph;
    }

    /** A value of the new graph, and its number of channels. */
    private record Part(Value value, long channels) {}

    private static final class Parts {

        private final Graph graph;
        private final Types types;
        private final Rewrite rewrite;

        /** The channels at which values of the old graph are divided. */
        private final Map<Value, SortedSet<Long>> borders = new HashMap<>();

        /** The parts of values of the old graph. Missing ones are whole. */
        private final Map<Value, List<Part>> parts = new HashMap<>();

        private final Map<List<Part>, Value> concats = new HashMap<>();

        Parts(Graph graph, Types types) {
            this.graph = graph;
            this.types = types;
            rewrite = new Rewrite(graph);
        }

        Graph rewrite() {
            for (int i = graph.nodes().size() - 1; i >= 0; i--) {
                findBorders(graph.nodes().get(i));
            }
            graph.inputs().forEach(input -> divide("", input));
            graph.nodes().forEach(this::rewrite);
            graph.outputs().forEach(output -> rewrite.replace(output, whole(output)));
            return rewrite.finish();
        }

        private void findBorders(Node node) {
            Value first = node.inputs().get(0);
            if (node.op() instanceof Op.Split split) {
                long start = 0;
                for (int i = 0; i < node.outputs().size(); i++) {
                    start = i == 0 ? 0 : split.starts().get(i - 1);
                    if (i > 0) {
                        bordersOf(first).add(start);
                    }
                    for (long border : bordersOf(node.outputs().get(i))) {
                        bordersOf(first).add(start + border);
                    }
                }
            } else if (node.op() instanceof Op.Concat) {
                long start = 0;
                for (Value input : node.inputs()) {
                    long end = start + channels(input);
                    for (long border : bordersOf(node.output())) {
                        if (border > start && border < end) {
                            bordersOf(input).add(border - start);
                        }
                    }
                    start = end;
                }
            } else if (node.op() instanceof Op.Elementwise || node.op() instanceof Op.Add) {
                SortedSet<Long> wanted = bordersOf(node.output());
                node.inputs().forEach(input -> bordersOf(input).addAll(wanted));
            }
        }

        private void rewrite(Node node) {
            if (node.op() instanceof Op.Concat) {
                List<Part> all = new ArrayList<>();
                node.inputs().forEach(input -> all.addAll(partsOf(input)));
                parts.put(node.output(), all);
                return;
            } else if (node.op() instanceof Op.Split split) {
                List<List<Part>> segments = segments(node.inputs().get(0), new TreeSet<>(split.starts()));
                for (int i = 0; i < segments.size(); i++) {
                    parts.put(node.outputs().get(i), segments.get(i));
                }
                return;
            }
            SortedSet<Long> wanted = borders.getOrDefault(node.output(), new TreeSet<>());
            if (wanted.isEmpty()) {
                keepWhole(node);
            } else if (node.op() instanceof Op.Add) {
                parts.put(node.output(), sums(node, wanted));
            } else if (node.op() instanceof Op.Elementwise) {
                parts.put(
                        node.output(),
                        partsOf(node.inputs().get(0)).stream()
                                .map(part ->
                                        new Part(rewrite.add(node.name(), node.op(), part.value()), part.channels()))
                                .toList());
            } else if (node.op() instanceof Op.Convolution conv && conv.groups() == 1) {
                parts.put(node.output(), cut(node, conv, wanted));
            } else {
                keepWhole(node);
                divide(node.name(), node.output());
            }
        }

        /** Splits a value that is not available in parts otherwise. */
        private void divide(String name, Value value) {
            SortedSet<Long> wanted = borders.getOrDefault(value, new TreeSet<>());
            if (wanted.isEmpty()) {
                return;
            }
            List<Value> outputs = rewrite.addAll(name, new Op.Split(List.copyOf(wanted)), value);
            List<Part> all = new ArrayList<>();
            long from = 0;
            for (long to : ends(wanted, channels(value))) {
                all.add(new Part(outputs.get(all.size()), to - from));
                from = to;
            }
            parts.put(value, all);
            concats.put(all, value);
        }

        private void keepWhole(Node node) {
            node.inputs().forEach(input -> rewrite.replace(input, whole(input)));
            rewrite.keep(node);
        }

        /** One sum per range of channels; the parts of the two operands may differ. */
        private List<Part> sums(Node node, SortedSet<Long> wanted) {
            List<List<Part>> first = segments(node.inputs().get(0), wanted);
            List<List<Part>> second = segments(node.inputs().get(1), wanted);
            List<Part> results = new ArrayList<>();
            for (int i = 0; i <= wanted.size(); i++) {
                Value sum = rewrite.add(
                        node.name(), node.op(), joined(node.name(), first.get(i)), joined(node.name(), second.get(i)));
                long channels = first.get(i).stream().mapToLong(Part::channels).sum();
                results.add(new Part(sum, channels));
            }
            return results;
        }

        /** One convolution per range of filters. */
        private List<Part> cut(Node node, Op.Convolution conv, SortedSet<Long> wanted) {
            Value input = whole(node.inputs().get(0));
            List<Part> results = new ArrayList<>();
            long from = 0;
            for (long to : ends(wanted, conv.filters())) {
                Op.Convolution some = new Op.Convolution(
                        new Constant.Rows(conv.weight(), from, to),
                        conv.bias() == null ? null : new Constant.Rows(conv.bias(), from, to),
                        Math.toIntExact(to - from),
                        conv.window(),
                        1);
                results.add(new Part(rewrite.add(node.name(), some, input), to - from));
                from = to;
            }
            return results;
        }

        /** The parts of a value between borders, all of which are borders of parts. */
        private List<List<Part>> segments(Value value, SortedSet<Long> wanted) {
            List<List<Part>> segments = new ArrayList<>();
            List<Part> segment = new ArrayList<>();
            long at = 0;
            for (Part part : partsOf(value)) {
                if (wanted.contains(at)) {
                    segments.add(segment);
                    segment = new ArrayList<>();
                }
                segment.add(part);
                at += part.channels();
            }
            segments.add(segment);
            if (segments.size() != wanted.size() + 1) {
                throw new IllegalStateException(value + " is not divided at channels " + wanted);
            }
            return segments;
        }

        private List<Part> partsOf(Value value) {
            List<Part> known = parts.get(value);
            return known == null ? List.of(new Part(rewrite.now(value), channels(value))) : known;
        }

        private Value whole(Value value) {
            List<Part> known = parts.get(value);
            return known == null ? rewrite.now(value) : joined("", known);
        }

        private Value joined(String name, List<Part> all) {
            return all.size() == 1
                    ? all.get(0).value()
                    : concats.computeIfAbsent(
                            List.copyOf(all),
                            key -> rewrite.add(
                                    name,
                                    new Op.Concat(),
                                    all.stream().map(Part::value).toArray(Value[]::new)));
        }

        private static List<Long> ends(SortedSet<Long> wanted, long last) {
            List<Long> ends = new ArrayList<>(wanted);
            ends.add(last);
            return ends;
        }

        private SortedSet<Long> bordersOf(Value value) {
            return borders.computeIfAbsent(value, key -> new TreeSet<>());
        }

        private long channels(Value value) {
            return types.of(value).get(1);
        }
    }
}
