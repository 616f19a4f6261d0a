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
 * <p>Between two steps the network is as it is used: its dynamic convolutions at temperature 1, nothing kept for gradients
 * on any thread. The engine computes gradients for one learner of a process at a time, so a learner belongs to one thread.
 * On one machine's CPU, with the same number of threads, equal weights, recipe and batches give equal weights, bit for bit.
 */
public final class Learner implements AutoCloseable {

    private static final String ENGINE = "PyTorch";

    private final Block network;
    private Recipe recipe;
    private final NDManager manager;
    private final Map<String, Parameter> parameters;
    private final List<TrainedParameter> trained;

    /** What learnt before, and shall again when this learner is closed. */
    private final List<Parameter> frozen = new ArrayList<>();

    /** Running statistics, which a forward pass changes. */
    private final List<Parameter> statistics = new ArrayList<>();

    private final List<Replica> replicas = new ArrayList<>();
    private final OptimizerState optimizer;
    private final @Nullable MovingAverage average;
    private long step;
    private LossScale lossScale = LossScale.INITIAL;
    private boolean averageInPlace;

    /** What the schedule's rate is multiplied by. */
    private double rateFactor = 1;

    /**
     * Prepares a network for training on the device that it is on.
     *
     * @param network from (N, channels, H, W) to logits (N, classes), initialised
     * @param recipe how to learn
     */
    public Learner(Block network, Recipe recipe) {
        this(network, recipe, List.of());
    }

    /**
     * Prepares a network for training on several devices, each of which learns from its part of a batch.
     *
     * @param network from (N, channels, H, W) to logits (N, classes), initialised on the first device
     * @param recipe how to learn
     * @param devices where to compute; where the network is if empty. A device may be given twice
     * @throws IllegalArgumentException if the network is not initialised or is elsewhere, a pattern of the recipe matches
     *     nothing, or nothing is left to learn
     */
    public Learner(Block network, Recipe recipe, List<Device> devices) {
        if (!network.isInitialized()) {
            throw new IllegalArgumentException("the network has no parameters yet; initialise it or load its weights");
        }
        this.network = network;
        this.recipe = recipe;
        parameters = CanonicalNames.parameters(network);
        Device first = parameters.values().iterator().next().getArray().getDevice();
        if (!devices.isEmpty() && !devices.get(0).equals(first)) {
            throw new IllegalArgumentException(
                    "the network is on " + first + "; initialise it on the first device, " + devices.get(0));
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
            throw new IllegalArgumentException("nothing is left to learn: every parameter is frozen");
        }
        frozen.forEach(parameter -> parameter.freeze(true));
        return List.copyOf(left);
    }

    /** The names that match: a pattern that none matches is a mistake. */
    private static List<String> matching(String pattern, Set<String> names) {
        Pattern glob = Glob.of(pattern);
        List<String> matching =
                names.stream().filter(name -> glob.matcher(name).matches()).toList();
        if (matching.isEmpty()) {
            throw new IllegalArgumentException("no parameter's name matches " + pattern + "; a name is such as "
                    + names.iterator().next() + ", * stands for any characters");
        }
        return matching;
    }

    private static boolean isStatistic(Parameter parameter) {
        return parameter.getType() == Parameter.Type.RUNNING_MEAN || parameter.getType() == Parameter.Type.RUNNING_VAR;
    }

    /** What training changes, by name. */
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

    /**
     * How many steps were made, those that were skipped in float16 among them.
     *
     * @return at least 0
     */
    public long step() {
        return step;
    }

    /**
     * The learning rate of a step, with what {@link #reduceRate} made of it so far.
     *
     * @param number how many steps are made before the step, at least 0
     * @return the learning rate
     */
    public double rate(long number) {
        return rateFactor * recipe.schedule().at(number);
    }

    /**
     * Multiplies the learning rate of all further steps. A saved state has the product of all factors.
     *
     * @param factor positive and finite
     */
    public void reduceRate(double factor) {
        if (!(factor > 0) || Double.isInfinite(factor)) {
            throw new IllegalArgumentException("a factor of the rate must be positive and finite, not " + factor);
        }
        rateFactor *= factor;
    }

    /**
     * What learns.
     *
     * @return the network
     */
    public Block network() {
        return network;
    }

    /**
     * How it learns.
     *
     * @return the recipe
     */
    public Recipe recipe() {
        return recipe;
    }

    /**
     * Where it learns, the first of several places.
     *
     * @return the device that the network is on
     */
    public Device device() {
        return manager.getDevice();
    }

