package io.github.convzoo.nn;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class BatchNorm2dTest {

    private NDManager manager;
    private BatchNorm2d norm;
    private Map<String, Parameter> parameters;
    private NDArray input;

    @BeforeEach
    void open() {
        manager = NDManager.newBaseManager("PyTorch");
        manager.getEngine().setRandomSeed(1);
        norm = new BatchNorm2d();
        norm.initialize(manager, DataType.FLOAT32, new Shape(4, 3, 5, 5));
        parameters = CanonicalNames.parameters(norm);
        input = manager.randomNormal(2, 3, new Shape(4, 3, 5, 5), DataType.FLOAT32);
    }

    @AfterEach
    void close() {
        manager.close();
    }

    @Test
    void forward_inTrainingWhereFrozen_normalizesByTheRunningStatistics() {
        float[] evaluated = forward(false);
        freeze("weight");
        freeze("bias");
        assertThat(forward(true)).containsExactly(evaluated);
        assertThat(parameter("running_mean").getArray().toFloatArray()).containsExactly(0, 0, 0);
        assertThat(parameter("running_var").getArray().toFloatArray()).containsExactly(1, 1, 1);
    }

    @Test
    void forward_inTrainingWhereHalfFrozen_normalizesByTheBatch() {
        float[] evaluated = forward(false);
        freeze("weight");
        assertThat(forward(true)).isNotEqualTo(evaluated);
        assertThat(parameter("running_mean").getArray().toFloatArray()).doesNotContain(0);
    }

    private void freeze(String name) {
        parameter(name).freeze(true);
    }

    private Parameter parameter(String name) {
        return Objects.requireNonNull(parameters.get(name));
    }

    private float[] forward(boolean training) {
        return norm.forward(new ParameterStore(manager, false), new NDList(input), training)
                .singletonOrThrow()
                .toFloatArray();
    }
}
