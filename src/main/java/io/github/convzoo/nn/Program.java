package io.github.convzoo.nn;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.training.ParameterStore;
import io.github.convzoo.graph.Graph;
import io.github.convzoo.graph.Lifetimes;
import io.github.convzoo.graph.Node;
import io.github.convzoo.graph.Op;
import io.github.convzoo.graph.Value;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A graph prepared for running on arrays: each value has a slot, and is closed after its last use. A sum is computed in
 * place at its operand's last use.
 *
 * <p>Thread-safe.
 */
final class Program implements AutoCloseable {

    /**
     * One node.
     *
     * @param kernel its implementation
     * @param inputs the slots to read
     * @param outputs the slots to fill
     * @param last the slots to close after it
     * @param target the slot of the operand that a sum may overwrite; -1 if none
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Step(Kernel kernel, int[] inputs, int[] outputs, int[] last, int target) {}

    private final int inputs;
    private final int slots;
    private final List<Step> steps;
    private final int[] outputs;
    private final FoldedWeights weights;

    private Program(int inputs, int slots, List<Step> steps, int[] outputs, FoldedWeights weights) {
        this.inputs = inputs;
        this.slots = slots;
        this.steps = steps;
        this.outputs = outputs;
        this.weights = weights;
    }

    /** Prepares a graph; weights that a pass changed are computed now, and kept until the program is closed. */
    static Program of(Recording recording) {
        Graph graph = recording.graph();
        Map<Value, Integer> slots = new HashMap<>();
        graph.inputs().forEach(input -> slots.put(input, slots.size()));
        FoldedWeights weights = new FoldedWeights(recording.parameters());
        Kernels kernels = new Kernels(recording, weights);
        Lifetimes lifetimes = new Lifetimes(graph);
        List<Step> steps = new ArrayList<>();
        for (int i = 0; i < graph.nodes().size(); i++) {
            Node node = graph.nodes().get(i);
            node.outputs().forEach(output -> slots.put(output, slots.size()));
            steps.add(new Step(
                    kernels.of(node),
                    slots(node.inputs(), slots),
                    slots(node.outputs(), slots),
                    slots(lifetimes.endingAt(i), slots),
                    target(node, i, lifetimes).map(slots::get).orElse(-1)));
        }
        return new Program(graph.inputs().size(), slots.size(), steps, slots(graph.outputs(), slots), weights);
    }

    /** The operand that a sum may overwrite. */
    private static Optional<Value> target(Node node, int place, Lifetimes lifetimes) {
        return node.op() instanceof Op.Add
                ? node.inputs().stream()
                        .filter(input -> lifetimes.mayOverwrite(place, input))
                        .findFirst()
                : Optional.empty();
    }

    private static int[] slots(List<Value> values, Map<Value, Integer> slots) {
        return values.stream().mapToInt(slots::get).toArray();
    }

    int inputs() {
        return inputs;
    }

    /** Whether the precomputed weights are still current, on the device. */
    boolean isCurrent(Device device) {
        return weights.areCurrent(device);
    }

    /** Runs the graph. The inputs stay open, and so do the outputs. */
    NDList run(ParameterStore parameters, NDList given, boolean training) {
        // The engine's gradients need the arrays as they were.
        return run(parameters, given, training, !training);
    }

    /** Runs the graph; sums overwrite an operand only if they may. */
    NDList run(ParameterStore parameters, NDList given, boolean training, boolean inPlace) {
        @Nullable NDArray[] arrays = new NDArray[slots];
        for (int i = 0; i < inputs; i++) {
            arrays[i] = given.get(i);
        }
        try {
            for (Step step : steps) {
                run(step, arrays, parameters, training, inPlace);
            }
        } catch (RuntimeException | Error e) {
            closeFrom(inputs, arrays);
            throw e;
        }
        NDList results = new NDList(outputs.length);
        for (int output : outputs) {
            results.add(arrays[output]);
        }
        return results;
    }

    private static void run(
            Step step, @Nullable NDArray[] arrays, ParameterStore parameters, boolean training, boolean inPlace) {
        if (step.target >= 0 && inPlace) {
            NDArray sum = arrays[step.target];
            int other = step.inputs[0] == step.target ? step.inputs[1] : step.inputs[0];
            arrays[step.outputs[0]] = sum.addi(arrays[other]);
            arrays[step.target] = null;
        } else {
            NDList operands = new NDList(step.inputs.length);
            for (int input : step.inputs) {
                operands.add(arrays[input]);
            }
            NDList results = step.kernel.run(parameters, operands, training);
            for (int i = 0; i < step.outputs.length; i++) {
                arrays[step.outputs[i]] = results.get(i);
            }
        }
        for (int slot : step.last) {
            NDArray array = arrays[slot];
            if (array != null) {
                arrays[slot] = null;
                array.close();
            }
        }
    }

    private static void closeFrom(int first, @Nullable NDArray[] arrays) {
        for (int i = first; i < arrays.length; i++) {
            NDArray array = arrays[i];
            if (array != null) {
                array.close();
            }
        }
    }

    @Override
    public void close() {
        weights.close();
    }

    /** The implementation of a node. */
    @FunctionalInterface
    interface Kernel {

        /** Computes the outputs from the inputs without closing them; no output is the same object as an input. */
        NDList run(ParameterStore parameters, NDList inputs, boolean training);
    }
}
