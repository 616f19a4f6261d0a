package io.github.convzoo.train;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Parameter;

/**
 * A parameter that learns.
 *
 * @param name its canonical name
 * @param parameter the parameter
 * @param rateFactor what its learning rate is multiplied by
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
