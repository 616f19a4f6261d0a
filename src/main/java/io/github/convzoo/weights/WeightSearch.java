package io.github.convzoo.weights;

import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.checkpoint.Dialect;
import io.github.convzoo.checkpoint.Tensor;
import io.github.convzoo.checkpoint.Value;
import io.github.convzoo.network.Network;
import io.github.convzoo.network.Variant;
import io.github.convzoo.nn.CanonicalNames;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Finds a network's weights in a checkpoint.
 *
 * <p>A mapping fits if its names, in the format's dialect, include every parameter of the network except the
 * classifier's; if necessary, without the parts that wrappers insert into names, and without one prefix. If exactly one
 * mapping fits, it is used. If several fit, they must have the same values, or be in the conventional places of
 * training checkpoints, of which the first is used; otherwise the choice is ambiguous. Guesses are recorded as {@link
 * LoadReport.Note}s.
 */
final class WeightSearch {

    /** Parts that wrappers insert into names. */
    private static final Set<String> INNER_WRAPPERS = Set.of(
            "module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module", "_forward_module", "_layers");

    /** The maximum nesting depth of weights in mappings and sequences. */
    private static final int DEEPEST = 6;

    /** The maximum number of places in a message. */
    private static final int SHOWN = 8;

    private static final Value.Mapping NOTHING = new Value.Mapping(Map.of(), List.of());

    private final Checkpoint checkpoint;
    /** The top-level mapping; empty if the top level is a list. */
    private final Value.Mapping root;

    private final Dialect dialect;
    private final @Nullable String key;
    private final List<String> patterns;
    private final List<Pattern> ignored;
    private final List<Candidate> candidates = new ArrayList<>();
    /** The patterns that matched something. */
    private final Set<Pattern> used = new HashSet<>();

    /** A mapping that contains tensors. */
    private record Candidate(String path, Value.Mapping mapping) {}

    /**
     * How a candidate's names map to those of a network.
     *
     * @param inner whether to strip wrappers inside names
     * @param prefix the prefix to strip; empty for none
     */
    private record Naming(boolean inner, String prefix) {
        static final Naming SAME = new Naming(false, "");

        String apply(String name) {
            String rest = inner ? withoutWrappers(name) : name;
            return rest.startsWith(prefix) ? rest.substring(prefix.length()) : rest;
        }

        boolean isSame() {
            return !inner && prefix.isEmpty();
        }
    }

    /** A candidate that fits a network by its names. */
    private record Fit(Candidate candidate, Naming naming) {
        String place() {
            String path = candidate.path.isEmpty() ? "the top" : candidate.path;
            return naming.prefix.isEmpty() ? path : path + " with the prefix " + naming.prefix;
        }
    }

    WeightSearch(Checkpoint checkpoint, ReadOptions options) throws CheckpointException {
        this.checkpoint = checkpoint;
        this.dialect = Dialect.of(checkpoint.format());
        this.key = options.key();
        this.patterns = options.ignored();
        this.ignored = patterns.stream().map(Glob::of).toList();
        if (checkpoint.root() instanceof Value.Placeholder whole) {
            throw error(
                    "",
                    "contains a pickled object of class " + whole.global()
                            + ", not a state dict; save its state_dict() instead");
        }
        collect("", checkpoint.root(), 0);
        if (candidates.isEmpty() && !(checkpoint.root() instanceof Value.Mapping)) {
            throw error("", "has no named tensors; save the model's state_dict()");
        }
        this.root = checkpoint.root() instanceof Value.Mapping mapping ? mapping : NOTHING;
        if (key != null) {
            Candidate chosen = at(key, checkpoint.root());
            candidates.clear();
            candidates.add(chosen);
        }
    }

    /** The weights of a network; if none fit, the most similar ones, so that loading can report the differences. */
    StateDict of(Variant variant) throws CheckpointException {
        if (dialect.isOrdered()) {
            return of(root, "", Naming.SAME, List.of());
        }
        Set<String> required = required(variant);
        List<Fit> fits = fits(required);
        if (fits.isEmpty()) {
            return key == null ? nearest(required) : of(candidates.get(0).mapping, key, Naming.SAME, List.of());
        }
        return chosen(fits, variant);
    }

