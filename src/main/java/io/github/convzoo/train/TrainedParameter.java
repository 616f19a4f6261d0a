package io.github.convzoo.train;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Parameter;

/**
 * A trainable parameter.
 *
 * @param name its canonical name
 * @param parameter the parameter
 * @param rateFactor the factor of its learning rate
 */
record TrainedParameter(String name, Parameter parameter, double rateFactor) {

    NDArray array() {
        return parameter.getArray();
    }

    boolean isNormOrBias() {
        return switch (parameter.getType()) {
            case GAMMA, BETA, BIAS -> true;
            default -> false;
        };
    }
}
