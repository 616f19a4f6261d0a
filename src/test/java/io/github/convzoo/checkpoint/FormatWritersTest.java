package io.github.convzoo.checkpoint;

import static io.github.convzoo.checkpoint.Crafted.resource;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirDeletionStrategy.IgnoreFailures;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Writes the tensors of files that other libraries wrote, and compares what is written with these files. */
class FormatWritersTest {
    private final Path directory;

    FormatWritersTest(@TempDir(deletionStrategy = IgnoreFailures.class) Path directory) {
        this.directory = directory;
    }

    private static Map<String, Tensor> tensors(Path file) throws IOException {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        Crafted.entries(Checkpoint.read(file).root()).forEach((name, value) -> {
            if (value instanceof Tensor tensor) {
                tensors.put(name, tensor);
            }
        });
        assertThat(tensors).isNotEmpty();
        return tensors;
    }

    private static byte[] entry(Path archive, String suffix) throws IOException {
        try (ZipFile zip = new ZipFile(archive.toFile())) {
            String name = zip.stream()
                    .map(Object::toString)
                    .filter(each -> each.endsWith(suffix))
                    .findFirst()
                    .orElseThrow();
            return zip.getInputStream(zip.getEntry(name)).readAllBytes();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"small.pth", "types.pth"})
    void pytorch_hasThePickleAndStoragesOfPyTorch(String name) throws IOException {
        Map<String, Tensor> tensors = tensors(resource(name));
        Path written = FormatWriters.pytorch(directory.resolve(name), tensors);
        assertThat(entry(written, "/data.pkl")).isEqualTo(entry(resource(name), "/data.pkl"));
        for (int i = 0; i < tensors.size(); i++) {
            assertThat(entry(written, "/data/" + i)).isEqualTo(entry(resource(name), "/data/" + i));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"legacy.pth", "types_legacy.pth"})
    void pytorchLegacy_isTheFileOfPyTorch(String name) throws IOException {
        byte[] expected = Files.readAllBytes(resource(name));
        // The storages' keys were addresses; they stand in the order of the tensors first.
        Set<String> keys = new LinkedHashSet<>();
        Matcher key = Pattern.compile("X....(9\\d{13})q", Pattern.DOTALL)
                .matcher(new String(expected, StandardCharsets.ISO_8859_1));
        while (key.find()) {
            keys.add(key.group(1));
        }
        Map<String, Tensor> tensors = tensors(resource(name));
        assertThat(keys).hasSameSizeAs(tensors.keySet());
        assertThat(FormatWriters.legacy(tensors.values(), List.copyOf(keys))).isEqualTo(expected);
    }

    @Test
    void torchScript_readsAsTheFileOfPyTorch() throws IOException {
        Map<String, Tensor> expected = tensors(resource("torchscript_nested.pt"));
        Path written = FormatWriters.torchScript(directory.resolve("written.pt"), expected);
        Checkpoint checkpoint = Checkpoint.read(written);
        assertThat(checkpoint.format()).isEqualTo(Format.TORCHSCRIPT);
        assertThat(tensors(written).keySet()).isEqualTo(expected.keySet());
        for (Map.Entry<String, Tensor> each : expected.entrySet()) {
            Tensor tensor = Crafted.tensor(checkpoint, each.getKey());
            assertThat(tensor.shape()).isEqualTo(each.getValue().shape());
            assertThat(tensor.bytes()).isEqualTo(each.getValue().bytes());
        }
        // From its name to its end, a tensor of one storage is pickled as PyTorch's C++ does it.
        String pickle = new String(entry(written, "/data.pkl"), StandardCharsets.ISO_8859_1);
        String real = new String(entry(resource("torchscript_nested.pt"), "/data.pkl"), StandardCharsets.ISO_8859_1);
        Pattern first = Pattern.compile("ctorch._utils.*?collections\nOrderedDict\nq.\\)RtRq", Pattern.DOTALL);
        assertThat(first(first, pickle)).isEqualTo(first(first, real));
    }

    /** The first match, without the numbers of the memo, which depend on what stands before. */
    private static String first(Pattern pattern, String pickle) {
        Matcher matcher = pattern.matcher(pickle);
        assertThat(matcher.find()).isTrue();
        return matcher.group().replaceAll("(?s)q.", "q");
    }

    @Test
    void paddle_isTheFileOfPaddle() throws IOException {
        Path real = resource("net.pdparams");
        Value table = Crafted.at(Checkpoint.read(real).root(), "StructuredToParameterName@@");
        List<String> names = new ArrayList<>();
        Crafted.entries(table).values().forEach(name -> names.add(((Value.Text) name).text()));
        assertThat(FormatWriters.paddle(tensors(real).values(), names)).isEqualTo(Files.readAllBytes(real));
    }

    @Test
    void mxnet_isTheFileOfMxnet() throws IOException {
        Path real = resource("mxnet_types.params");
        Path written = FormatWriters.mxnet(directory.resolve("written.params"), tensors(real));
        assertThat(written).hasSameBinaryContentAs(real);
    }

    @Test
    void numpy_hasTheEntriesOfNumpy() throws IOException {
        Path real = resource("arrays.npz");
        Map<String, Tensor> tensors = tensors(real);
        // NumPy keeps this one column-major; nothing here writes so.
        tensors.remove("path/column_major");
        Path written = FormatWriters.numpy(directory.resolve("written.npz"), tensors);
        for (String name : tensors.keySet()) {
            assertThat(entry(written, name + ".npy")).as(name).isEqualTo(entry(real, name + ".npy"));
        }
    }

    @Test
    void sharded_areTheFilesOfPython() throws IOException {
        Path real = resource("sharded/model.safetensors.index.json");
        // Python dealt the tensors out in the order in which the types' file has them.
        Map<String, Tensor> tensors = tensors(resource("types.pth"));
        Path written = FormatWriters.sharded(directory, tensors, 2);
        assertThat(written).hasSameTextualContentAs(real);
        for (String shard : List.of("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")) {
            assertThat(directory.resolve(shard)).hasSameBinaryContentAs(real.resolveSibling(shard));
        }
    }
}