    /** Whether there are weights that fit a network by their names. */
    boolean isFor(Variant variant) {
        return !fits(required(variant)).isEmpty();
    }

    /** The required names of the weights, in the network's order. */
    private static Set<String> required(Variant variant) {
        Network network = variant.build();
        Set<String> required =
                new LinkedHashSet<>(CanonicalNames.parameters(network).keySet());
        required.remove(network.classifier() + ".weight");
        required.remove(network.classifier() + ".bias");
        return required;
    }

    /** The weights of an unknown network. */
    StateDict alone() throws CheckpointException {
        return nearest(Set.of());
    }

    private List<Fit> fits(Set<String> required) {
        List<Fit> fits = new ArrayList<>();
        for (Candidate candidate : candidates) {
            // None of an optimizer's many mappings is large enough.
            if (candidate.mapping.entries().size() >= required.size()) {
                namings(names(candidate), required).forEach(naming -> fits.add(new Fit(candidate, naming)));
            }
        }
        return fits;
    }

    /** A candidate's tensor names, in the dialect. */
    private List<String> names(Candidate candidate) {
        List<String> names = new ArrayList<>();
        candidate.mapping.entries().forEach((name, value) -> {
            if (dialect.unwrapped(value) instanceof Tensor && !dialect.isDescription(name) && !isIgnored(name)) {
                names.add(dialect.name(name));
            }
        });
        return names;
    }

    /** The possible mappings of names to a network's; more than one only if several prefixes fit. */
    private static List<Naming> namings(List<String> names, Set<String> required) {
        Set<String> plain = new LinkedHashSet<>(names);
        if (plain.containsAll(required)) {
            return List.of(Naming.SAME);
        }
        Set<String> inner = apply(names, WeightSearch::withoutWrappers);
        if (inner.containsAll(required)) {
            return List.of(new Naming(true, ""));
        }
        List<Naming> namings = prefixes(plain, required, false);
        return namings.isEmpty() ? prefixes(inner, required, true) : namings;
    }

    private static List<Naming> prefixes(Set<String> names, Set<String> required, boolean inner) {
        String first = "." + required.iterator().next();
        return names.stream()
                .filter(name -> name.endsWith(first))
                .map(name -> name.substring(0, name.length() - first.length() + 1))
                .filter(prefix -> required.stream().allMatch(name -> names.contains(prefix + name)))
                .map(prefix -> new Naming(inner, prefix))
                .toList();
    }

    private static Set<String> apply(Collection<String> names, UnaryOperator<String> change) {
        return names.stream().map(change).collect(Collectors.toCollection(LinkedHashSet::new));
    }

    private static List<String> wrappers(String name) {
        return Arrays.stream(name.split("\\.", -1))
                .filter(INNER_WRAPPERS::contains)
                .toList();
    }

    private static String withoutWrappers(String name) {
        return Arrays.stream(name.split("\\.", -1))
                .filter(part -> !INNER_WRAPPERS.contains(part))
                .collect(Collectors.joining("."));
    }

