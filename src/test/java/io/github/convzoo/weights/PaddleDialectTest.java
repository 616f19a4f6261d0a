package io.github.convzoo.weights;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.checkpoint.Dialect;
import io.github.convzoo.checkpoint.Format;
import io.github.convzoo.checkpoint.Tensor;
import io.github.convzoo.checkpoint.Value;
import java.net.URL;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Files that PaddlePaddle wrote; src/test/python/paddle_fixtures.py makes them. */
class PaddleDialectTest {

    private static float[] floats(Tensor tensor) {
        FloatBuffer out = FloatBuffer.allocate((int) tensor.size());
        tensor.toFloats(out);
        return out.array();
    }

    @ParameterizedTest
    @CsvSource({"net.pdparams, ''", "nested.pdparams, model"})
    void stateDict_ofPaddle_hasCanonicalNamesAndLinearWeightsTransposed(String name, String place) throws Exception {
        URL resource = Objects.requireNonNull(PaddleDialectTest.class.getResource("/checkpoint/" + name));
        Checkpoint checkpoint = Checkpoint.read(Path.of(resource.toURI()));
        StateDict stateDict = StateDict.of(checkpoint);
        assertThat(stateDict.path()).isEqualTo(place);
        assertThat(stateDict.tensors().keySet())
                .containsExactly(
                        "conv.weight",
                        "bn.weight",
                        "bn.bias",
                        "bn.running_mean",
                        "bn.running_var",
                        "fc.weight",
                        "fc.bias");
        Tensor weight = Objects.requireNonNull(stateDict.tensors().get("fc.weight"));
        assertThat(weight.shape()).containsExactly(2, 4);
        Value.Mapping root = (Value.Mapping) checkpoint.root();
        Value.Mapping saved =
                place.isEmpty() ? root : (Value.Mapping) root.get(place).orElseThrow();
        float[] original = floats((Tensor)
                Dialect.of(Format.PADDLE).unwrapped(saved.get("fc.weight").orElseThrow()));
        float[] transposed = floats(weight);
        for (int i = 0; i < 8; i++) {
            assertThat(transposed[i]).isEqualTo(original[i % 4 * 2 + i / 4]);
        }
    }
}
