package io.github.convzoo.train;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.data.Batch;
import io.github.convzoo.nn.CanonicalNames;
import io.github.convzoo.nn.DynamicConv2d;
import io.github.convzoo.nn.GraphBlock;
import io.github.convzoo.nn.Layer;
import io.github.convzoo.weights.Glob;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Trains a network, one step at a time.
 *
 * <p>Between steps, the network is in its inference state: its dynamic convolutions are at temperature 1, and no thread
 * keeps anything for gradients. The engine computes gradients for one learner per process at a time, so a learner
 * belongs to one thread. On one machine's CPU, with the same number of threads, the same weights, recipe and batches
 * give bit-identical weights.
 */
public final class Learner implements AutoCloseable {

    private static final String ENGINE = "PyTorch";

    private final Block network;
    private Recipe recipe;
    private final NDManager manager;
    private final Map<String, Parameter> parameters;
    private final List<TrainedParameter> trained;

    /** Parameters that were trainable before, and become so again when this learner is closed. */
    private final List<Parameter> frozen = new ArrayList<>();

    /** Running statistics, which forward passes update. */
    private final List<Parameter> statistics = new ArrayList<>();

    private final List<Replica> replicas = new ArrayList<>();
    private final OptimizerState optimizer;
    private final @Nullable MovingAverage average;
    private long step;
    private LossScale lossScale = LossScale.INITIAL;
    private boolean averageInPlace;

    /** The factor of the schedule's rate. */
    private double rateFactor = 1;

    /**
     * Prepares a network for training on the device that it is on.
     *
     * @param network from (N, channels, H, W) to logits (N, classes), initialized
     * @param recipe the training recipe
     */
    public Learner(Block network, Recipe recipe) {
        this(network, recipe, List.of());
    }

    /**
     * Prepares a network for training on several devices, each of which processes its part of a batch.
     *
     * @param network from (N, channels, H, W) to logits (N, classes), initialized on the first device
     * @param recipe the training recipe
     * @param devices the devices; the network's own if empty. A device may be repeated
     * @throws IllegalArgumentException if the network is not initialized or is on another device, a pattern of the
     *     recipe matches nothing, or no parameter is trainable
     */
    public Learner(Block network, Recipe recipe, List<Device> devices) {
        if (!network.isInitialized()) {
            throw new IllegalArgumentException("the network has no parameters yet; initialize it or load its weights");
        }
        this.network = network;
        this.recipe = recipe;
        parameters = CanonicalNames.parameters(network);
        Device first = parameters.values().iterator().next().getArray().getDevice();
        if (!devices.isEmpty() && !devices.get(0).equals(first)) {
            throw new IllegalArgumentException(
                    "the network is on " + first + "; initialize it on the first device, " + devices.get(0));
        }
        trained = freeze();
        for (Block each : CanonicalNames.blocks(network).keySet()) {
            if (each instanceof GraphBlock graph) {
                graph.unfoldNorms();
            }
        }
        for (Parameter parameter : parameters.values()) {
            parameter.getArray().setRequiresGradient(false);
            if (isStatistic(parameter)) {
                statistics.add(parameter);
            }
        }
        manager = NDManager.newBaseManager(first, ENGINE);
        for (Device device : devices.isEmpty() ? List.of(first) : devices) {
            replicas.add(new Replica(
                    network, parameters.values(), trained, device, manager, replicas.isEmpty(), recipe.precision()));
        }
        optimizer = new OptimizerState(recipe.optimizer(), trained, manager);
        average = recipe.averaging()
                .map(averaging -> new MovingAverage(averaging, changing(), manager))
                .orElse(null);
    }

    private List<TrainedParameter> freeze() {
        Set<String> names = new HashSet<>();
        recipe.frozen().forEach(pattern -> names.addAll(matching(pattern, parameters.keySet())));
        Map<String, Double> factors = new LinkedHashMap<>();
        recipe.rateFactors().forEach((pattern, factor) -> {
            for (String name : matching(pattern, parameters.keySet())) {
                factors.put(name, factor);
            }
        });
        List<TrainedParameter> left = new ArrayList<>();
        parameters.forEach((name, parameter) -> {
            if (parameter.requiresGradient() && !isStatistic(parameter)) {
                if (names.contains(name)) {
                    frozen.add(parameter);
                } else {
                    left.add(new TrainedParameter(name, parameter, factors.getOrDefault(name, 1.0)));
                }
            }
        });
        if (left.isEmpty()) {
            throw new IllegalArgumentException("nothing to train because every parameter is frozen; freeze fewer");
        }
        frozen.forEach(parameter -> parameter.freeze(true));
        return List.copyOf(left);
    }