    private StateDict chosen(List<Fit> fits, Variant variant) throws CheckpointException {
        List<Fit> left = fits;
        if (fits.size() > 1) {
            // Networks of one family have the same names, for example a teacher and its student.
            List<Fit> exact = new ArrayList<>();
            for (Fit fit : fits) {
                WeightMatch match = WeightMatch.of(of(fit, List.of()), variant);
                if (match.missing().isEmpty() && match.misfits().isEmpty()) {
                    exact.add(fit);
                }
            }
            if (exact.isEmpty()) {
                // Loading reports which shapes differ.
                return of(fits.get(preferred(fits)), List.of());
            }
            left = exact;
        }
        int place = preferred(left);
        Fit taken = left.get(place);
        List<String> others = new ArrayList<>();
        Map<String, Tensor> tensors = of(taken, List.of()).tensors();
        for (int i = 0; i < left.size(); i++) {
            if (i != place && !isSame(tensors, of(left.get(i), List.of()).tensors())) {
                others.add(left.get(i).place());
            }
        }
        // Of two prefixes in one mapping, neither is more conventional.
        boolean conventional = left.stream().allMatch(this::isConventional)
                && left.stream().map(fit -> fit.candidate.path).distinct().count() == left.size();
        if (!others.isEmpty() && !conventional) {
            others.add(0, taken.place());
            String key = left.stream()
                    .map(WeightSearch::key)
                    .filter(each -> !each.isEmpty())
                    .findFirst()
                    .orElse("");
            throw new CheckpointException(
                    checkpoint.file(),
                    -1,
                    null,
                    "several weights fit " + variant.modelName() + " and differ: " + String.join(", ", others)
                            + "; choose with --key (withKey in Java), such as --key " + key,
                    null);
        }
        List<LoadReport.Note> notes = new ArrayList<>();
        if (!isConventional(taken) && key == null) {
            notes.add(new LoadReport.Note(LoadReport.Rule.PLACE_FOUND, List.of(taken.candidate.path)));
        }
        if (!others.isEmpty()) {
            notes.add(new LoadReport.Note(LoadReport.Rule.NOT_TAKEN, others));
        }
        return of(taken, notes);
    }

    private static String key(Fit fit) {
        String path = fit.candidate.path;
        String prefix =
                fit.naming.prefix.isEmpty() ? "" : fit.naming.prefix.substring(0, fit.naming.prefix.length() - 1);
        return path + (path.isEmpty() || prefix.isEmpty() ? "" : ".") + prefix;
    }

    /** The one in the most conventional place; else the first. */
    private int preferred(List<Fit> fits) {
        for (String place : dialect.places()) {
            for (int i = 0; i < fits.size(); i++) {
                if (fits.get(i).candidate.path.equals(place)) {
                    return i;
                }
            }
        }
        return 0;
    }

    /** Whether weights are in a conventional place. */
    private boolean isConventional(Fit fit) {
        return fit.candidate.path.isEmpty() || dialect.places().contains(fit.candidate.path);
    }

    private static boolean isSame(Map<String, Tensor> one, Map<String, Tensor> other) {
        if (!one.keySet().equals(other.keySet())) {
            return false;
        }
        for (Map.Entry<String, Tensor> each : one.entrySet()) {
            Tensor tensor = each.getValue();
            Tensor counterpart = other.get(each.getKey());
            if (counterpart == null || !tensor.hasSameElements(counterpart)) {
                return false;
            }
        }
        return true;
    }

    /** The weights if none fit: those in a conventional place, else those with the most matching names. */
    private StateDict nearest(Set<String> names) throws CheckpointException {
        if (key != null) {
            return of(candidates.get(0).mapping, key, Naming.SAME, List.of());
        }
        for (String place : dialect.places()) {
            if (root.entries().get(place) instanceof Value.Mapping weights) {
                return of(nested(place, weights), List.of());
            }
        }
        List<Candidate> likely = candidates.stream()
                .filter(candidate -> !isOfOptimizer(candidate.path))
                .toList();
        Candidate best = null;
        long most = 0;
        for (Candidate candidate : likely) {
            long matching = names(candidate).stream().filter(names::contains).count();
            if (matching > most) {
                best = candidate;
                most = matching;
            }
        }
        boolean top = likely.stream().anyMatch(candidate -> candidate.path.isEmpty());
        if (best == null && !top && likely.size() > 1) {
            throw error(
                    "",
                    "has several mappings of tensors: " + places(likely)
                            + "; name the network, or choose one with --key (withKey in Java)");
        }
        if (best == null && !top && !likely.isEmpty()) {
            best = likely.get(0);
        }
        for (String place : dialect.places()) {
            if (best == null && root.entries().get(place) instanceof Value.Placeholder whole) {
                throw error(
                        place,
                        "is a pickled object of class " + whole.global()
                                + ", not a state dict; save its state_dict() instead");
            }
        }
        if (best == null || best.path.isEmpty()) {
            return of(root, "", Naming.SAME, List.of());
        }
        return of(
                best.mapping,
                best.path,
                Naming.SAME,
                List.of(new LoadReport.Note(LoadReport.Rule.PLACE_FOUND, List.of(best.path))));
    }

