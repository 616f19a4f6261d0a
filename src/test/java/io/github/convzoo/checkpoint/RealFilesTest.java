package io.github.convzoo.checkpoint;

import static io.github.convzoo.checkpoint.Crafted.at;
import static io.github.convzoo.checkpoint.Crafted.entries;
import static io.github.convzoo.checkpoint.Crafted.floats;
import static io.github.convzoo.checkpoint.Crafted.refused;
import static io.github.convzoo.checkpoint.Crafted.resource;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirDeletionStrategy.IgnoreFailures;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files written by PyTorch, NumPy and safetensors; src/test/python/checkpoint_fixtures.py makes them. */
class RealFilesTest {

    @ParameterizedTest
    @CsvSource({
        "types.pth, types, ''",
        "types.safetensors, types, ''",
        "metadata.safetensors, types, ''",
        "views.pth, views, ''",
        "sharded/model.safetensors.index.json, types, ''",
        "types_protocol2.pdparams, paddle_types, ''",
        "types_protocol3.pdparams, paddle_types, ''",
        "types_protocol4.pdparams, paddle_types, ''",
        "column_major.pdparams, paddle_column_major, ''",
        "net.pdparams, paddle_net, ''",
        "torchscript_nested.pt, torchscript_nested, ''",
        "torchscript_traced.pt, torchscript_nested, ''",
        "arrays.npz, arrays, ''",
        "mxnet_types.params, mxnet_types, ''",
        "mxnet_np_shape.params, mxnet_np_shape, ''",
        "arrays_compressed.npz, arrays, ''",
        "types_legacy.pth, types, ''",
        "views_legacy.pth, views, ''",
        "training_legacy_protocol1.pt, training, ''",
        "training_legacy_protocol2.pt, training, ''",
        "training_legacy_protocol4.pt, training, ''",
        "parameters.pth, parameters, ''",
        "training.pth.tar, training, ''",
        "training_protocol1.pt, training, ''",
        "training_protocol3.pt, training, ''",
        "training_protocol4.pt, training, ''",
        "training_protocol5.pt, training, ''"
    })
    void tensors_ofRealFile_haveTypesShapesAndValuesOfPython(String file, String expected) throws IOException {
        Value root = Checkpoint.read(resource(file)).root();
        List<String> compared = new ArrayList<>();
        try (MappedFile json = MappedFile.open(resource(expected + ".json"))) {
            JsonReader in = new JsonReader(new Cursor(json, 0, json.size(), "the expectation"));
            in.open('{');
            for (boolean first = true; in.more(first, '}'); first = false) {
                String path = in.name();
                compare(in, (Tensor) at(root, path), path);
                compared.add(path);
            }
        }
        assertThat(compared).isNotEmpty();
    }

    private static void compare(JsonReader in, Tensor tensor, String path) throws CheckpointException {
        List<String> values = new ArrayList<>();
        List<Long> shape = new ArrayList<>();
        String type = "";
        in.open('{');
        for (boolean first = true; in.more(first, '}'); first = false) {
            switch (in.name()) {
                case "dtype" -> type = in.string();
                case "shape" -> {
                    in.open('[');
                    for (boolean one = true; in.more(one, ']'); one = false) {
                        shape.add(in.whole());
                    }
                }
                default -> {
                    in.open('[');
                    for (boolean one = true; in.more(one, ']'); one = false) {
                        values.add(in.string().replace("inf", "Infinity").replace("nan", "NaN"));
                    }
                }
            }
        }
        assertThat(tensor.name())
                .isEqualTo(path.substring(path.lastIndexOf('/') + 1).replace('%', '/'));
        assertThat(tensor.type()).as(path).hasToString(type);
        assertThat(tensor.shape())
                .as(path)
                .containsExactly(shape.stream().mapToLong(Long::longValue).toArray());
        float[] expected = new float[values.size()];
        for (int i = 0; i < expected.length; i++) {
            expected[i] = (float) Double.parseDouble(values.get(i));
        }
        // Bit by bit, so that -0.0 and NaN count; every conversion has one right answer.
        assertThat(bits(floats(tensor))).as(path).containsExactly(bits(expected));
    }

