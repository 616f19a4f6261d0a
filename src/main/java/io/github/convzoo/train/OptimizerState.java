package io.github.convzoo.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * An optimizer's state, and its update rule.
 *
 * <p>The order of operations is PyTorch's. Arrays change in place, including gradients.
 */
final class OptimizerState {

    private final Optimizer optimizer;
    private final List<TrainedParameter> parameters;

    /** The state by name, one array per parameter. */
    private final Map<String, List<NDArray>> slots = new LinkedHashMap<>();

    OptimizerState(Optimizer optimizer, List<TrainedParameter> parameters, NDManager manager) {
        this.optimizer = optimizer;
        this.parameters = parameters;
        for (String slot : slots(optimizer)) {
            List<NDArray> arrays = new ArrayList<>(parameters.size());
            for (TrainedParameter each : parameters) {
                NDArray zeros = each.array().zerosLike();
                zeros.attach(manager);
                arrays.add(zeros);
            }
            slots.put(slot, arrays);
        }
    }

    /** The names of the state; a kind of optimizer that is missing here does not compile. */
    private static List<String> slots(Optimizer optimizer) {
        return switch (optimizer.kind()) {
            case SGD -> ((Optimizer.Sgd) optimizer).momentum() == 0 ? List.of() : List.of("momentum");
            case ADAM, ADAMW -> List.of("mean", "variance");
        };
    }

    /** The state by name: {@code momentum.level0.0.weight}. */
    Map<String, NDArray> tensors() {
        Map<String, NDArray> tensors = new LinkedHashMap<>();
        slots.forEach((slot, arrays) -> {
            for (int i = 0; i < arrays.size(); i++) {
                tensors.put(slot + "." + parameters.get(i).name(), arrays.get(i));
            }
        });
        return tensors;
    }

    /**
     * Updates every parameter.
     *
     * @param gradients one per parameter; overwritten
     * @param rate the learning rate
     * @param step the number of updates before
     */
    void update(NDList gradients, double rate, long step, Scalars scalars) {
        Rule rule = rule(step + 1, scalars);
        for (int i = 0; i < gradients.size(); i++) {
            TrainedParameter parameter = parameters.get(i);
            WeightDecay all = optimizer.decay();
            double decay = parameter.isNormOrBias() && !all.normsAndBiases() ? 0 : all.rate();
            rule.update(i, parameter.array(), gradients.get(i), rate * parameter.rateFactor(), decay);
        }
    }

    /** Updates one parameter from its gradient. */
    private interface Rule {
        void update(int index, NDArray weight, NDArray gradient, double rate, double decay);
    }

    /** The update rule; a kind of optimizer that is missing here does not compile. */
    private Rule rule(long updates, Scalars scalars) {
        return switch (optimizer.kind()) {
            case SGD -> {
                Optimizer.Sgd sgd = (Optimizer.Sgd) optimizer;
                yield (i, weight, gradient, rate, decay) -> {
                    addProduct(gradient, weight, decay, scalars);
                    sgd(sgd, i, weight, gradient, rate, scalars);
                };
            }
            case ADAM -> {
                Optimizer.Adam adam = (Optimizer.Adam) optimizer;
                yield (i, weight, gradient, rate, decay) -> {
                    addProduct(gradient, weight, decay, scalars);
                    adam(adam.beta1(), adam.beta2(), adam.epsilon(), i, weight, gradient, rate, updates, scalars);
                };
            }
            case ADAMW -> {
                Optimizer.AdamW adam = (Optimizer.AdamW) optimizer;
                yield (i, weight, gradient, rate, decay) -> {
                    if (decay != 0) {
                        weight.muli(scalars.of(1 - rate * decay));
                    }
                    adam(adam.beta1(), adam.beta2(), adam.epsilon(), i, weight, gradient, rate, updates, scalars);
                };
            }
        };
    }

    private void sgd(Optimizer.Sgd sgd, int index, NDArray weight, NDArray gradient, double rate, Scalars scalars) {
        if (sgd.momentum() == 0) {
            addProduct(weight, gradient, -rate, scalars);
            return;
        }
        NDArray velocity = slot("momentum", index);
        velocity.muli(scalars.of(sgd.momentum())).addi(gradient);
        if (sgd.nesterov()) {
            addProduct(gradient, velocity, sgd.momentum(), scalars);
            addProduct(weight, gradient, -rate, scalars);
        } else {
            addProduct(weight, velocity, -rate, scalars);
        }
    }

    private void adam(
            double beta1,
            double beta2,
            double epsilon,
            int index,
            NDArray weight,
            NDArray gradient,
            double rate,
            long updates,
            Scalars scalars) {
        NDArray mean = slot("mean", index);
        NDArray variance = slot("variance", index);
        MovingAverage.approach(mean, gradient, 1 - beta1, scalars);
        variance.muli(scalars.of(beta2));
        gradient.muli(gradient);
        addProduct(variance, gradient, 1 - beta2, scalars);
        // Bias corrections of means that start at 0.
        double meanShare = 1 - Math.pow(beta1, (double) updates);
        double rootShare = Math.sqrt(1 - Math.pow(beta2, (double) updates));
        try (NDArray root = variance.sqrt()) {
            root.divi(scalars.of(rootShare)).addi(scalars.of(epsilon));
            try (NDArray ratio = mean.div(root)) {
                addProduct(weight, ratio, -rate / meanShare, scalars);
            }
        }
    }

    private NDArray slot(String slot, int index) {
        return slots.getOrDefault(slot, List.of()).get(index);
    }

    /** target += values * factor. */
    private static void addProduct(NDArray target, NDArray values, double factor, Scalars scalars) {
        if (factor == 0) {
            return;
        }
        try (NDArray product = values.mul(scalars.of(factor))) {
            target.addi(product);
        }
    }
}