    /** Weights in a conventional place may be nested further, inside mappings only. */
    private Fit nested(String place, Value.Mapping weights) {
        List<Candidate> inside = candidates.stream()
                .filter(candidate -> candidate.path.equals(place) || candidate.path.startsWith(place + "."))
                .toList();
        Candidate only = inside.size() == 1 ? inside.get(0) : new Candidate(place, weights);
        return new Fit(only, Naming.SAME);
    }

    private static boolean isOfOptimizer(String path) {
        String top = path.toLowerCase(Locale.ROOT);
        return top.startsWith("optim") || top.contains(".optim") || top.contains("scheduler");
    }

    /** Collects the mappings that contain tensors. */
    private void collect(String path, Value value, int depth) {
        if (value instanceof Value.Mapping mapping) {
            if (mapping.entries().values().stream().anyMatch(this::isOfTensors)) {
                candidates.add(new Candidate(path, mapping));
            }
            if (depth < DEEPEST) {
                mapping.entries().forEach((name, each) -> {
                    if (!isIgnored(name)) {
                        collect(join(path, name), each, depth + 1);
                    }
                });
            }
        } else if (value instanceof Value.Sequence sequence && depth < DEEPEST) {
            for (int i = 0; i < sequence.items().size(); i++) {
                collect(join(path, Integer.toString(i)), sequence.items().get(i), depth + 1);
            }
        }
    }

    /** Whether a value is a tensor, even one of an unsupported kind. */
    private boolean isOfTensors(Value value) {
        return dialect.unwrapped(value) instanceof Tensor
                || (value instanceof Value.Placeholder placeholder
                        && placeholder.remedy().isPresent());
    }

    /** The mapping at a path; or the entries of one whose names start with the rest of the path. */
    private Candidate at(String path, Value top) throws CheckpointException {
        List<Value> found = new ArrayList<>();
        find("", top, path, found);
        if (found.size() > 1) {
            throw error("", "has two entries at " + path + ", one with dots in its name; rename one");
        }
        if (found.size() == 1 && found.get(0) instanceof Value.Mapping mapping) {
            return new Candidate(path, mapping);
        }
        if (found.size() == 1) {
            throw error(
                    path,
                    found.get(0) instanceof Value.Placeholder whole
                            ? "is a pickled object of class " + whole.global()
                                    + ", not a state dict; save its state_dict() instead"
                            : "is not a mapping of tensors; choose from " + places(candidates));
        }
        for (Candidate candidate : candidates) {
            String start = candidate.path.isEmpty() ? "" : candidate.path + ".";
            if (!path.startsWith(start)) {
                continue;
            }
            String prefix = path.substring(start.length()) + ".";
            Map<String, Value> entries = new LinkedHashMap<>();
            candidate.mapping.entries().forEach((name, value) -> {
                if (name.startsWith(prefix)) {
                    entries.put(name.substring(prefix.length()), value);
                }
            });
            if (!entries.isEmpty()) {
                return new Candidate(path, new Value.Mapping(entries, List.of()));
            }
        }
        throw error("", "has no entry " + path + "; tensors are at " + places(candidates));
    }

    private static void find(String path, Value value, String wanted, List<Value> found) {
        if (!path.isEmpty() && path.equals(wanted)) {
            found.add(value);
        } else if (path.isEmpty() || wanted.startsWith(path + ".")) {
            if (value instanceof Value.Mapping mapping) {
                mapping.entries().forEach((name, each) -> find(join(path, name), each, wanted, found));
            } else if (value instanceof Value.Sequence sequence) {
                for (int i = 0; i < sequence.items().size(); i++) {
                    find(join(path, Integer.toString(i)), sequence.items().get(i), wanted, found);
                }
            }
        }
    }

    private static String places(List<Candidate> candidates) {
        List<String> paths = candidates.stream()
                .map(candidate -> candidate.path.isEmpty() ? "the top" : candidate.path)
                .toList();
        String shown = String.join(", ", paths.subList(0, Math.min(SHOWN, paths.size())));
        return paths.isEmpty()
                ? "no place"
                : shown + (paths.size() > SHOWN ? " and " + (paths.size() - SHOWN) + " more" : "");
    }

