package io.github.convzoo.train;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.checkpoint.ElementType;
import io.github.convzoo.checkpoint.Tensor;
import io.github.convzoo.checkpoint.Value;
import io.github.convzoo.weights.WeightSaver;
import java.io.UncheckedIOException;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A learner's state in addition to its arrays, and the reader and writer of both: one safetensors file, so that a state
 * is always complete. The numbers are in its metadata.
 *
 * @param step the number of updates made
 * @param optimizer the optimizer's kind
 * @param rateFactor the factor of the schedule's rate, after plateaus
 * @param seed the recipe's seed
 * @param annealing the recipe's annealing
 * @param stepsPerEpoch the recipe's steps per epoch
 * @param lossScale the loss scale, for float16
 * @param notes additional values of the caller
 */
record LearnerState(
        long step,
        String optimizer,
        double rateFactor,
        long seed,
        Optional<Annealing> annealing,
        long stepsPerEpoch,
        LossScale lossScale,
        Map<String, String> notes) {

    private static final String STEP = "convzoo.step";
    private static final String OPTIMIZER = "convzoo.optimizer";
    private static final String RATE_FACTOR = "convzoo.rate_factor";
    private static final String SEED = "convzoo.seed";
    private static final String ANNEALING = "convzoo.annealing";
    private static final String STEPS_PER_EPOCH = "convzoo.steps_per_epoch";
    private static final String LOSS_SCALE = "convzoo.loss_scale";
    private static final String NOTE = "note.";

    /** The maximum number of names in an error. */
    private static final int SHOWN = 5;

    void write(Path file, Map<String, NDArray> arrays) throws CheckpointException {
        Map<String, String> metadata = new LinkedHashMap<>();
        metadata.put(STEP, Long.toString(step));
        metadata.put(OPTIMIZER, optimizer);
        metadata.put(RATE_FACTOR, Double.toString(rateFactor));
        metadata.put(SEED, Long.toString(seed));
        annealing.ifPresent(value -> metadata.put(ANNEALING, value.start() + " " + value.end() + " " + value.epochs()));
        metadata.put(STEPS_PER_EPOCH, Long.toString(stepsPerEpoch));
        if (!lossScale.equals(LossScale.INITIAL)) {
            metadata.put(LOSS_SCALE, lossScale.factor() + " " + lossScale.goodSteps() + " " + lossScale.skipped());
        }
        notes.forEach((key, value) -> metadata.put(NOTE + key, value));
        WeightSaver.write(file, arrays, metadata);
    }

    /**
     * Reads a file into arrays. Everything is checked before the first array changes.
     *
     * @param arrays the arrays to fill, by name; the file must have exactly these
     * @param optimizer the kind that the file must have
     */
    static LearnerState read(Path file, Map<String, NDArray> arrays, String optimizer) throws CheckpointException {
        // The next save replaces the file.
        Checkpoint checkpoint = Checkpoint.readCopy(file);
        LearnerState state = state(checkpoint);
        if (!state.optimizer().equals(optimizer)) {
            throw error(
                    checkpoint,
                    null,
                    "was saved with the optimizer " + state.optimizer() + ", but the recipe has " + optimizer
                            + "; use the recipe that it was saved with");
        }
        Map<String, Tensor> tensors = checked(checkpoint, arrays);
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            arrays.forEach((name, array) -> {
                Tensor tensor = Objects.requireNonNull(tensors.get(name));
                // Not by the engine from the file, which may be memory-mapped, and truncated by another process.
                try (NDArray values = manager.create(array.getShape(), DataType.FLOAT32, Device.cpu())) {
                    tensor.toFloats(values.toByteBuffer(true)
                            .order(ByteOrder.nativeOrder())
                            .asFloatBuffer());
                    Values.set(array, values);
                }
            });
        } catch (UncheckedIOException e) {
            if (e.getCause() instanceof CheckpointException cause) {
                throw cause;
            }
            throw e;
        }
        return state;
    }

    private static Map<String, Tensor> checked(Checkpoint checkpoint, Map<String, NDArray> arrays)
            throws CheckpointException {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        List<String> unknown = new ArrayList<>();
        if (checkpoint.root() instanceof Value.Mapping root) {
            root.entries().forEach((name, value) -> {
                if (arrays.containsKey(name) && value instanceof Tensor tensor) {
                    tensors.put(name, tensor);
                } else {
                    unknown.add(name);
                }
            });
        }
        List<String> missing = new ArrayList<>(arrays.keySet());
        missing.removeAll(tensors.keySet());
        if (!missing.isEmpty() || !unknown.isEmpty()) {
            throw error(
                    checkpoint,
                    null,
                    "does not fit the network and the recipe" + listed("; missing: ", missing)
                            + listed("; unknown: ", unknown) + "; use those that it was saved with");
        }
        for (Map.Entry<String, NDArray> each : arrays.entrySet()) {
            Tensor tensor = Objects.requireNonNull(tensors.get(each.getKey()));
            Shape shape = new Shape(tensor.shape());
            Shape expected = each.getValue().getShape();
            if (tensor.type() != ElementType.F32 || !shape.equals(expected)) {
                throw error(
                        checkpoint,
                        tensor.name(),
                        "is " + tensor.type() + " of shape " + shape + ", expected F32 of " + expected
                                + "; use the network that it was saved with");
            }
        }
        return tensors;
    }

    private static String listed(String title, List<String> names) {
        if (names.isEmpty()) {
            return "";
        }
        String shown = String.join(", ", names.subList(0, Math.min(SHOWN, names.size())));
        return title + (names.size() > SHOWN ? shown + " and " + (names.size() - SHOWN) + " more" : shown);
    }

    private static LearnerState state(Checkpoint checkpoint) throws CheckpointException {
        Map<String, String> metadata = checkpoint.metadata();
        Map<String, String> notes = new LinkedHashMap<>();
        metadata.forEach((key, value) -> {
            if (key.startsWith(NOTE)) {
                notes.put(key.substring(NOTE.length()), value);
            }
        });
        try {
            long step = Long.parseLong(entry(checkpoint, STEP));
            long stepsPerEpoch = Long.parseLong(entry(checkpoint, STEPS_PER_EPOCH));
            if (step < 0 || stepsPerEpoch < 1) {
                throw new IllegalArgumentException("step " + step + " of epochs of " + stepsPerEpoch);
            }
            return new LearnerState(
                    step,
                    entry(checkpoint, OPTIMIZER),
                    // States saved before plateaus existed have none.
                    Double.parseDouble(metadata.getOrDefault(RATE_FACTOR, "1")),
                    Long.parseLong(entry(checkpoint, SEED)),
                    annealing(metadata.get(ANNEALING)),
                    stepsPerEpoch,
                    lossScale(metadata.get(LOSS_SCALE)),
                    notes);
        } catch (IllegalArgumentException e) {
            throw new CheckpointException(
                    checkpoint.file(), -1, null, "its metadata is damaged (" + e.getMessage() + ")", e);
        }
    }

    private static LossScale lossScale(@Nullable String text) {
        if (text == null) {
            return LossScale.INITIAL;
        }
        String[] numbers = text.split(" ", -1);
        if (numbers.length != 3) {
            throw new IllegalArgumentException(LOSS_SCALE + " is " + text);
        }
        return new LossScale(Double.parseDouble(numbers[0]), Integer.parseInt(numbers[1]), Long.parseLong(numbers[2]));
    }

    private static Optional<Annealing> annealing(@Nullable String text) {
        if (text == null) {
            return Optional.empty();
        }
        String[] numbers = text.split(" ", -1);
        if (numbers.length != 3) {
            throw new IllegalArgumentException(ANNEALING + " is " + text);
        }
        return Optional.of(new Annealing(
                Double.parseDouble(numbers[0]), Double.parseDouble(numbers[1]), Integer.parseInt(numbers[2])));
    }

    private static String entry(Checkpoint checkpoint, String key) throws CheckpointException {
        String value = checkpoint.metadata().get(key);
        if (value == null) {
            throw error(
                    checkpoint,
                    null,
                    "not a saved training state: its metadata has no " + key + "; to load only"
                            + " weights, load them into the network");
        }
        return value;
    }

    private static CheckpointException error(Checkpoint checkpoint, @Nullable String tensor, String problem) {
        return new CheckpointException(checkpoint.file(), -1, tensor, problem, null);
    }
}
