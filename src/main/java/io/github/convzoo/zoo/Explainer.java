package io.github.convzoo.zoo;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import io.github.convzoo.graph.ClassMaps;
import io.github.convzoo.graph.FoldNormalization;
import io.github.convzoo.graph.Graph;
import io.github.convzoo.graph.Pass;
import io.github.convzoo.graph.Type;
import io.github.convzoo.graph.Types;
import io.github.convzoo.graph.Value;
import io.github.convzoo.image.Labels;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.image.RgbImage;
import io.github.convzoo.message.Spelling;
import io.github.convzoo.network.Network;
import io.github.convzoo.nn.CompiledGraph;
import io.github.convzoo.nn.GraphBlock;
import io.github.convzoo.nn.PreparedGraph;
import io.github.convzoo.weights.ModelFolder;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Shows where an image has evidence for a class. Made by {@link ConvZoo#loadExplainer(String, LoadOptions)}.
 *
 * <p>By default, it computes the class activation map (Zhou et al., Learning Deep Features for Discriminative
 * Localization, CVPR 2016): the classifier applied to each position of the last feature map. That takes one forward
 * pass in any runtime, and is exact for networks that end with global average pooling and one linear layer. For these,
 * Grad-CAM on the last map (Selvaraju et al., Grad-CAM, ICCV 2017, section 3) is the same.
 *
 * <p>For another layer, it computes Grad-CAM with gradients, from the network's weights: the layer's channels, weighted
 * by the mean gradient of the class's logit. Negative contributions are kept; the paper cuts them off.
 *
 * <p>Thread-safe. The engine computes gradients for one thread at a time, so Grad-CAM on several threads waits.
 * {@link #close} waits for work in progress.
 */
public final class Explainer implements AutoCloseable {

    /** The engine has one gradient collector per process. */
    private static final ReentrantLock GRADIENTS = new ReentrantLock();

    private static final int MOST_SUGGESTIONS = 5;

    /** Between the synonyms in a label, such as those of ImageNet. */
    private static final Pattern COMMA = Pattern.compile("\\s*,\\s*");

    private final Model model;
    private final Network network;
    private final Preprocessing preprocessing;
    private final Labels labels;
    private final Shape input;

    /** From the input to logits and class activation maps; null if there are none. */
    private final @Nullable UnaryOperator<NDList> classMaps;

    /** Why there are no class activation maps. */
    private final String noClassMaps;

    private final Map<String, LayerGraph> layers = new ConcurrentHashMap<>();
    private final Gate gate;

    private Explainer(
            Model model,
            ConvZoo.Loaded loaded,
            Labels labels,
            @Nullable UnaryOperator<NDList> classMaps,
            String noClassMaps) {
        this.model = model;
        this.network = loaded.network();
        this.preprocessing = ConvZoo.preprocessing(loaded.config());
        this.labels = labels;
        this.input = loaded.config().input();
        this.classMaps = classMaps;
        this.noClassMaps = noClassMaps;
        gate = new Gate("the explainer of " + model.getName());
    }

    /** The network up to a layer's output, and from there to the logits. */
    private record LayerGraph(PreparedGraph before, PreparedGraph after) {

        void close() {
            before.close();
            after.close();
        }
    }

    static Explainer load(ModelSource source, LoadOptions options) throws IOException {
        if (options.training) {
            throw new IllegalArgumentException(
                    "a model for training cannot explain images; load it without forTraining()");
        }
        Model model = NativeLibrary.newModel(source.config().variant().modelName(), source.device(options));
        try {
            ConvZoo.Loaded loaded = ConvZoo.load(source, options, model.getNDManager());
            model.setBlock(loaded.network());
            Labels labels = ConvZoo.labels(loaded.config(), options);
            if (loaded.network().isOnlyCompiled()) {
                CompiledGraph maps = loaded.classMaps()
                        .orElseThrow(() -> new IllegalArgumentException(source.name()
                                + ": this is an exported graph without class activation maps; export it again with them"
                                + " (--class-maps), or add " + ModelFolder.WEIGHTS));
                return new Explainer(model, loaded, labels, maps::run, "");
            }
            return of(model, loaded, labels, options);
        } catch (IOException | RuntimeException e) {
            model.close();
            throw e;
        }
    }

    private static Explainer of(Model model, ConvZoo.Loaded loaded, Labels labels, LoadOptions options)
            throws IOException {
        ConvZoo.requirePrecision(options);
        Network network = loaded.network();
        Graph maps;
        try {
            maps = ClassMaps.of(network.graph());
        } catch (IllegalArgumentException e) {
            return new Explainer(model, loaded, labels, null, String.valueOf(e.getMessage()));
        }
        NDManager manager = model.getNDManager();
        if (options.compiled.isPresent()) {
            CompileRequest request =
                    new CompileRequest(options.compiled.get(), options.precision, manager.getDevice(), true);
            CompiledGraph compiled = ConvZoo.compiled(network, loaded.config(), request, options, manager);
            return new Explainer(model, loaded, labels, compiled::run, "");
        }
        Type type = Type.of(loaded.config().input().getShape());
        PreparedGraph prepared = network.prepare(Pass.applyAll(maps, List.of(type), List.of(new FoldNormalization())));
        manager.attachInternal("class maps", prepared);
        return new Explainer(model, loaded, labels, prepared::run, "");
    }

    /** {@return the name of the model's network} */
    public String modelName() {
        return network.modelName();
    }

    /** {@return the class names, in the order of class numbers} */
    public Labels labels() {
        return labels;
    }

    /**
     * Finds a class by number or name. A name may be a whole label, or one of the synonyms that commas separate in it,
     * in any case.
     *
     * @param text the number or name
     * @return the class number
     * @throws IllegalArgumentException if there is no such class, or several; the message names them
     */
    public int classNumber(String text) {
        String wanted = text.strip();
        List<Integer> exact = classes(name -> name.equals(wanted));
        List<Integer> found = !exact.isEmpty() ? exact : classes(name -> isNamed(name, wanted));
        OptionalInt number = number(wanted);
        if (number.isPresent() && !found.contains(number.getAsInt())) {
            found = new ArrayList<>(found);
            found.add(number.getAsInt());
        }
        if (found.size() == 1) {
            return found.get(0);
        }
        if (found.isEmpty()) {
            throw new IllegalArgumentException("unknown class " + wanted + "; pass a number from 0 to "
                    + (labels.size() - 1) + ", or a name" + suggestion(wanted, labels.names()));
        }
        throw new IllegalArgumentException(wanted + " is ambiguous: "
                + found.stream().map(this::described).collect(Collectors.joining(" or "))
                + (number.isPresent() ? "; rename the labels" : "; pass the number"));
    }

    private List<Integer> classes(Predicate<String> wanted) {
        return IntStream.range(0, labels.size())
                .filter(i -> wanted.test(labels.name(i)))
                .boxed()
                .toList();
    }

    private static boolean isNamed(String label, String wanted) {
        return label.equalsIgnoreCase(wanted)
                || COMMA.splitAsStream(label).anyMatch(synonym -> synonym.equalsIgnoreCase(wanted));
    }

    /** The text as a class number; empty if it is not one. */
    private OptionalInt number(String text) {
        if (!text.matches("[0-9]{1,9}")) {
            return OptionalInt.empty();
        }
        int number = Integer.parseInt(text);
        return number < labels.size() ? OptionalInt.of(number) : OptionalInt.empty();
    }

    private String described(int number) {
        return "class " + number + " (" + labels.name(number) + ")";
    }

    /**
     * {@return the canonical names of the layers that Grad-CAM supports, in the order in which they run: all whose
     * output is a map; empty if the model has no weights}
     */
    public List<String> layers() {
        if (network.isOnlyCompiled()) {
            return List.of();
        }
        Graph graph = network.graph();
        Types types = GraphBlock.types(graph, input);
        return graph.names().entrySet().stream()
                .filter(each -> types.of(each.getValue()).rank() == 4)
                .map(Map.Entry::getKey)
                .toList();
    }

    /**
     * Explains the predicted class by its class activation map.
     *
     * @param image the image, of any size
     * @return the explanation
     * @throws IllegalArgumentException if the network has no class activation maps; the message names a layer for
     *     Grad-CAM
     * @throws IllegalStateException if the explainer is closed, or the network's output is NaN
     */
    public Explanation explain(RgbImage image) {
        return gate.enter(() -> explained(image, OptionalInt.empty()));
    }

    /**
     * Explains a class by its class activation map.
     *
     * @param image the image, of any size
     * @param classNumber the class
     * @return the explanation
     * @throws IllegalArgumentException if there is no such class, or the network has no class activation maps; the
     *     message names a layer for Grad-CAM
     * @throws IllegalStateException if the explainer is closed, or the network's output is NaN
     */
    public Explanation explain(RgbImage image, int classNumber) {
        requireClass(classNumber);
        return gate.enter(() -> explained(image, OptionalInt.of(classNumber)));
    }

    /**
     * Explains the predicted class by Grad-CAM on a layer.
     *
     * @param image the image, of any size
     * @param layer one of {@link #layers}
     * @return the explanation
     * @throws IllegalArgumentException if there is no such layer, its output is not a map, or the model has no weights
     * @throws IllegalStateException if the explainer is closed, the network's output is NaN, or another part of this
     *     process computes gradients
     */
    public Explanation explainLayer(RgbImage image, String layer) {
        return gate.enter(() -> explained(image, layer, OptionalInt.empty()));
    }

    /**
     * Explains a class by Grad-CAM on a layer.
     *
     * @param image the image, of any size
     * @param layer one of {@link #layers}
     * @param classNumber the class
     * @return the explanation
     * @throws IllegalArgumentException if there is no such class or layer, the layer's output is not a map, or the
     *     model has no weights
     * @throws IllegalStateException if the explainer is closed, the network's output is NaN, or another part of this
     *     process computes gradients
     */
    public Explanation explainLayer(RgbImage image, String layer, int classNumber) {
        requireClass(classNumber);
        return gate.enter(() -> explained(image, layer, OptionalInt.of(classNumber)));
    }

    private void requireClass(int classNumber) {
        if (classNumber < 0 || classNumber >= labels.size()) {
            throw new IllegalArgumentException(
                    "the classes are 0 to " + (labels.size() - 1) + "; there is no class " + classNumber);
        }
    }

    private Explanation explained(RgbImage image, OptionalInt wanted) {
        UnaryOperator<NDList> network = classMaps;
        if (network == null) {
            throw new IllegalArgumentException(
                    modelName() + ": " + noClassMaps + "; use Grad-CAM on a layer, such as " + lastLayer());
        }
        try (NDManager scope = model.getNDManager().newSubManager()) {
            NDList outputs = network.apply(new NDList(preprocessing.toBatch(scope, List.of(image))));
            Scores scores = scores(outputs.get(0), wanted);
            NDArray maps = outputs.get(1);
            int height = Math.toIntExact(maps.getShape().get(2));
            int width = Math.toIntExact(maps.getShape().get(3));
            float[] map = maps.get(0, scores.chosen).toFloatArray();
            for (int i = 0; i < map.length; i++) {
                map[i] /= map.length;
            }
            return explanation(image, scores, Optional.empty(), new ActivationMap(height, width, map));
        }
    }

    private Explanation explained(RgbImage image, String layer, OptionalInt wanted) {
        if (network.isOnlyCompiled()) {
            throw new IllegalArgumentException(modelName() + ": an exported graph has no gradients for the layer "
                    + layer + "; add " + ModelFolder.WEIGHTS + ", or explain the last map");
        }
        LayerGraph parts = layers.computeIfAbsent(layer, this::layerGraph);
        try (NDManager scope = model.getNDManager().newSubManager()) {
            NDList crossing = parts.before.run(new NDList(preprocessing.toBatch(scope, List.of(image))));
            NDArray output = crossing.get(0);
            Gradient gradient = gradient(parts.after, crossing, wanted);
            int channels = Math.toIntExact(output.getShape().get(1));
            int height = Math.toIntExact(output.getShape().get(2));
            int width = Math.toIntExact(output.getShape().get(3));
            return explanation(
                    image,
                    gradient.scores,
                    Optional.of(layer),
                    new ActivationMap(
                            height, width, weighted(output.toFloatArray(), gradient.values, channels, height * width)));
        }
    }

    private LayerGraph layerGraph(String layer) {
        Graph graph = network.graph();
        Value value = graph.names().get(layer);
        if (value == null) {
            throw new IllegalArgumentException(modelName() + " has no layer " + layer + suggestion(layer, layers()));
        }
        Type type = GraphBlock.types(graph, input).of(value);
        if (type.rank() != 4) {
            throw new IllegalArgumentException(modelName() + ": the output of " + layer + " is " + type
                    + ", which has no positions; choose a layer before it" + suggestion(layer, layers()));
        }
        Graph.Halves halves = graph.splitAt(value);
        return new LayerGraph(network.prepare(halves.before()), network.prepare(halves.after()));
    }

    /** A gradient with respect to a layer's output, and the scores of the forward pass. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Gradient(Scores scores, float[] values) {}

    /** Computes the gradient of a logit with respect to the first input. */
    private static Gradient gradient(PreparedGraph graph, NDList inputs, OptionalInt wanted) {
        GRADIENTS.lock();
        try {
            NDArray first = inputs.get(0);
            first.setRequiresGradient(true);
            try (GradientCollector collector = collector()) {
                NDArray logits = graph.runDifferentiably(inputs).singletonOrThrow();
                Scores scores = scores(logits, wanted);
                collector.backward(logits.get(0, scores.chosen));
                try (NDArray gradient = first.getGradient()) {
                    return new Gradient(scores, gradient.toFloatArray());
                }
            } finally {
                first.setRequiresGradient(false);
            }
        } finally {
            GRADIENTS.unlock();
        }
    }

    private static GradientCollector collector() {
        try {
            return Engine.getEngine(ConvZoo.ENGINE).newGradientCollector();
        } catch (IllegalStateException e) {
            throw new IllegalStateException(
                    "Grad-CAM is not possible while this process trains, because the engine computes one gradient at a"
                            + " time; try again later, or explain the last map",
                    e);
        }
    }

    /** The sum of the channels, each weighted by its mean gradient. */
    private static float[] weighted(float[] values, float[] gradients, int channels, int positions) {
        double[] sums = new double[positions];
        for (int channel = 0; channel < channels; channel++) {
            double weight = 0;
            for (int i = 0; i < positions; i++) {
                weight += gradients[channel * positions + i];
            }
            weight /= positions;
            for (int i = 0; i < positions; i++) {
                sums[i] += weight * values[channel * positions + i];
            }
        }
        float[] map = new float[positions];
        for (int i = 0; i < positions; i++) {
            map[i] = (float) sums[i];
        }
        return map;
    }

    /** Probabilities, and the class to explain. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Scores(float[] probabilities, int best, int chosen) {}

    private static Scores scores(NDArray logits, OptionalInt wanted) {
        float[] probabilities;
        try (NDArray softmax = logits.softmax(1)) {
            probabilities = softmax.toFloatArray();
        }
        int best = 0;
        for (int i = 0; i < probabilities.length; i++) {
            if (Float.isNaN(probabilities[i])) {
                throw new IllegalStateException(
                        "the network's output is NaN; its weights are damaged, or were trained" + " for another input");
            }
            if (probabilities[i] > probabilities[best]) {
                best = i;
            }
        }
        return new Scores(probabilities, best, wanted.orElse(best));
    }

    private Explanation explanation(RgbImage image, Scores scores, Optional<String> layer, ActivationMap map) {
        return new Explanation(
                scores.chosen,
                labels.name(scores.chosen),
                scores.probabilities[scores.chosen],
                scores.chosen == scores.best,
                layer,
                map,
                preprocessing.inputArea(image.width(), image.height()),
                image.width(),
                image.height());
    }

    /** The name of the last map. */
    private String lastLayer() {
        String last = "";
        for (String stage : network.stages().keySet()) {
            last = stage;
        }
        return last;
    }

    /** Similar names, for the end of a message; the most similar first. */
    private static String suggestion(String wanted, List<String> names) {
        String lower = wanted.toLowerCase(Locale.ROOT);
        List<String> similar = names.stream()
                .filter(name ->
                        Spelling.distance(lower, name.toLowerCase(Locale.ROOT)) <= Math.max(2, name.length() / 2))
                .sorted(Comparator.comparingInt(name -> Spelling.distance(lower, name.toLowerCase(Locale.ROOT))))
                .limit(MOST_SUGGESTIONS)
                .toList();
        return similar.isEmpty() ? "" : "; similar: " + String.join(", ", similar);
    }

    /** Frees the model's memory, after work in progress; does nothing the second time. */
    @Override
    public void close() {
        gate.close(() -> {
            layers.values().forEach(LayerGraph::close);
            model.close();
        });
    }
}