    private static String join(String path, String name) {
        return path.isEmpty() ? name : path + "." + name;
    }

    private StateDict of(Fit fit, List<LoadReport.Note> notes) throws CheckpointException {
        return of(fit.candidate.mapping, fit.candidate.path, fit.naming, notes);
    }

    private StateDict of(Value.Mapping weights, String path, Naming naming, List<LoadReport.Note> guessed)
            throws CheckpointException {
        if (!weights.unnamed().isEmpty()) {
            throw error(path, "has entries without a name, so it is not a state dict");
        }
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        Set<String> prefixes = new LinkedHashSet<>();
        List<String> leftOut = new ArrayList<>();
        Set<String> wrapped = new LinkedHashSet<>();
        for (Map.Entry<String, Value> entry : weights.entries().entrySet()) {
            String name = entry.getKey();
            if (dialect.isDescription(name)) {
                continue;
            }
            if (isIgnored(name)) {
                leftOut.add(name);
                continue;
            }
            if (!(dialect.unwrapped(entry.getValue()) instanceof Tensor tensor)) {
                throw notATensor(path, name, entry.getValue());
            }
            Tensor canonical = dialect.tensor(name, tensor);
            String before = canonical.name();
            if (before.length() < name.length() && name.endsWith(before)) {
                prefixes.add(name.substring(0, name.length() - before.length()));
            }
            String after = naming.apply(before);
            if (before.endsWith(after) && !after.equals(before)) {
                wrapped.add(before.substring(0, before.length() - after.length()));
            } else if (!after.equals(before)) {
                wrappers(before).forEach(wrapper -> wrapped.add(wrapper + ". inside names"));
            }
            if (tensors.put(after, canonical.withName(after)) != null) {
                throw new CheckpointException(
                        checkpoint.file(),
                        -1,
                        after,
                        "occurs twice after prefixes are stripped; save the state dict of one model",
                        null);
            }
        }
        requireUse();
        if (tensors.isEmpty()) {
            throw error(path, "has no tensors");
        }
        List<LoadReport.Note> notes = new ArrayList<>(guessed);
        if (!naming.isSame()) {
            notes.add(new LoadReport.Note(LoadReport.Rule.PREFIX_STRIPPED, List.copyOf(wrapped)));
            prefixes.addAll(wrapped);
        }
        if (!leftOut.isEmpty()) {
            notes.add(new LoadReport.Note(LoadReport.Rule.IGNORED_AS_ASKED, leftOut));
        }
        return new StateDict(checkpoint, path, List.copyOf(prefixes), notes, tensors);
    }

    /** Refuses patterns without matches, so that misspelled ones are noticed. */
    private void requireUse() throws CheckpointException {
        for (int i = 0; i < ignored.size(); i++) {
            if (!used.contains(ignored.get(i))) {
                throw error("", "has no entry matching " + patterns.get(i) + "; check --ignore");
            }
        }
    }

    private boolean isIgnored(String name) {
        boolean any = false;
        for (Pattern pattern : ignored) {
            if (pattern.matcher(name).matches()) {
                used.add(pattern);
                any = true;
            }
        }
        return any;
    }

    private CheckpointException notATensor(String path, String name, Value value) {
        String remedy = value instanceof Value.Placeholder placeholder
                ? placeholder.remedy().orElse(null)
                : null;
        if (remedy != null) {
            return new CheckpointException(checkpoint.file(), -1, join(path, name), "is " + remedy, null);
        }
        return error(
                path,
                "has an entry " + name + " that is not a tensor (" + kind(value)
                        + "), so it is not a state dict; save the model's state_dict(), or ignore the entry with"
                        + " --ignore '" + name + "' (withIgnored in Java)");
    }

    private static String kind(Value value) {
        return value instanceof Value.Placeholder placeholder
                ? placeholder.global()
                : value.getClass().getSimpleName().toLowerCase(Locale.ROOT);
    }

    private CheckpointException error(String path, String problem) {
        String where = path.isEmpty() ? "the file " : "its entry " + path + " ";
        return new CheckpointException(checkpoint.file(), -1, null, where + problem, null);
    }
}