    /**
     * Learns from a batch: one update of the weights.
     *
     * @param batch what to learn from; it stays the caller's
     * @return what was done
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
     * Learns from samples: one update of the weights.
     *
     * @param samples the network's input, (N, channels, H, W) most often, on any device; it stays the caller's
     * @param targets N of them
     * @return what was done
     * @throws DivergedException if the loss or a gradient is not finite; then nothing was changed
     * @throws IllegalArgumentException if there are not as many targets as samples
     */
    public StepResult step(NDArray samples, Targets targets) throws DivergedException {
        checkOwnWeights();
        if (samples.getShape().dimension() < 1 || samples.getShape().get(0) != targets.size()) {
            throw new IllegalArgumentException(
                    "a batch of shape " + samples.getShape() + " has " + targets.size() + " targets; give as many");
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

    /** Before anything looks at their length. */
    private void unscale(NDList gradients, Scalars scalars) {
        if (isScaled()) {
            gradients.forEach(gradient -> gradient.muli(scalars.of(1 / lossScale.factor())));
        }
    }

    /**
     * Only gradients may overflow, at a loss scale that can fall: the loss that is not scaled has no such excuse.
     *
     * @throws DivergedException if the step cannot even be skipped
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

    /** Updates the weights, or skips that; the schedule goes on in any case, as it counts batches. */
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
            // PyTorch's rule, which is a little short of the largest norm.
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

    /** A run of samples, and who learns from it. */
    private record Part(Replica replica, int start, int end) {}

    /**
     * Refuses batches of which a part would be a single sample if BatchNorm then has a single value per channel to normalize.
     *
     * @param sample a sample's shape
     * @param batch how many samples a batch has
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
                        + " has single images, and " + layer.name() + " normalizes maps of 1 x 1 pixels at inputs of "
                        + sample.get(1) + " x " + sample.get(2)
                        + ": BatchNorm needs more than one value per channel in training; use larger batches"
                        + (count == 1 ? "" : " or fewer parts") + ", or a larger input size");
            }
        }
    }

    /** As equal as can be, in order; the devices take turns. */
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

    /** The forward and backward passes of a step. Results are asked for at the end, so that devices need not wait. */
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

    /** The sum of all devices' gradients, on the first. */
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

    /** The running statistics of before, should the step fail; null where there are none. */
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

    /** The statistics are those of the first device's parts, as with PyTorch's DataParallel. */
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

    /** The engine's seed for this step: neighbouring steps and seeds have nothing in common. */
    private int seed() {
        // The finisher of splitmix64 (Steele, Lea, Flood, OOPSLA 2014).
        long z = recipe.seed() * 0x9E3779B97F4A7C15L + step;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return (int) (z ^ (z >>> 31));
    }

    /**
     * Puts the average of the weights into the network, to evaluate or save it, until what is returned is closed. Meanwhile
     * the learner neither learns nor saves.
     *
     * @return closed, puts the weights back
     * @throws IllegalStateException if the recipe has no averaging, or the average is in the network already
     */
    public Averaged useAverage() {
        checkOwnWeights();
        return new Averaged(average());
    }

    private MovingAverage average() {
        if (average == null) {
            throw new IllegalStateException("there is no average of the weights; ask for one in the recipe");
        }
        return average;
    }

    /** While this is open the network has the average of its weights. */
    public final class Averaged implements AutoCloseable {

        private final MovingAverage exchanged;
        private boolean open = true;

        private Averaged(MovingAverage exchanged) {
            this.exchanged = exchanged;
            exchanged.swap();
            averageInPlace = true;
        }

        /** Puts the weights back. */
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
            throw new IllegalStateException(
                    "the network has the average of its weights; close what put it there first");
        }
    }

    /**
     * Writes everything that going on needs into one file: the weights, the optimiser's memory, the average, how many steps
     * were made, the seed, the annealing, and the loss scale. The file appears as a whole or not at all.
     *
     * @param file a safetensors file, replaced if it stands there
     * @param notes what the caller wants to find again, such as the place in the data
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
     * Goes on from what {@link #save} wrote: the next steps are those that the saving learner would have made, bit for bit
     * on a CPU. The seed and the annealing become the file's; the rest of the recipe stays, and should be the one that the
     * file was saved with where the same steps are wanted.
     *
     * @param file what was saved
     * @return the caller's notes
     * @throws CheckpointException if the file is unreadable, or does not fit the network and the recipe; then nothing has
     *     changed
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

    /** Frees what the learner holds. The network stays as it is, and what the recipe froze may learn again. */
    @Override
    public void close() {
        for (Parameter each : frozen) {
            if (each.isInitialized() && !each.getArray().isReleased()) {
                each.freeze(false);
                // As every parameter is between two steps.
                each.getArray().setRequiresGradient(false);
            }
        }
        frozen.clear();
        manager.close();
    }
}
