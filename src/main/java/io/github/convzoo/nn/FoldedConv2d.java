package io.github.convzoo.nn;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.nn.convolutional.Conv2d;
import java.util.ArrayList;
import java.util.List;

/**
 * A convolution whose weight and bias have taken in the normalisation that follows it: at inference both are linear in a
 * channel, so one pass over the map does for two.
 *
 * <p>It holds for the parameters' arrays of the moment: where one is replaced, it is no longer used.
 */
final class FoldedConv2d implements AutoCloseable {

    private final Conv2d conv;
    private final List<Parameter> parameters;
    private final List<NDArray> sources;
    private final Device device;
    private final NDArray weight;
    private final NDArray bias;

    private FoldedConv2d(Conv2d conv, List<Parameter> parameters, List<NDArray> sources, NDArray weight, NDArray bias) {
        this.conv = conv;
        this.parameters = parameters;
        this.sources = sources;
        this.device = weight.getDevice();
        this.weight = weight;
        this.bias = bias;
    }

    static FoldedConv2d of(
            Conv2d conv, Parameter gamma, Parameter beta, Parameter mean, Parameter variance, float epsilon) {
        List<Parameter> parameters = new ArrayList<>(conv.getDirectParameters().values());
        parameters.addAll(List.of(gamma, beta, mean, variance));
        List<NDArray> sources = parameters.stream().map(Parameter::getArray).toList();
        NDArray kernel = sources.get(0);
        try (NDArray shifted = variance.getArray().add(epsilon);
                NDArray deviation = shifted.sqrt();
                NDArray scale = gamma.getArray().div(deviation);
                NDArray perFilter = scale.reshape(kernel.getShape().get(0), 1, 1, 1);
                NDArray scaledMean = mean.getArray().mul(scale)) {
            NDArray weight = kernel.mul(perFilter);
            NDArray bias = beta.getArray().sub(scaledMean);
            if (conv.isIncludeBias()) {
                try (NDArray scaledBias = sources.get(1).mul(scale)) {
                    bias.addi(scaledBias);
                }
            }
            weight.setRequiresGradient(false);
            bias.setRequiresGradient(false);
            return new FoldedConv2d(conv, parameters, sources, weight, bias);
        }
    }

    /** Whether this is the given convolution, with the parameters of now, on the device. */
    boolean isFor(Conv2d other, Device where) {
        if (other != conv || !where.equals(device)) {
            return false;
        }
        for (int i = 0; i < sources.size(); i++) {
            Parameter parameter = parameters.get(i);
            if (!parameter.isInitialized() || parameter.getArray() != sources.get(i)) {
                return false;
            }
        }
        return true;
    }

    NDArray convolve(NDArray input) {
        Shape stride = conv.getStride();
        return input.getNDArrayInternal()
                .convolution(input, weight, bias, stride, conv.getPadding(), conv.getDilation(), conv.getGroups())
                .singletonOrThrow();
    }

    @Override
    public void close() {
        weight.close();
        bias.close();
    }
}