    private static int[] bits(float[] values) {
        int[] bits = new int[values.length];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = Float.floatToIntBits(values[i]);
        }
        return bits;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "training.pth.tar",
                "training_legacy_protocol1.pt",
                "training_legacy_protocol2.pt",
                "training_legacy_protocol4.pt",
                "training_protocol1.pt",
                "training_protocol3.pt",
                "training_protocol4.pt",
                "training_protocol5.pt"
            })
    void trainingCheckpoint_besideItsTensors_comesOutAsPlainValues(String file) throws IOException {
        Checkpoint checkpoint = Checkpoint.read(resource(file));
        Value root = checkpoint.root();
        assertThat(checkpoint.format()).isEqualTo(file.contains("legacy") ? Format.PYTORCH_LEGACY : Format.PYTORCH_ZIP);
        assertThat(at(root, "epoch")).isEqualTo(new Value.Whole(BigInteger.valueOf(12)));
        assertThat(at(root, "arch")).isEqualTo(new Value.Text("net"));
        assertThat(at(root, "best_acc1")).isInstanceOf(Value.Placeholder.class);
        assertThat(at(root, "args")).isEqualTo(new Value.Placeholder("argparse.Namespace"));
        assertThat(at(root, "shape/3")).isEqualTo(new Value.Whole(BigInteger.valueOf(5)));
        assertThat(at(root, "device")).isEqualTo(new Value.Text("cuda:0"));
        assertThat(at(root, "dtype")).isEqualTo(new Value.Text("torch.float16"));
        assertThat(at(root, "counts/a")).isEqualTo(new Value.Whole(BigInteger.TWO));
        assertThat(at(root, "groups/1/0")).isEqualTo(new Value.Whole(BigInteger.TWO));
        assertThat(((Value.Sequence) at(root, "classes")).items()).hasSize(2);
        assertThat(at(root, "raw")).isEqualTo(new Value.Bytes(ByteBuffer.wrap(new byte[] {0, -1})));
        assertThat(at(root, "big")).isEqualTo(new Value.Whole(BigInteger.ONE.shiftLeft(100)));
        assertThat(at(root, "nothing")).isEqualTo(new Value.None());
        assertThat(at(root, "optimizer/param_groups/0/betas/0")).isEqualTo(new Value.Real(0.9));
        assertThat(checkpoint.placeholders()).contains("argparse.Namespace");
        assertThat(entries(at(root, "state_dict")).keySet()).first().isEqualTo("module.conv.weight");
    }

    @Test
    void mapping_withKeysThatAreNoText_namesNumbersAndSetsTheRestApart() throws IOException {
        Value.Mapping mixed =
                (Value.Mapping) at(Checkpoint.read(resource("training.pth.tar")).root(), "mixed");
        assertThat(mixed.entries()).isEqualTo(Map.of("7", new Value.Text("int"), "None", new Value.Text("none")));
        assertThat(mixed.unnamed()).containsExactly(new Value.Text("tuple"), new Value.Text("text"));
    }

    @Test
    void parameter_underTwoNames_isOneTensorUnderBoth() throws IOException {
        Value root = Checkpoint.read(resource("parameters.pth")).root();
        assertThat(((Tensor) at(root, "w")).name()).isEqualTo("w");
        assertThat(((Tensor) at(root, "tied")).name()).isEqualTo("tied");
    }

    @ParameterizedTest
    @CsvSource({
        "odd.pth, complex, torch.ComplexFloatStorage",
        "odd.pth, float8, torch.float8_e4m3fn",
        "odd.pth, uint16, torch.uint16",
        "odd.pth, sparse, torch._utils._rebuild_sparse_tensor",
        "odd.pth, quantized, torch._utils._rebuild_qtensor",
        "odd.pth, storage, torch.FloatStorage",
        "odd.npz, complex, numpy.<c8",
        "odd.npz, text, numpy.<U1",
        "odd.safetensors, complex, safetensors.C64",
        "odd.safetensors, float8, safetensors.F8_E4M3",
        "odd.safetensors, uint16, safetensors.U16"
    })
    void tensor_ofUnsupportedKind_isAPlaceholderAndReported(String file, String name, String global)
            throws IOException {
        Checkpoint checkpoint = Checkpoint.read(resource(file));
        assertThat(at(checkpoint.root(), name)).isEqualTo(new Value.Placeholder(global));
        assertThat(checkpoint.placeholders()).contains(global);
        assertThat(floats((Tensor) at(checkpoint.root(), "fine"))).containsExactly(1, 1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"small.pth", "no_checksums.pth", "rezipped.pth", "legacy.pth"})
    void archive_asVariousWritersMakeIt_isRead(String file) throws IOException {
        Value root = Checkpoint.read(resource(file)).root();
        assertThat(floats((Tensor) at(root, "w"))).containsExactly(0, 1, 2);
    }

    @ParameterizedTest
    @CsvSource({"big_endian.pth, big", "compressed.pth, is compressed", "c_order.npy, NumPy array"})
    void file_ofUnsupportedKind_isRefusedAndSaysWhatItIs(String file, String message) {
        assertThat(refused(resource(file))).hasMessageContaining(message);
    }

    @Test
    void torchScript_readByItsAttributes_hasTensorsAndConstantsOnly() throws IOException {
        Checkpoint checkpoint = Checkpoint.read(resource("torchscript.pt"));
        assertThat(checkpoint.format()).isEqualTo(Format.TORCHSCRIPT);
        assertThat(entries(checkpoint.root())).containsOnlyKeys("weight", "bias");
        Value traced = Checkpoint.read(resource("torchscript_traced.pt")).root();
        assertThat(entries(traced)).containsKey("shared.weight");
        assertThat(entries(traced)).hasEntrySatisfying("CONSTANTS.c0", constant -> assertThat(floats((Tensor) constant))
                .containsExactly(2, 3));
    }

    @Test
    void metadata_withEscapes_isReadAsWritten() throws IOException {
        assertThat(Checkpoint.read(resource("metadata.safetensors")).metadata())
                .isEqualTo(Map.of("quote\"\\\n\u0001é", "value/\u2028"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"types.safetensors", "metadata.safetensors", "none.safetensors"})
    void safetensors_readAndWritten_isTheLibrarysFileByteForByte(
            String name, @TempDir(deletionStrategy = IgnoreFailures.class) Path directory) throws IOException {
        Checkpoint checkpoint = Checkpoint.read(resource(name));
        List<Tensor> tensors = new ArrayList<>();
        entries(checkpoint.root()).values().forEach(value -> tensors.add(0, (Tensor) value));
        Path copy = directory.resolve("copy");
        Safetensors.write(copy, tensors, checkpoint.metadata());
        assertThat(copy).hasBinaryContent(Files.readAllBytes(resource(name)));
    }

    @ParameterizedTest
    @CsvSource({"c_order.npy, true", "fortran_order.npy, false", "version2.npy, false", "version3.npy, false"})
    void npy_ofEachVersionAndOrder_isReadRowMajor(
            String name, boolean sameBytes, @TempDir(deletionStrategy = IgnoreFailures.class) Path directory)
            throws IOException {
        Tensor array = Npy.read(resource(name));
        assertThat(array.shape()).containsExactly(2, 3);
        assertThat(floats(array)).containsExactly(0, 1, 2, 3, 4, 5);
        Path copy = directory.resolve("copy");
        Npy.write(copy, array);
        assertThat(copy).hasBinaryContent(Files.readAllBytes(resource("c_order.npy")));
        assertThat(Files.mismatch(copy, resource(name)) == -1).isEqualTo(sameBytes);
    }

    @ParameterizedTest
    @ValueSource(strings = {"scalar.npy", "halves.npy"})
    void npy_readAndWritten_isNumPysFileByteForByte(
            String name, @TempDir(deletionStrategy = IgnoreFailures.class) Path directory) throws IOException {
        Path copy = directory.resolve("copy");
        Npy.write(copy, Npy.read(resource(name)));
        assertThat(copy).hasBinaryContent(Files.readAllBytes(resource(name)));
    }
}
