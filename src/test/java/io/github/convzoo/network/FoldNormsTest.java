package io.github.convzoo.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import io.github.convzoo.nn.CanonicalNames;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** {@link ParityTest} holds folded networks to the references; this is about when the folded copies count. */
class FoldNormsTest {

    private static final Shape SHAPE = new Shape(2, 3, 32, 32);

    private NDManager manager;
    private Network network;
    private NDArray input;

    @BeforeEach
    void open() {
        manager = NDManager.newBaseManager("PyTorch");
        network = DlaVariant.DLA46X_C.build();
        Reference.initialize(network, manager, "a", SHAPE);
        input = Reference.image(manager, "a", SHAPE);
    }

    @AfterEach
    void close() {
        manager.close();
    }

    @Test
    void foldNorms_changesRoundingOnly_andNoParameter() {
        NDArray plain = forward(false);
        NDArray weight = parameter("base_layer.0.weight").getArray().duplicate();
        network.foldNorms();
        NDArray folded = forward(false);

        assertThat(folded).isNotEqualTo(plain);
        assertThat(folded.sub(plain).abs().max().getFloat())
                .isLessThanOrEqualTo(1e-5f * plain.abs().max().getFloat());
        assertThat(parameter("base_layer.0.weight").getArray()).isEqualTo(weight);
    }

    @Test
    void training_afterFolding_normalizesByBatch() {
        NDArray expected = forward(true);
        Reference.initialize(reset(), manager, "a", SHAPE);
        network.foldNorms();
        assertThat(forward(true)).isEqualTo(expected);
    }

    @Test
    void foldNorms_again_takesInWhatChangedInPlace() {
        network.foldNorms();
        parameter("base_layer.1.bias").getArray().addi(1f);
        NDArray stale = forward(false);
        network.foldNorms();
        NDArray fresh = forward(false);

        Reference.initialize(reset(), manager, "a", SHAPE);
        parameter("base_layer.1.bias").getArray().addi(1f);
        NDArray expected = forward(false);
        assertThat(fresh.sub(expected).abs().max().getFloat())
                .isLessThanOrEqualTo(1e-5f * expected.abs().max().getFloat());
        assertThat(stale).isNotEqualTo(fresh);
    }

    @Test
    void forward_afterClearing_usesTheNewParameters() {
        network.foldNorms();
        NDArray old = forward(false);
        Reference.initialize(reset(), manager, "b", SHAPE);
        NDArray now = forward(false);

        Network other = DlaVariant.DLA46X_C.build();
        Reference.initialize(other, manager, "b", SHAPE);
        network = other;
        assertThat(now).isEqualTo(forward(false)).isNotEqualTo(old);
    }

    @Test
    void foldNorms_ofBlockWithoutParameters_isRefused() {
        assertThatIllegalStateException()
                .isThrownBy(() -> DlaVariant.DLA46X_C.build().foldNorms());
    }

    @Test
    void foldNorms_leavesNothingOpenButTheCopies() {
        int before = manager.getManagedArrays().size();
        network.foldNorms();
        int copies = manager.getManagedArrays().size() - before;
        network.foldNorms();
        assertThat(manager.getManagedArrays().size() - before).isEqualTo(copies);
        long convolutions = CanonicalNames.parameters(network).keySet().stream()
                .filter(name -> name.endsWith("running_mean"))
                .count();
        assertThat(copies).isEqualTo((int) (2 * convolutions));
        network.clear();
    }

    private Network reset() {
        network.clear();
        return network;
    }

    private Parameter parameter(String name) {
        return Objects.requireNonNull(CanonicalNames.parameters(network).get(name));
    }

    private NDArray forward(boolean training) {
        return network.forward(new ParameterStore(manager, false), new NDList(input), training)
                .singletonOrThrow();
    }
}
