package io.github.convzoo.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.training.ParameterStore;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A network on a GPU against what an independent PyTorch implementation computes. */
@Tag("gpu")
class GpuTest {

    /** Of the largest logit: cuDNN convolves in TensorFloat-32 unless told otherwise, with 11 bits of significand. */
    private static final double TOLERANCE = 5e-3;

    @BeforeEach
    void findGpu() {
        assumeTrue(
                Engine.getEngine("PyTorch").getGpuCount() > 0,
                "the engine finds no GPU; on a machine with one, build with -Pcuda");
    }

    @Test
    void forward_onTheGpu_agreesInLogits() {
        Reference.Model reference = Reference.model("dla46x_c");
        Network network = DlaVariant.DLA46X_C.build();
        try (NDManager manager = NDManager.newBaseManager(Device.gpu(), "PyTorch")) {
            Reference.initialize(network, manager, reference.salt(), reference.input());
            NDArray input = Reference.image(manager, reference.salt(), reference.input());
            NDArray logits = network.forward(new ParameterStore(manager, false), new NDList(input), false)
                    .singletonOrThrow();

            assertThat(logits.getDevice().isGpu()).isTrue();
            float[] actual = logits.toFloatArray();
            int classes = reference.numClasses();
            for (int sample = 0; sample < reference.logits().size(); sample++) {
                List<Float> expected = reference.logits().get(sample);
                double largest = expected.stream().mapToDouble(Math::abs).max().orElseThrow();
                double worst = 0;
                for (int i = 0; i < classes; i++) {
                    worst = Math.max(worst, Math.abs(actual[sample * classes + i] - expected.get(i)));
                }
                assertThat(worst / largest).isLessThanOrEqualTo(TOLERANCE);
            }
        }
    }
}