    /** The names that match; a pattern without matches is a mistake. */
    private static List<String> matching(String pattern, Set<String> names) {
        Pattern glob = Glob.of(pattern);
        List<String> matching =
                names.stream().filter(name -> glob.matcher(name).matches()).toList();
        if (matching.isEmpty()) {
            throw new IllegalArgumentException("no parameter matches " + pattern + "; use names such as "
                    + names.iterator().next() + ", in which * is a wildcard");
        }
        return matching;
    }

    private static boolean isStatistic(Parameter parameter) {
        return parameter.getType() == Parameter.Type.RUNNING_MEAN || parameter.getType() == Parameter.Type.RUNNING_VAR;
    }

    /** The arrays that training changes, by name. */
    private Map<String, NDArray> changing() {
        Map<String, NDArray> changing = new LinkedHashMap<>();
        for (TrainedParameter each : trained) {
            changing.put(each.name(), each.array());
        }
        parameters.forEach((name, parameter) -> {
            if (isStatistic(parameter)) {
                changing.put(name, parameter.getArray());
            }
        });
        return changing;
    }

    /** {@return the number of steps, including steps skipped in float16; at least 0} */
    public long step() {
        return step;
    }

    /**
     * {@return the learning rate of a step, including the changes of {@link #reduceRate} so far}
     *
     * @param number the number of steps before the step, at least 0
     */
    public double rate(long number) {
        return rateFactor * recipe.schedule().at(number);
    }

    /**
     * Multiplies the learning rate of all further steps. A saved state includes the product of all factors.
     *
     * @param factor positive and finite
     */
    public void reduceRate(double factor) {
        if (!(factor > 0) || Double.isInfinite(factor)) {
            throw new IllegalArgumentException("the learning rate factor must be positive and finite, not " + factor);
        }
        rateFactor *= factor;
    }

    /** {@return the network in training} */
    public Block network() {
        return network;
    }

    /** {@return the recipe} */
    public Recipe recipe() {
        return recipe;
    }

    /** {@return the device that the network is on, the first if there are several} */
    public Device device() {
        return manager.getDevice();
    }

    /**
     * Trains on a batch: one update of the weights.
     *
     * @param batch the batch; the caller still owns it
     * @return the result
     * @throws DivergedException if the loss or a gradient is not finite; then nothing was changed
     */
    public StepResult step(Batch batch) throws DivergedException {
        try (NDArray samples = batch.toArray(manager)) {
            return step(samples, Targets.of(batch));
        } catch (DivergedException e) {
            throw e.in(batch);
        }
    }

    /**
     * Trains on samples: one update of the weights.
     *
     * @param samples the network's input, usually (N, channels, H, W), on any device; the caller still owns it
     * @param targets N targets
     * @return the result
     * @throws DivergedException if the loss or a gradient is not finite; then nothing was changed
     * @throws IllegalArgumentException if the numbers of targets and samples differ
     */
    public StepResult step(NDArray samples, Targets targets) throws DivergedException {
        checkOwnWeights();
        if (samples.getShape().dimension() < 1 || samples.getShape().get(0) != targets.size()) {
            throw new IllegalArgumentException("a batch of shape" + " " + samples.getShape() + " has " + targets.size()
                    + " targets; pass one per sample");
        }
        Engine engine = manager.getEngine();
        engine.setRandomSeed(seed());
        recipe.annealing().ifPresent(annealing -> setTemperature(annealing.at(step / recipe.stepsPerEpoch())));
        try (NDManager scope = manager.newSubManager();
                Scalars scalars = new Scalars(manager)) {
            NDArray statisticsBefore = snapshot(scope);
            replicas.forEach(Replica::begin);
            try (NDList gradients = new NDList()) {
                Pass pass = new Pass();
                try (GradientCollector collector = engine.newGradientCollector()) {
                    double divisor = recipe.loss().divisor(targets);
                    for (Part part : parts(targets.size())) {
                        pass.run(part, samples, targets, divisor, scope, collector, scalars);
                    }
                }
                gather(gradients);
                unscale(gradients, scalars);
                double rate = rate(step);
                double loss = pass.loss();
                double norm = norm(gradients);
                requireFinite(loss, norm, rate);
                StepResult result = new StepResult(step, loss, rate, norm, pass.correct(), targets.size());
                finish(gradients, result, scalars);
                return result;
            } catch (DivergedException | RuntimeException e) {
                restoreStatistics(statisticsBefore);
                throw e;
            }
        } finally {
            replicas.forEach(Replica::end);
            recipe.annealing().ifPresent(annealing -> setTemperature(1));
        }
    }

