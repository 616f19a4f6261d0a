package io.github.convzoo.network;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.norm.Dropout;
import ai.djl.training.ParameterStore;
import ai.djl.util.Pair;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Dropout changes what a network computes in training, and only there. */
class DropoutTest {

    private static List<Dropout> dropouts(Block block) {
        List<Dropout> found = new ArrayList<>();
        for (Pair<String, Block> child : block.getChildren()) {
            if (child.getValue() instanceof Dropout dropout) {
                found.add(dropout);
            } else {
                found.addAll(dropouts(child.getValue()));
            }
        }
        return found;
    }

    private static Field rate() throws ReflectiveOperationException {
        // DJL does not tell it.
        Field rate = Dropout.class.getDeclaredField("rate");
        rate.setAccessible(true);
        return rate;
    }

    private static float[] forward(Network network, NDManager manager, NDArray input, boolean training, int seed) {
        Engine.getEngine("PyTorch").setRandomSeed(seed);
        ParameterStore store = new ParameterStore(manager, false);
        try (NDManager scope = manager.newSubManager()) {
            NDArray copy = input.duplicate();
            copy.attach(scope);
            return network.forward(store, new NDList(copy), training)
                    .singletonOrThrow()
                    .toFloatArray();
        }
    }

    @ParameterizedTest
    @CsvSource({"peleenet, 32, 1", "alexnet, 64, 2", "alexnet_dy, 64, 2"})
    void dropout_eachAlone_worksInTrainingOnly(String model, int side, int count) throws Exception {
        for (int alone = 0; alone < count; alone++) {
            try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
                Network network = Variant.of(model).build();
                Shape shape = new Shape(4, 3, side, side);
                network.initialize(manager, DataType.FLOAT32, shape);
                NDArray input = manager.randomNormal(shape);
                List<Dropout> all = dropouts(network);
                assertThat(all).hasSize(count);
                for (int i = 0; i < count; i++) {
                    rate().setFloat(all.get(i), i == alone ? 0.5f : 0);
                }

                assertThat(forward(network, manager, input, true, 1))
                        .as("%s, dropout %d, in training", model, alone)
                        .isNotEqualTo(forward(network, manager, input, true, 2));
                assertThat(forward(network, manager, input, false, 1))
                        .as("%s, dropout %d, in use", model, alone)
                        .isEqualTo(forward(network, manager, input, false, 2));
                rate().setFloat(all.get(alone), 0);
                assertThat(forward(network, manager, input, true, 1))
                        .as("%s without dropout", model)
                        .isEqualTo(forward(network, manager, input, true, 2));
            }
        }
    }

    @Test
    void dropout_unlessItIsGiven_hasThePublishedRate() throws Exception {
        for (String model : List.of("peleenet", "alexnet", "alexnet_dy")) {
            for (Dropout each : dropouts(Variant.of(model).build())) {
                assertThat(rate().getFloat(each)).as(model).isEqualTo(model.equals("peleenet") ? 0.05f : 0.5f);
            }
            Network own = Variant.of(model).build(Variant.of(model).options().withDropout(0.25));
            for (Dropout each : dropouts(own)) {
                assertThat(rate().getFloat(each)).as(model).isEqualTo(0.25f);
            }
        }
    }
}
