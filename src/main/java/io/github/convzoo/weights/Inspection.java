package io.github.convzoo.weights;

import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.checkpoint.Tensor;
import io.github.convzoo.checkpoint.Value;
import io.github.convzoo.network.Variant;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The contents of a weights file and the networks that it fits, determined without loading a network and without an
 * engine.
 *
 * @param checkpoint the file
 * @param tensors every tensor of the file in order, named by its path, such as {@code state_dict.module.fc.weight}; if
 *     the file is a single tensor, it has no name
 * @param entries the top-level entries other than tensors and the weights, such as {@code epoch}
 * @param weights the weights; null if the file has none that a network could load
 * @param problem why there are no weights; null if there are
 * @param prefixes the prefixes stripped from the weights' names, such as {@code module.}, each once
 * @param matches how the weights compare with every network: those that fit first, then the nearest first; empty if
 *     there are no weights
 */
public record Inspection(
        Checkpoint checkpoint,
        List<Tensor> tensors,
        List<Entry> entries,
        @Nullable StateDict weights,
        @Nullable String problem,
        List<String> prefixes,
        List<WeightMatch> matches) {

    private static final int SHOWN_CHARACTERS = 60;
    private static final double NEAR = 0.1;

    /** Elements are read from tensors of at most this many times the file's bytes in total, plus FREE_BYTES. */
    private static final int MOST_REPEATS = 16;

    private static final long FREE_BYTES = 16 << 20;

    /**
     * An entry that is not a tensor.
     *
     * @param name its name
     * @param kind its kind: text, whole, real, bool, none, bytes, mapping, sequence or placeholder
     * @param text its value, truncated to sixty characters; for mappings, sequences and bytes, their size; for a
     *     placeholder, its class
     */
    public record Entry(String name, String kind, String text) {}

    /** Copies the lists. */
    public Inspection {
        tensors = List.copyOf(tensors);
        entries = List.copyOf(entries);
        prefixes = List.copyOf(prefixes);
        matches = List.copyOf(matches);
    }

    /**
     * Inspects a file.
     *
     * @param file a checkpoint of any format that {@link Checkpoint} reads
     * @return its contents
     * @throws CheckpointException if the file is unreadable; not if it merely has no weights
     */
    public static Inspection of(Path file) throws CheckpointException {
        return of(Checkpoint.read(file));
    }

    static Inspection of(Checkpoint checkpoint) {
        return of(checkpoint, ReadOptions.DEFAULT);
    }

    /**
     * Inspects a checkpoint.
     *
     * @param checkpoint the checkpoint
     * @param options the location of the weights in it, and entries to ignore
     * @return its contents, which may have no weights
     */
    public static Inspection of(Checkpoint checkpoint, ReadOptions options) {
        List<Tensor> tensors = new ArrayList<>();
        collect(checkpoint.root(), "", tensors);
        StateDict weights = null;
        String problem = null;
        List<WeightMatch> matches = List.of();
        try {
            WeightSearch search = new WeightSearch(checkpoint, options);
            Map<Variant, StateDict> fits = new LinkedHashMap<>();
            for (Variant variant : Variant.all().values()) {
                if (search.isFor(variant)) {
                    fits.put(variant, search.of(variant));
                }
            }
            weights = fits.isEmpty() ? search.alone() : fits.values().iterator().next();
            matches = WeightMatch.rank(weights, fits);
            // Networks of one family have the same names, so only the shapes identify the network.
            StateDict best = matches.get(0).fits() ? fits.get(matches.get(0).variant()) : null;
            weights = best == null ? weights : best;
        } catch (CheckpointException e) {
            weights = null;
            problem = e.tensor().map(name -> name + ": ").orElse("") + e.problem();
        }
        return new Inspection(
                checkpoint,
                tensors,
                entries(checkpoint.root(), weights),
                weights,
                problem,
                weights == null ? List.of() : weights.prefixes(),
                matches);
    }

    /** {@return the matches of the networks that the weights fit} */
    public List<WeightMatch> fits() {
        return matches.stream().filter(WeightMatch::fits).toList();
    }

    /**
     * {@return the match of the most similar network; null if a network fits, or none is similar} Names that are common
     * everywhere, such as {@code fc.bias}, are not enough: a tenth of all names must match.
     */
    public @Nullable WeightMatch nearest() {
        return matches.isEmpty() || matches.get(0).fits() || matches.get(0).nearness() < NEAR ? null : matches.get(0);
    }

    /**
     * {@return how many of some tensors can be read in a time bounded by the file's size: the number of leading tensors
     * that together have no more than 16 MiB plus 16 times the bytes of the file} A file of a few bytes may have
     * tensors with many equal elements, or thousands of tensors that share their bytes.
     *
     * @param listed tensors of the file
     */
    public int readable(List<Tensor> listed) {
        long left = FREE_BYTES + MOST_REPEATS * checkpoint.bytes();
        for (int i = 0; i < listed.size(); i++) {
            Tensor tensor = listed.get(i);
            left -= tensor.size() * tensor.type().bytes();
            if (left < 0) {
                return i;
            }
        }
        return listed.size();
    }

    private static void collect(Value value, String path, List<Tensor> tensors) {
        if (value instanceof Tensor tensor) {
            tensors.add(tensor.withName(path));
        } else if (value instanceof Value.Mapping mapping) {
            mapping.entries().forEach((name, each) -> collect(each, join(path, name), tensors));
            for (int i = 0; i < mapping.unnamed().size(); i++) {
                collect(mapping.unnamed().get(i), join(path, "(unnamed " + i + ")"), tensors);
            }
        } else if (value instanceof Value.Sequence sequence) {
            for (int i = 0; i < sequence.items().size(); i++) {
                collect(sequence.items().get(i), join(path, Integer.toString(i)), tensors);
            }
        }
    }

    private static String join(String path, String name) {
        return path.isEmpty() ? name : path + "." + name;
    }

    private static List<Entry> entries(Value root, @Nullable StateDict weights) {
        List<Entry> entries = new ArrayList<>();
        if (root instanceof Value.Mapping mapping) {
            for (Map.Entry<String, Value> each : mapping.entries().entrySet()) {
                boolean place = weights != null
                        && !weights.path().isEmpty()
                        && (weights.path() + ".").startsWith(each.getKey() + ".");
                if (!place && !(each.getValue() instanceof Tensor)) {
                    entries.add(entry(each.getKey(), each.getValue()));
                }
            }
        }
        return entries;
    }

    private static Entry entry(String name, Value value) {
        String text = text(value);
        boolean cut = text.length() > SHOWN_CHARACTERS;
        return new Entry(name, kind(value), cut ? text.substring(0, SHOWN_CHARACTERS) + "..." : text);
    }

    private static String text(Value value) {
        if (value instanceof Value.Text text) {
            return text.text();
        }
        if (value instanceof Value.Whole whole) {
            return whole.number().toString();
        }
        if (value instanceof Value.Real real) {
            return Double.toString(real.number());
        }
        if (value instanceof Value.Bool bool) {
            return Boolean.toString(bool.truth());
        }
        if (value instanceof Value.Bytes bytes) {
            return count(bytes.data().remaining(), "byte", "bytes");
        }
        if (value instanceof Value.Sequence sequence) {
            return count(sequence.items().size(), "item", "items");
        }
        if (value instanceof Value.Mapping mapping) {
            return count(mapping.entries().size() + mapping.unnamed().size(), "entry", "entries");
        }
        return value instanceof Value.Placeholder placeholder ? placeholder.global() : "";
    }

    private static String count(int count, String one, String many) {
        return count + " " + (count == 1 ? one : many);
    }

    private static String kind(Value value) {
        return value.getClass().getSimpleName().toLowerCase(Locale.ROOT);
    }
}
