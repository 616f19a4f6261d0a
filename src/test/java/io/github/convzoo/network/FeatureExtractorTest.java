package io.github.convzoo.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class FeatureExtractorTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "dla34 | 16:1 32:2 64:4 128:8 256:16 512:32",
                "dla60x_c | 16:1 32:2 64:4 64:8 128:16 256:32",
                "peleenet | 32:4 128:4 256:8 512:16 704:32",
                "dpn68 | 10:2 144:4 320:8 704:16 832:32",
                "dpn107 | 128:2 376:4 1152:8 2432:16 2688:32",
                "alexnet | 128:42"
            })
    void maps_ofEveryLevel_haveTheirChannelsAndStrides(String model, String expected) {
        Network network = Variant.of(model).build();
        int count = network.featureStages().size();
        int[] all = Stream.iterate(0, i -> i + 1).limit(count).mapToInt(i -> i).toArray();
        Shape[] maps = new FeatureExtractor(network, all).getOutputShapes(new Shape[] {new Shape(1, 3, 128, 128)});
        List<String> actual =
                Stream.of(maps).map(map -> map.get(1) + ":" + 128 / map.get(2)).toList();
        assertThat(String.join(" ", actual)).isEqualTo(expected);
    }

    static Stream<Variant> variants() {
        return Variant.all().values().stream();
    }

    @ParameterizedTest
    @MethodSource("variants")
    void levels_unlessNamed_areAllFromTheFirstUsual(Variant variant) {
        Network network = variant.build();
        assertThat(network.stages().keySet()).containsAll(network.featureStages());
        List<Integer> levels = new FeatureExtractor(network).levels();
        assertThat(levels).isNotEmpty().first().isEqualTo(variant instanceof DlaVariant ? 1 : 0);
        assertThat(levels).last().isEqualTo(network.featureStages().size() - 1);
    }

    @Test
    void forward_givesTheStagesOutputsAndLeavesNothingElse() {
        Network network = Variant.of("dla46x_c").build();
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            Reference.initialize(network, manager, "features/", new Shape(1, 3, 64, 64));
            network.freezeParameters(true);
            FeatureExtractor features = new FeatureExtractor(network, 0, 3);
            NDArray input = Reference.image(manager, "", new Shape(2, 3, 64, 64));
            ParameterStore parameters = new ParameterStore(manager, false);
            int before = manager.getManagedArrays().size();
            NDList maps = features.forward(parameters, new NDList(input), false);
            assertThat(manager.getManagedArrays()).hasSize(before + 2);

            NDArray x = input;
            int level = 0;
            for (Map.Entry<String, Block> stage : network.stages().entrySet()) {
                x = stage.getValue().forward(parameters, new NDList(x), false).singletonOrThrow();
                if (stage.getKey().equals("level0") || stage.getKey().equals("level3")) {
                    assertThat(maps.get(level++).toFloatArray()).isEqualTo(x.toFloatArray());
                }
            }
            assertThat(level).isEqualTo(2);
        }
    }

    @Test
    void initialize_ofTheExtractor_initializesTheNetwork() {
        Network network = Variant.of("dla46x_c").build();
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            FeatureExtractor features = new FeatureExtractor(network);
            features.initialize(manager, DataType.FLOAT32, new Shape(1, 3, 64, 64));
            assertThat(network.isInitialized()).isTrue();
            assertThat(features.network()).isSameAs(network);
        }
    }

    @Test
    void levels_thatAreNot_areRefused() {
        Network network = Variant.of("dla34").build();
        for (int[] levels : new int[][] {{6}, {-1}, {2, 2}, {3, 1}}) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> new FeatureExtractor(network, levels))
                    .withMessageContaining("dla34 has feature levels 0 to 5; pass them in ascending order, not ");
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new FeatureExtractor(network).getOutputShapes(new Shape[] {new Shape(1, 1, 64, 64)}))
                .withMessageContaining("expects an input of shape");
    }

    @Test
    void lastActivation_ofRelu_isWhatFollowsTheLastNorm() {
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            NDArray input = Reference.image(manager, "", new Shape(1, 3, 64, 64));
            NDArray elu = lastMap(manager, LastActivation.ELU, input);
            NDArray relu = lastMap(manager, LastActivation.RELU, input);
            float[] expected = elu.maximum(0f).toFloatArray();
            assertThat(elu.min().getFloat()).isNegative();
            assertThat(relu.toFloatArray()).containsExactly(expected, within(0f));
        }
    }

    private static NDArray lastMap(NDManager manager, LastActivation activation, NDArray input) {
        Variant variant = Variant.of("dpn68");
        Network network = variant.build(variant.options().withFamily(new DpnOptions(false, activation)));
        Reference.initialize(network, manager, "activation/", input.getShape());
        network.freezeParameters(true);
        ParameterStore parameters = new ParameterStore(manager, false);
        NDArray x = input;
        for (Block stage : network.stages().values()) {
            x = stage.forward(parameters, new NDList(x), false).singletonOrThrow();
        }
        return x;
    }
}
