package io.github.convzoo.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.convzoo.Samples;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.checkpoint.CheckpointTrees;
import io.github.convzoo.checkpoint.ElementType;
import io.github.convzoo.checkpoint.Tensor;
import io.github.convzoo.checkpoint.Value;
import io.github.convzoo.network.AlexNetVariant;
import io.github.convzoo.network.DlaVariant;
import io.github.convzoo.network.PeleeNetVariant;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StateDictTest {

    private static final List<String> PLACES = List.of("state_dict_ema", "model_ema", "state_dict", "model");

    @Test
    void of_tensorsAtTheTop_takesThem() throws CheckpointException {
        StateDict found = StateDict.of(CheckpointTrees.of(weights("b", "a")));

        assertThat(found.path()).isEmpty();
        assertThat(found.tensors().keySet()).containsExactly("b", "a");
    }

    @Test
    void of_trainingCheckpoint_looksInTheGivenOrder() throws CheckpointException {
        for (int first = 0; first < PLACES.size(); first++) {
            Map<String, Value> entries = new LinkedHashMap<>();
            entries.put("epoch", new Value.Whole(BigInteger.TEN));
            // The file's own order must not matter.
            for (int i = PLACES.size() - 1; i >= first; i--) {
                entries.put(PLACES.get(i), weights("of_" + PLACES.get(i)));
            }
            StateDict found = StateDict.of(CheckpointTrees.of(mapping(entries)));

            assertThat(found.path()).isEqualTo(PLACES.get(first));
            assertThat(found.tensors().keySet()).containsExactly("of_" + PLACES.get(first));
        }
    }

    @Test
    void of_placeThatHoldsNoMapping_looksOn() throws CheckpointException {
        StateDict found = StateDict.of(CheckpointTrees.of(mapping(Map.of(
                "state_dict_ema", new Value.None(), "state_dict", weights("a"), "model", new Value.Text("dla34")))));

        assertThat(found.path()).isEqualTo("state_dict");
    }

    @Test
    void of_tensorThatIsCalledAsAPlace_isAWeight() throws CheckpointException {
        assertThat(StateDict.of(CheckpointTrees.of(weights("model"))).tensors().keySet())
                .containsExactly("model");
    }

    @ParameterizedTest
    @CsvSource({
        "module.a.weight, a.weight",
        "_orig_mod.a.weight, a.weight",
        "module.module.a, a",
        "_orig_mod.module.a, a",
        "module._orig_mod.module._orig_mod.a, a",
        "a.module.weight, a.module.weight",
        "modules.a, modules.a"
    })
    void of_prefixedNames_stripsWhatWrappingLeft(String name, String canonical) throws CheckpointException {
        StateDict found = StateDict.of(CheckpointTrees.of(weights(name)));

        assertThat(found.tensors().keySet()).containsExactly(canonical);
        assertThat(found.tensors().values()).extracting(Tensor::name).containsExactly(canonical);
    }

    @Test
    void of_namesThatCollideOnceStripped_isRefused() {
        assertRefused(weights("module.a", "a"), "tree.pth: tensor a: occurs twice after prefixes are stripped");
    }

    @Test
    void of_pickledModule_isRefusedByItsClass() {
        assertRefused(
                mapping(Map.of("model", new Value.Placeholder("models.yolo.Model"))),
                "its entry model is a pickled object of class models.yolo.Model, not a state dict");
    }

    @Test
    void of_pickledModuleBesideAStateDict_findsTheStateDict() throws CheckpointException {
        StateDict found = StateDict.of(CheckpointTrees.of(
                mapping(Map.of("model_ema", new Value.Placeholder("models.yolo.Model"), "state_dict", weights("a")))));

        assertThat(found.path()).isEqualTo("state_dict");
    }

    @Test
    void of_whatIsNoMapping_isRefused() {
        assertRefused(new Value.Sequence(List.of(tensor("0"))), "the file has no named tensors");
        assertRefused(tensor(""), "the file has no named tensors");
        assertRefused(
                new Value.Placeholder("torch.nn.Linear"),
                "the file contains a pickled object of class torch.nn.Linear, not a state dict; save its state_dict()");
    }

    @Test
    void of_entryThatIsNoTensor_isRefusedByNameAndKind() {
        assertRefused(
                mapping(Map.of("state_dict", mapping(Map.of("a", tensor("a"), "b", new Value.Text("x"))))),
                "its entry state_dict has an entry b that is not a tensor (text)");
        assertRefused(
                mapping(Map.of("a", tensor("a"), "epoch", new Value.Whole(BigInteger.ONE))),
                "the file has an entry epoch that is not a tensor (whole)",
                "--ignore 'epoch'");
        assertRefused(
                mapping(Map.of("a", new Value.Placeholder("argparse.Namespace"))), "not a tensor (argparse.Namespace)");
    }

    @Test
    void of_entryWithoutAName_isRefused() {
        assertRefused(new Value.Mapping(Map.of("a", tensor("a")), List.of(tensor("b"))), "has entries without a name");
    }

    @Test
    void of_nothing_isRefused() {
        assertRefused(mapping(Map.of()), "the file has no tensors");
        assertRefused(mapping(Map.of("model", mapping(Map.of()))), "its entry model has no tensors");
    }

    @Test
    void tensors_ofAStateDict_cannotBeChanged() throws CheckpointException {
        StateDict found = StateDict.of(CheckpointTrees.of(weights("a")));

        assertThatExceptionOfType(UnsupportedOperationException.class)
                .isThrownBy(() -> found.tensors().clear());
    }

    @Test
    void classesAndChannels_ofWeights_areThoseOfTheirShapes() throws CheckpointException {
        StateDict alexnet = stateDict(
                Samples.zeros("classifier.6.bias", ElementType.F32, 7),
                Samples.zeros("features.0.weight", ElementType.F32, 48, 4, 11, 11));

        assertThat(alexnet.classes(AlexNetVariant.ALEXNET)).hasValue(7);
        assertThat(alexnet.inChannels(AlexNetVariant.ALEXNET)).hasValue(4);
        assertThat(alexnet.classes(PeleeNetVariant.PELEENET)).isEmpty();
        assertThat(alexnet.inChannels(DlaVariant.DLA34)).isEmpty();
    }

    @Test
    void classesAndChannels_ofImpossibleShapes_areUnknown() throws CheckpointException {
        StateDict alexnet = stateDict(
                Samples.zeros("classifier.6.bias", ElementType.F32),
                Samples.zeros("features.0.weight", ElementType.F32, 48, 0, 11, 11));

        assertThat(alexnet.classes(AlexNetVariant.ALEXNET)).isEmpty();
        assertThat(alexnet.inChannels(AlexNetVariant.ALEXNET)).isEmpty();
    }

    private static StateDict stateDict(Tensor... tensors) throws CheckpointException {
        Map<String, Value> entries = new LinkedHashMap<>();
        for (Tensor tensor : tensors) {
            entries.put(tensor.name(), tensor);
        }
        return StateDict.of(CheckpointTrees.of(mapping(entries)));
    }

    private static Value.Mapping weights(String... names) {
        Map<String, Value> entries = new LinkedHashMap<>();
        for (String name : names) {
            entries.put(name, tensor(name));
        }
        return mapping(entries);
    }

    private static Value.Mapping mapping(Map<String, Value> entries) {
        return new Value.Mapping(entries, new ArrayList<>());
    }

    private static Tensor tensor(String name) {
        return Samples.tensor(name, new float[] {1, 2}, 2);
    }

    private static void assertRefused(Value root, String... parts) {
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> StateDict.of(CheckpointTrees.of(root)))
                .withMessageStartingWith("tree.pth: ")
                .satisfies(e -> assertThat(e.getMessage()).contains(parts));
    }
}
