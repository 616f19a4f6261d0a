package io.github.convzoo.nn;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;

/**
 * Times both ways to compute a dynamic convolution, in turn: mixing the experts' maps, and mixing a kernel for each
 * sample. Prints what the first takes of the second, and which one the layer takes.
 *
 * <p>Argument: how many rounds.
 */
public final class DynamicConvComparison {

    private static final int[] BATCHES = {1, 4, 8, 16, 32, 128};

    private DynamicConvComparison() {}

    private enum Way {
        MAPS,
        KERNELS
    }

    public static void main(String[] args) {
        int rounds = Integer.parseInt(args[0]);
        System.out.println("| K | channels | map | what | " + join(BATCHES) + " |");
        System.out.println("|---:|---:|---:|---|" + "---:|".repeat(BATCHES.length));
        for (int experts : new int[] {2, 4}) {
            for (int[] sides : new int[][] {{192, 4}, {192, 7}, {192, 14}, {64, 28}}) {
                for (boolean training : new boolean[] {false, true}) {
                    print(DynamicConv2d.Spec.of(sides[0], sides[0], 3, experts), sides[1], training, rounds);
                }
            }
        }
    }

    private static String join(int[] batches) {
        return String.join(
                " | ", Arrays.stream(batches).mapToObj(n -> "N = " + n).toList());
    }

    private static void print(DynamicConv2d.Spec spec, int side, boolean training, int rounds) {
        StringBuilder line = new StringBuilder("| %d | %d | %d x %d | %s |"
                .formatted(spec.experts(), spec.channels(), side, side, training ? "step" : "forward"));
        for (int samples : BATCHES) {
            try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
                Shape shape = new Shape(samples, spec.channels(), side, side);
                DynamicConv2d layer = new DynamicConv2d(spec);
                layer.initialize(manager, DataType.FLOAT32, shape);
                layer.freezeParameters(!training);
                NDArray input = manager.randomNormal(shape);
                double[] ratios = new double[rounds];
                for (int i = -1; i < rounds; i++) {
                    double maps = milliseconds(layer, input, training, Way.MAPS);
                    double kernels = milliseconds(layer, input, training, Way.KERNELS);
                    // The first round warms up.
                    if (i >= 0) {
                        ratios[i] = maps / kernels;
                    }
                }
                Arrays.sort(ratios);
                String mark = layer.mixesMaps(shape) ? "**" : "";
                line.append(String.format(Locale.ROOT, " %s%.2f%s |", mark, ratios[rounds / 2], mark));
            }
        }
        System.out.println(line);
    }

    private static double milliseconds(DynamicConv2d layer, NDArray input, boolean training, Way way) {
        long start = System.nanoTime();
        try (NDManager scope = input.getManager().newSubManager()) {
            if (!training) {
                forward(layer, input, scope, false, way);
            } else {
                try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
                    collector.backward(forward(layer, input, scope, true, way).mean());
                }
            }
        }
        return (System.nanoTime() - start) / 1e6;
    }

    private static NDArray forward(DynamicConv2d layer, NDArray input, NDManager scope, boolean training, Way way) {
        Map<String, Parameter> parameters = CanonicalNames.parameters(layer);
        NDArray kernels = Objects.requireNonNull(parameters.get("weight")).getArray();
        NDArray biases = Objects.requireNonNull(parameters.get("bias")).getArray();
        NDArray images = input.duplicate();
        images.attach(scope);
        images.setRequiresGradient(training);
        try (NDArray attention = layer.routing()
                .forward(new ParameterStore(scope, false), new NDList(images), training)
                .singletonOrThrow()) {
            return way == Way.MAPS
                    ? layer.mixedMaps(images, attention, kernels, biases)
                    : layer.ofMixedKernels(images, attention, kernels, biases);
        }
    }
}
