package io.github.convzoo.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.Dropout;
import io.github.convzoo.graph.Value;
import io.github.convzoo.network.Reference;
import io.github.convzoo.nn.BatchNorm2d;
import io.github.convzoo.nn.CanonicalNames;
import io.github.convzoo.nn.DynamicConv2d;
import io.github.convzoo.nn.FlowBlock;
import io.github.convzoo.nn.Operations;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Networks of a few hundred weights, filled from their names as those of src/test/python/optimizer_fixtures.py. */
final class SmallNetworks {

    static final String SALT = "convzoo/";
    static final int SAMPLES = 6;
    static final int CLASSES = 4;
    static final Shape INPUT = new Shape(SAMPLES, 3, 8, 8);

    private SmallNetworks() {}

    /** Convolution, normalization, ReLU, dropout, pool, linear. */
    private static final class Net extends FlowBlock {
        private final Block conv;
        private final BatchNorm2d norm;
        private final Block dropout;
        private final Linear fc;

        Net(Block conv, float rate) {
            this.conv = addChildBlock("conv", conv);
            norm = addChildBlock("norm", new BatchNorm2d());
            dropout = addChildBlock("dropout", Dropout.builder().optRate(rate).build());
            fc = addChildBlock("fc", Linear.builder().setUnits(CLASSES).build());
        }

        static Block plainConv() {
            return conv(5, 3, 1, 1);
        }

        @Override
        protected Value flow(Operations ops, List<Value> inputs) {
            Value x = ops.relu(ops.run(norm, ops.run(conv, inputs.get(0))));
            return ops.run(fc, ops.globalAveragePool(ops.run(dropout, x)));
        }
    }

    static Block plain(NDManager manager) {
        return filled(new Net(Net.plainConv(), 0), manager);
    }

    static Block withDropout(NDManager manager) {
        return filled(new Net(Net.plainConv(), 0.3f), manager);
    }

    static Block dynamic(NDManager manager) {
        return filled(new Net(new DynamicConv2d(DynamicConv2d.Spec.of(3, 5, 3, 2)), 0.3f), manager);
    }

    private static Block filled(Block network, NDManager manager) {
        Reference.initialize(network, manager, SALT, INPUT);
        return network;
    }

    /** What a step learns from. */
    record Given(NDArray images, Targets targets) {}

    static StepResult step(Learner learner, Given given) throws DivergedException {
        return learner.step(given.images(), given.targets());
    }

    static Given batch(NDManager manager) {
        int[] labels = IntStream.range(0, SAMPLES).map(i -> i % CLASSES).toArray();
        return new Given(Reference.image(manager, SALT, INPUT), Targets.of(labels));
    }

    static Given batch(NDManager manager, int number) {
        int[] labels =
                IntStream.range(0, SAMPLES).map(i -> (i * 3 + number) % CLASSES).toArray();
        return new Given(Reference.image(manager, "batch " + number, INPUT), Targets.of(labels));
    }

    /** Every parameter's values by canonical name. */
    static Map<String, float[]> values(Block network) {
        Map<String, float[]> values = new LinkedHashMap<>();
        for (Map.Entry<String, Parameter> each :
                CanonicalNames.parameters(network).entrySet()) {
            NDArray array = each.getValue().getArray();
            values.put(each.getKey(), array.toFloatArray());
        }
        return values;
    }
}