    private boolean isScaled() {
        return recipe.precision() == Precision.FP16;
    }

    /** Must be called before gradient norms are computed. */
    private void unscale(NDList gradients, Scalars scalars) {
        if (isScaled()) {
            gradients.forEach(gradient -> gradient.muli(scalars.of(1 / lossScale.factor())));
        }
    }

    /**
     * Only gradients may overflow, and only while the loss scale can still decrease; the unscaled loss must be finite.
     *
     * @throws DivergedException if skipping the step does not help
     */
    private void requireFinite(double loss, double norm, double rate) throws DivergedException {
        if (Double.isFinite(loss) && Double.isFinite(norm)) {
            return;
        }
        if (!isScaled()) {
            throw new DivergedException(step, loss, norm, rate);
        }
        if (!Double.isFinite(loss) || lossScale.after(false).isExhausted()) {
            throw DivergedException.inHalfPrecision(step, loss, norm, rate);
        }
    }

    /** Updates the weights, or skips the update; the schedule advances anyway, because it counts batches. */
    private void finish(NDList gradients, StepResult result, Scalars scalars) {
        if (!result.isSkipped()) {
            update(gradients, result.rate(), result.gradientNorm(), scalars);
        }
        if (isScaled()) {
            lossScale = lossScale.after(!result.isSkipped());
        }
        step++;
        spreadStatistics();
    }

    private void update(NDList gradients, double rate, double norm, Scalars scalars) {
        if (recipe.clipNorm().isPresent()) {
            // PyTorch's formula, which ends slightly below the maximum norm.
            double share = recipe.clipNorm().getAsDouble() / (norm + 1e-6);
            if (share < 1) {
                gradients.forEach(gradient -> gradient.muli(scalars.of(share)));
            }
        }
        long updates = step - lossScale.skipped();
        optimizer.update(gradients, rate, updates, scalars);
        if (average != null) {
            average.update(updates, scalars);
        }
        for (Replica other : replicas.subList(1, replicas.size())) {
            for (TrainedParameter each : trained) {
                Values.set(other.array(each.parameter()), each.array());
            }
        }
    }

    /** A range of samples, and the replica that processes it. */
    private record Part(Replica replica, int start, int end) {}

    /**
     * Refuses batches with single-sample parts for which BatchNorm would have a single value per channel to normalize.
     *
     * @param sample a sample's shape
     * @param batch the number of samples of a batch
     */
    void requireParts(Shape sample, int batch) {
        int count = Math.min(batch, recipe.accumulation() * replicas.size());
        if (batch / count > 1 || sample.dimension() != 3 || !(network instanceof GraphBlock flow)) {
            return;
        }
        for (Layer layer : Layer.list(flow, new Shape(1).addAll(sample))) {
            Shape map = layer.output();
            Parameter scale = parameters.get(layer.name() + ".weight");
            boolean learns = scale != null && scale.requiresGradient();
            if (layer.kind().equals("BatchNorm2d") && learns && map.size() == map.get(1)) {
                throw new IllegalArgumentException("a batch of " + batch + (count == 1 ? "" : " in " + count + " parts")
                        + " has single images, but " + layer.name() + " normalizes maps of 1 x 1 pixels at inputs of "
                        + sample.get(1) + " x " + sample.get(2)
                        + "; BatchNorm needs more than one value per channel in training; use larger batches"
                        + (count == 1 ? "" : " or fewer parts") + ", or a larger input size");
            }
        }
    }

