package io.github.convzoo.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import ai.djl.ndarray.types.Shape;
import io.github.convzoo.Samples;
import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.checkpoint.CheckpointTrees;
import io.github.convzoo.checkpoint.ElementType;
import io.github.convzoo.checkpoint.Tensor;
import io.github.convzoo.checkpoint.Value;
import io.github.convzoo.network.DlaVariant;
import io.github.convzoo.network.Network;
import io.github.convzoo.network.Variant;
import io.github.convzoo.weights.LoadReport.Note;
import io.github.convzoo.weights.LoadReport.Rule;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class WeightSearchTest {

    private static final Variant VARIANT = DlaVariant.DLA46X_C;
    private static final Map<String, Value> ONES = weights(VARIANT, 1);
    private static final Map<String, Value> TWOS = weights(VARIANT, 2);

    private static Map<String, Value> weights(Variant variant, float number) {
        Network network = variant.build(variant.options().withNumClasses(4));
        Map<String, Value> weights = new LinkedHashMap<>();
        ParameterShapes.of(network, new Shape(1, 3, 224, 224)).forEach((name, shape) -> {
            float[] values = new float[(int) shape.size()];
            Arrays.fill(values, number);
            weights.put(name, Samples.tensor(name, values, shape.getShape()));
        });
        return weights;
    }

    private static Value.Mapping mapping(Map<String, Value> entries) {
        return new Value.Mapping(entries, List.of());
    }

    private static Value.Mapping mapping(String name, Map<String, Value> entries) {
        return mapping(Map.of(name, mapping(entries), "epoch", new Value.Whole(BigInteger.ONE)));
    }

    private static Value.Mapping mapping(String one, Map<String, Value> ones, String two, Map<String, Value> twos) {
        Map<String, Value> entries = new LinkedHashMap<>();
        entries.put(one, mapping(ones));
        entries.put(two, mapping(twos));
        return mapping(entries);
    }

    private static Map<String, Value> renamed(Map<String, Value> weights, UnaryOperator<String> name) {
        Map<String, Value> renamed = new LinkedHashMap<>();
        weights.forEach((each, tensor) -> renamed.put(name.apply(each), tensor));
        return renamed;
    }

    private static Map<String, Value> with(Map<String, Value> weights, String name, Value value) {
        Map<String, Value> more = new LinkedHashMap<>(weights);
        more.put(name, value);
        return more;
    }

    private static StateDict find(Value root, ReadOptions options) throws CheckpointException {
        return StateDict.of(CheckpointTrees.of(root), VARIANT, options);
    }

    private static StateDict find(Value root) throws CheckpointException {
        return find(root, ReadOptions.DEFAULT);
    }

    private static void assertRefused(Value root, ReadOptions options, String... parts) {
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> find(root, options))
                .satisfies(e -> assertThat(e.getMessage()).contains(parts));
    }

    private static float first(StateDict found) {
        return Samples.floats(Objects.requireNonNull(found.tensors().get("fc.bias")))[0];
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "model_state_dict",
                "net",
                "network",
                "weights",
                "params",
                "params_ema",
                "ema",
                "module",
                "generator",
                "an unheard-of place"
            })
    void weights_inAnyOnePlace_areTakenAndThePlaceIsNoted(String place) throws CheckpointException {
        StateDict found = find(mapping(place, ONES));

        assertThat(found.path()).isEqualTo(place);
        assertThat(found.tensors().keySet()).isEqualTo(ONES.keySet());
        assertThat(found.notes()).containsExactly(new Note(Rule.PLACE_FOUND, List.of(place)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"state_dict_ema", "model_ema", "state_dict", "model"})
    void weights_inAUsualPlace_needNoNote(String place) throws CheckpointException {
        StateDict found = find(mapping(place, ONES));

        assertThat(found.path()).isEqualTo(place);
        assertThat(found.notes()).isEmpty();
    }

    @Test
    void weights_nestedInMappingsAndLists_areFound() throws CheckpointException {
        Value.Mapping twice = mapping("checkpoint", Map.of("model", mapping(ONES)));
        assertThat(find(twice).path()).isEqualTo("checkpoint.model");
        Value list = new Value.Sequence(List.of(mapping("params", ONES)));
        assertThat(find(list).path()).isEqualTo("0.params");
        assertThat(find(mapping(Map.of("models", list))).path()).isEqualTo("models.0.params");
    }

    @Test
    void weights_nextToAnOptimizersState_areFound() throws CheckpointException {
        Map<String, Value> momentum = renamed(ONES, name -> "exp_avg of " + name);
        StateDict found = find(mapping("net", ONES, "optimizer", Map.of("state", mapping(momentum))));

        assertThat(found.path()).isEqualTo("net");
    }

    @Test
    void weights_thatFitTwiceAndDiffer_areRefusedByName() throws CheckpointException {
        Value root = mapping("params", ONES, "params_ema", TWOS);

        assertRefused(
                root,
                ReadOptions.DEFAULT,
                "several weights fit dla46x_c and differ: params, params_ema; choose with --key",
                "such as --key params");
        assertThat(first(find(root, ReadOptions.DEFAULT.withKey("params_ema")))).isEqualTo(2);
        assertThat(first(find(root, ReadOptions.DEFAULT.withIgnored(List.of("params_*")))))
                .isEqualTo(1);
    }

    @Test
    void weights_thatFitTwiceAndAreTheSame_areTaken() throws CheckpointException {
        assertThat(find(mapping("params", ONES, "params_ema", ONES)).path()).isEqualTo("params");
    }

    @Test
    void weights_thatDifferInOneNumber_areNotTheSame() {
        Tensor bias = Samples.tensor("fc.bias", new float[] {1, 1, 1, 3}, 4);
        assertRefused(
                mapping("a", ONES, "b", with(ONES, "fc.bias", bias)), ReadOptions.DEFAULT, "fit dla46x_c and differ");
    }

    @Test
    void weights_inTwoUsualPlaces_areThoseOfTheFirstAndTheOtherIsNoted() throws CheckpointException {
        StateDict found = find(mapping("state_dict", ONES, "state_dict_ema", TWOS));

        assertThat(found.path()).isEqualTo("state_dict_ema");
        assertThat(first(found)).isEqualTo(2);
        assertThat(found.notes()).containsExactly(new Note(Rule.NOT_TAKEN, List.of("state_dict")));
    }

    @Test
    void weights_inAUsualPlaceAndAnother_areRefused() {
        assertRefused(mapping("state_dict", ONES, "ema", TWOS), ReadOptions.DEFAULT, "differ: state_dict, ema");
    }

    @Test
    void weights_ofATeacherOfTheSameFamily_areNotTheStudents() throws CheckpointException {
        Map<String, Value> teacher = weights(DlaVariant.DLA46_C, 3);
        assertThat(teacher.keySet()).isEqualTo(ONES.keySet());
        StateDict found = find(mapping("teacher", teacher, "student", ONES));

        assertThat(found.path()).isEqualTo("student");
        // None fits: the shapes differ, which loading says.
        assertThat(StateDict.of(
                                CheckpointTrees.of(mapping("a", ONES, "b", TWOS)),
                                DlaVariant.DLA46_C,
                                ReadOptions.DEFAULT)
                        .path())
                .isEqualTo("a");
    }

    @ParameterizedTest
    @ValueSource(strings = {"timm_model.", "features.module.", "backbone.", "model.", "net.module.encoder."})
    void prefix_withoutWhichNamesFit_isStrippedAndNoted(String prefix) throws CheckpointException {
        StateDict found = find(mapping("state_dict", renamed(ONES, name -> prefix + name)));

        assertThat(found.tensors().keySet()).isEqualTo(ONES.keySet());
        assertThat(found.tensors().values()).extracting(Tensor::name).contains("fc.bias");
        assertThat(found.notes()).containsExactly(new Note(Rule.PREFIX_STRIPPED, List.of(prefix)));
        assertThat(found.prefixes()).containsExactly(prefix);
    }

    @Test
    void prefix_ofAWrapper_isStrippedAsAlways() throws CheckpointException {
        StateDict found = find(mapping(renamed(ONES, name -> "module._orig_mod." + name)));

        assertThat(found.tensors().keySet()).isEqualTo(ONES.keySet());
        assertThat(found.notes()).isEmpty();
        assertThat(found.prefixes()).containsExactly("module._orig_mod.");
    }

    @Test
    void wrapper_insideNames_isStrippedAndNoted() throws CheckpointException {
        StateDict found = find(mapping(renamed(ONES, name -> name.replace("level3.", "level3.module."))));

        assertThat(found.tensors().keySet()).isEqualTo(ONES.keySet());
        assertThat(found.notes()).containsExactly(new Note(Rule.PREFIX_STRIPPED, List.of("module. inside names")));
    }

    @Test
    void wrapper_insidePrefixedNames_isStrippedToo() throws CheckpointException {
        Map<String, Value> weights = renamed(ONES, name -> "net." + name.replace("level3.", "level3.module."));

        assertThat(find(mapping(weights)).tensors().keySet()).isEqualTo(ONES.keySet());
    }

    @Test
    void prefix_ofNamesThatDoNotFit_isKept() throws CheckpointException {
        Map<String, Value> weights = renamed(ONES, name -> "net." + name);
        weights.remove("net.level5.tree1.conv2.weight");

        assertThat(find(mapping(weights)).tensors().keySet()).isEqualTo(weights.keySet());
    }

    @Test
    void prefixes_thatBothFit_areRefusedAndChosenByKey() throws CheckpointException {
        Map<String, Value> both = new LinkedHashMap<>(renamed(ONES, name -> "model." + name));
        both.putAll(renamed(TWOS, name -> "ema_model." + name));
        Value root = mapping("state_dict", both);

        assertRefused(
                root,
                ReadOptions.DEFAULT,
                "state_dict with the prefix model., state_dict with the prefix ema_model.",
                "--key state_dict.model");
        assertThat(first(find(root, ReadOptions.DEFAULT.withKey("state_dict.ema_model"))))
                .isEqualTo(2);
        assertThat(first(find(root, ReadOptions.DEFAULT.withIgnored(List.of("ema_model.*")))))
                .isEqualTo(1);
    }

    @Test
    void entries_besidesAPrefix_stayToBeRefusedByLoading() throws CheckpointException {
        Map<String, Value> weights =
                with(renamed(ONES, name -> "model." + name), "loss.weight", tensor("loss.weight", 2));

        assertThat(find(mapping(weights)).tensors().keySet()).contains("loss.weight", "fc.bias");
    }

    private static Tensor tensor(String name, int size) {
        return Samples.zeros(name, ElementType.F32, size);
    }

    @Test
    void key_ofSomethingElse_isRefused() {
        Value root = mapping(Map.of(
                "model", new Value.Placeholder("someone.Net"), "epoch", new Value.Text("1"), "net", mapping(ONES)));
        assertRefused(
                root, ReadOptions.DEFAULT.withKey("model"), "its entry model is a pickled object of class someone.Net");
        assertRefused(
                root,
                ReadOptions.DEFAULT.withKey("epoch"),
                "its entry epoch is not a mapping of tensors; choose from net");
        assertRefused(root, ReadOptions.DEFAULT.withKey("nett"), "has no entry nett; tensors are at net");
        assertRefused(root, ReadOptions.DEFAULT.withKey("net.fcc"), "has no entry net.fcc; tensors are at net");
    }

    @Test
    void key_thatMayMeanTwoEntries_isRefused() {
        Value root = mapping(Map.of("a", mapping(Map.of("b", mapping(ONES))), "a.b", mapping(TWOS)));
        assertRefused(root, ReadOptions.DEFAULT.withKey("a.b"), "has two entries at a.b");
    }

    @Test
    void key_ofWeightsThatDoNotFit_isFollowed() throws CheckpointException {
        Value root = mapping("net", ONES, "other", Map.of("a", tensor("a", 1)));
        StateDict found = find(root, ReadOptions.DEFAULT.withKey("other"));

        assertThat(found.path()).isEqualTo("other");
        assertThat(found.tensors().keySet()).containsExactly("a");
    }

    @Test
    void ignored_entries_areLeftOutAndNoted() throws CheckpointException {
        Map<String, Value> weights = with(with(ONES, "aux.bias", tensor("aux.bias", 1)), "epoch", new Value.Text("1"));
        StateDict found = find(mapping(weights), ReadOptions.DEFAULT.withIgnored(List.of("aux.*", "epoc?")));

        assertThat(found.tensors().keySet()).isEqualTo(ONES.keySet());
        assertThat(found.notes()).containsExactly(new Note(Rule.IGNORED_AS_ASKED, List.of("aux.bias", "epoch")));
    }

    @Test
    void ignored_thatMatchesNothing_isRefused() {
        assertRefused(
                mapping(ONES),
                ReadOptions.DEFAULT.withIgnored(List.of("fc.*", "aus.*")),
                "has no entry matching aus.*");
    }

    @Test
    void weights_thatFitNothing_areThoseThatComeNearest() throws CheckpointException {
        Map<String, Value> most = new LinkedHashMap<>(ONES);
        most.remove("base_layer.0.weight");
        Value root = mapping("aaa", Map.of("fc.bias", tensor("fc.bias", 4)), "net", most);
        StateDict found = find(root);

        assertThat(found.path()).isEqualTo("net");
        assertThat(found.notes()).extracting(Note::rule).containsExactly(Rule.PLACE_FOUND);
    }

    @Test
    void weights_ofAnUnknownNetwork_areTheOnlyOnesBesidesAnOptimizers() throws CheckpointException {
        Map<String, Value> momentum = Map.of("0", mapping(Map.of("exp_avg", tensor("exp_avg", 1))));
        Value one = mapping("net", Map.of("a", tensor("a", 1)), "optimizer", Map.of("state", mapping(momentum)));
        assertThat(StateDict.of(CheckpointTrees.of(one)).path()).isEqualTo("net");
        Value two = mapping("net_g", Map.of("a", tensor("a", 1)), "net_d", Map.of("a", tensor("a", 1)));
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> StateDict.of(CheckpointTrees.of(two)))
                .withMessageContaining("has several mappings of tensors: net_g, net_d");
    }

    @ParameterizedTest
    @CsvSource({
        "sparse.pth, tensor.to_dense()",
        "sparse_csr.pth, tensor.to_dense()",
        "quantized.pth, tensor.dequantize()",
        "complex.pth, tensor.real",
        "half_complex.pth, tensor.real",
        "conjugate.pth, tensor.real",
        "negated.pth, tensor.resolve_neg()",
        "meta.pth, the meta device",
        "meta_parameter.pth, the meta device",
        "float8_e4m3fn.pth, an 8-bit floating-point tensor; save tensor.to(torch.float32)",
        "float8_e5m2.pth, an 8-bit floating-point tensor; save tensor.to(torch.float32)",
        "uint16.pth, tensor.to(torch.float32)",
        "nested.pth, tensor.to_padded_tensor(0)",
        "jagged.pth, tensor.to_padded_tensor(0)",
        "xla.pth, tensor.cpu()",
        "xla_numpy.pth, tensor.cpu()",
        "float8_e4m3fn.safetensors, an 8-bit floating-point tensor; save tensor.to(torch.float32)",
        "float8_e5m2.safetensors, an 8-bit floating-point tensor; save tensor.to(torch.float32)",
        "complex.safetensors, tensor.real",
        "uint16.safetensors, tensor.to(torch.float32)"
    })
    void tensor_ofAnotherKind_isRefusedByNameWithTheCallThatHelps(String file, String remedy)
            throws CheckpointException {
        Checkpoint checkpoint = Checkpoint.read(Samples.resource("cases/kinds/" + file));

        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> StateDict.of(checkpoint, VARIANT, ReadOptions.DEFAULT))
                .withMessageContaining(file.endsWith(".pth") ? "tensor state_dict.odd: is " : "tensor odd: is ")
                .withMessageContaining(remedy);
        assertThat(Inspection.of(checkpoint).problem()).contains(remedy);
    }

    @ParameterizedTest
    @CsvSource({
        "onecycle_small.pth, state_dict, weight",
        "bound_method.pth, state_dict, fc.bias",
        "model_state_dict.pth, model_state_dict, fc.weight",
        "net.pth, net, fc.weight"
    })
    void file_thatPeopleHave_isRead(String file, String path, String name) throws CheckpointException {
        StateDict found = StateDict.of(Checkpoint.read(Samples.resource("cases/checkpoints/" + file)));

        assertThat(found.path()).isEqualTo(path);
        assertThat(found.tensors()).containsKey(name);
    }
}