    /** Splits samples evenly, in order; the devices alternate. */
    private List<Part> parts(int samples) {
        int count = Math.min(samples, recipe.accumulation() * replicas.size());
        List<Part> parts = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            int start = (int) ((long) samples * i / count);
            int end = (int) ((long) samples * (i + 1) / count);
            parts.add(new Part(replicas.get(i % replicas.size()), start, end));
        }
        return parts;
    }

    /** The forward and backward passes of a step. Results are read at the end, so that devices need not wait. */
    private final class Pass {
        private final List<NDArray> losses = new ArrayList<>();
        private final List<NDArray> classes = new ArrayList<>();
        private final List<int[]> expected = new ArrayList<>();

        void run(
                Part part,
                NDArray samples,
                Targets all,
                double divisor,
                NDManager scope,
                GradientCollector collector,
                Scalars scalars) {
            Targets targets = all.slice(part.start(), part.end());
            Device device = part.replica().device();
            try (NDManager own = scope.newSubManager(device);
                    NDArray slice = samples.get(own, new NDIndex(part.start() + ":" + part.end() + ", ..."))) {
                NDArray input = slice.toDevice(device, false);
                NDArray logits = part.replica().forward(input);
                NDArray loss = recipe.loss().ofSum(logits, targets, divisor);
                backward(loss, collector, scalars);
                NDArray best = logits.argMax(1);
                loss.attach(scope);
                best.attach(scope);
                losses.add(loss);
                classes.add(best);
                expected.add(targets.classes());
            }
        }

        private void backward(NDArray loss, GradientCollector collector, Scalars scalars) {
            if (!isScaled()) {
                collector.backward(loss);
                return;
            }
            try (NDArray scaled = loss.mul(scalars.of(lossScale.factor()))) {
                collector.backward(scaled);
            }
        }

        double loss() {
            double sum = 0;
            for (NDArray loss : losses) {
                sum += loss.getFloat();
            }
            return sum;
        }

        int correct() {
            int correct = 0;
            for (int i = 0; i < classes.size(); i++) {
                long[] actual = classes.get(i).toLongArray();
                for (int j = 0; j < actual.length; j++) {
                    correct += actual[j] == expected.get(i)[j] ? 1 : 0;
                }
            }
            return correct;
        }
    }

    /** Sums all devices' gradients on the first. */
    private void gather(NDList sum) {
        sum.addAll(replicas.get(0).gradients());
        for (Replica other : replicas.subList(1, replicas.size())) {
            try (NDList gradients = other.gradients()) {
                for (int i = 0; i < gradients.size(); i++) {
                    try (NDArray copy = gradients.get(i).toDevice(sum.get(i).getDevice(), true)) {
                        sum.get(i).addi(copy);
                    }
                }
            }
        }
    }

    private static double norm(NDList gradients) {
        try (NDList norms = new NDList(gradients.size())) {
            for (NDArray gradient : gradients) {
                norms.add(gradient.norm());
            }
            try (NDArray all = NDArrays.stack(norms);
                    NDArray norm = all.norm()) {
                return norm.getFloat();
            }
        }
    }

    /** The previous running statistics, in case the step fails; null if there are none. */
    private @Nullable NDArray snapshot(NDManager scope) {
        if (statistics.isEmpty()) {
            return null;
        }
        NDList arrays = new NDList(statistics.size());
        for (Parameter each : statistics) {
            arrays.add(each.getArray());
        }
        NDArray all = NDArrays.concat(arrays);
        all.attach(scope);
        return all;
    }

    private void restoreStatistics(@Nullable NDArray snapshot) {
        if (snapshot == null) {
            return;
        }
        long start = 0;
        for (Parameter each : statistics) {
            long end = start + each.getArray().size();
            try (NDArray values = snapshot.get(new NDIndex(start + ":" + end))) {
                Values.set(each.getArray(), values);
            }
            start = end;
        }
        spreadStatistics();
    }

    /** Copies the statistics of the first device to the others, as in PyTorch's DataParallel. */
    private void spreadStatistics() {
        for (Replica other : replicas.subList(1, replicas.size())) {
            for (Parameter each : statistics) {
                Values.set(other.array(each), each.getArray());
            }
        }
    }

    private void setTemperature(double temperature) {
        DynamicConv2d.setTemperature(network, (float) temperature);
    }

    /** The engine's seed for this step, so that adjacent steps and seeds are unrelated. */
    private int seed() {
        // The finalizer of splitmix64 (Steele, Lea, Flood, OOPSLA 2014).
        long z = recipe.seed() * 0x9E3779B97F4A7C15L + step;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return (int) (z ^ (z >>> 31));
    }

    /**
     * Swaps the average of the weights into the network, to evaluate or save it, until the returned object is closed.
     * Meanwhile, the learner can neither train nor save.
     *
     * @return an object that swaps the weights back when closed
     * @throws IllegalStateException if the recipe has no averaging, or the average is already swapped in
     */
    public Averaged useAverage() {
        checkOwnWeights();
        return new Averaged(average());
    }

    private MovingAverage average() {
        if (average == null) {
            throw new IllegalStateException("there is no average of the weights; add averaging to the recipe");
        }
        return average;
    }

    /** While this is open, the network has its averaged weights. */
    public final class Averaged implements AutoCloseable {

        private final MovingAverage exchanged;
        private boolean open = true;

        private Averaged(MovingAverage exchanged) {
            this.exchanged = exchanged;
            exchanged.swap();
            averageInPlace = true;
        }

        /** Swaps the weights back. */
        @Override
        public void close() {
            if (open) {
                open = false;
                averageInPlace = false;
                exchanged.swap();
            }
        }
    }

    private void checkOwnWeights() {
        if (averageInPlace) {
            throw new IllegalStateException("the network has its averaged weights; close the Averaged object first");
        }
    }

    /**
     * Saves everything needed to resume into one file: the weights, the optimizer state, the average, the number of
     * steps, the seed, the annealing, and the loss scale. The file is written atomically.
     *
     * @param file a safetensors file, replaced if it exists
     * @param notes additional values for the caller, such as the position in the data
     * @throws CheckpointException if writing fails
     */
    public void save(Path file, Map<String, String> notes) throws CheckpointException {
        checkOwnWeights();
        new LearnerState(
                        step,
                        recipe.optimizer().kind().id(),
                        rateFactor,
                        recipe.seed(),
                        recipe.annealing(),
                        recipe.stepsPerEpoch(),
                        lossScale,
                        notes)
                .write(file, state());
    }

    /**
     * Resumes from a file of {@link #save}: the next steps are those that the saving learner would have made, bit for
     * bit on a CPU. The seed and the annealing are taken from the file; for identical steps, the rest of the recipe
     * must be the one that the file was saved with.
     *
     * @param file the saved state
     * @return the caller's notes
     * @throws CheckpointException if the file is unreadable, or does not fit the network and the recipe; then nothing
     *     has changed
     */
    public Map<String, String> restore(Path file) throws CheckpointException {
        checkOwnWeights();
        LearnerState saved =
                LearnerState.read(file, state(), recipe.optimizer().kind().id());
        step = saved.step();
        rateFactor = saved.rateFactor();
        lossScale = saved.lossScale();
        recipe = recipe.withSeed(saved.seed()).withAnnealing(saved.annealing(), saved.stepsPerEpoch());
        for (Replica other : replicas.subList(1, replicas.size())) {
            for (Parameter each : parameters.values()) {
                Values.set(other.array(each), each.getArray());
            }
        }
        return saved.notes();
    }

    private Map<String, NDArray> state() {
        Map<String, NDArray> state = new LinkedHashMap<>();
        parameters.forEach((name, parameter) -> state.put("network." + name, parameter.getArray()));
        optimizer.tensors().forEach((name, array) -> state.put("optimizer." + name, array));
        if (average != null) {
            average.tensors().forEach((name, array) -> state.put("average." + name, array));
        }
        return state;
    }

    /** Frees the learner's resources. The network remains as is, and frozen parameters become trainable again. */
    @Override
    public void close() {
        for (Parameter each : frozen) {
            if (each.isInitialized() && !each.getArray().isReleased()) {
                each.freeze(false);
                // The state of every parameter between steps.
                each.getArray().setRequiresGradient(false);
            }
        }
        frozen.clear();
        manager.close();
    }
}
