package io.github.convzoo.export;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatIOException;

import io.github.convzoo.graph.Constant;
import io.github.convzoo.graph.Graph;
import io.github.convzoo.graph.Op;
import io.github.convzoo.graph.Tensor;
import io.github.convzoo.graph.Type;
import io.github.convzoo.graph.Value;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** TorchScript runs on loading, so an archive is checked first. */
class TorchScriptCheckTest {

    @TempDir
    Path folder = Path.of("");

    /** An archive of one layer, whose entries go through a function, which returns null to leave one out. */
    private Path archive(BiFunction<String, byte[], byte[]> change) throws IOException {
        Graph.Builder builder = new Graph.Builder();
        Value input = builder.input();
        Value output = builder.add("fc", new Op.Linear(new Constant.Parameter("fc.weight"), null, 3), List.of(input))
                .output();
        NetworkFile network = new NetworkFile(
                builder.build(List.of(output)),
                Type.of(Type.ANY, 4),
                List.of("output"),
                name -> new Tensor(List.of(3L, 4L), new float[12]),
                Precision.FLOAT32,
                Map.of("model", "tiny"),
                true);
        Path written = folder.resolve("written.pt");
        TorchScriptWriter.write(network, TorchScriptCode.Flavor.PLAIN, written);
        Path changed = folder.resolve("changed.pt");
        try (ZipFile from = new ZipFile(written.toFile());
                OutputStream file = Files.newOutputStream(changed);
                ZipOutputStream to = new ZipOutputStream(file)) {
            to.setMethod(ZipOutputStream.STORED);
            for (ZipEntry entry : (Iterable<ZipEntry>) from.stream().map(each -> (ZipEntry) each)::iterator) {
                add(
                        to,
                        entry.getName(),
                        change.apply(entry.getName(), from.getInputStream(entry).readAllBytes()));
            }
            add(to, "model/added", change.apply("added", new byte[0]));
        }
        return changed;
    }

    private static void add(ZipOutputStream zip, String name, byte[] content) throws IOException {
        if (name.equals("model/added") && content.length == 0) {
            return;
        }
        String actual = name.equals("model/added") ? new String(content, StandardCharsets.UTF_8) : name;
        ZipEntry entry = new ZipEntry(actual);
        CRC32 crc = new CRC32();
        crc.update(content);
        entry.setCrc(crc.getValue());
        entry.setSize(content.length);
        zip.putNextEntry(entry);
        zip.write(content);
    }

    private static byte[] replaced(byte[] content, String old, String with) {
        String text = new String(content, StandardCharsets.ISO_8859_1);
        return text.replace(old, with).getBytes(StandardCharsets.ISO_8859_1);
    }

    @Test
    void archive_asWritten_isAccepted() throws IOException {
        Path file = archive((name, content) -> content);
        assertThatCode(() -> TorchScriptCheck.require(file)).doesNotThrowAnyException();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "model/code/__torch__.py",
                "model/code/__torch__/other.py",
                "model/code/__torch__/convzoo/more.py",
                "model/bytecode.pkl",
                "model/extra/a/b",
                "model/libs/a.py",
            })
    void archive_withAnotherEntry_isRefused(String added) throws IOException {
        Path file = archive((name, content) -> name.equals("added") ? added.getBytes(StandardCharsets.UTF_8) : content);
        assertThatIOException()
                .isThrownBy(() -> TorchScriptCheck.require(file))
                .withMessageStartingWith(file + ": it contains " + added.substring("model/".length()) + ", which");
    }

    @ParameterizedTest
    @CsvSource({
        "__torch__.other, Model, __torch__.other.Model",
        "__torch__.torch.classes.quantized, Conv2dPackedParamsBase,"
                + " __torch__.torch.classes.quantized.Conv2dPackedParamsBase",
        "__torch__.convzoo, Other, __torch__.convzoo.Other",
    })
    void archive_withAnObjectOfAnotherClass_isRefused(String module, String type, String shown) throws IOException {
        Path file = archive((name, content) -> name.endsWith("data.pkl")
                ? replaced(content, "c__torch__.convzoo\nModel\n", "c" + module + "\n" + type + "\n")
                : content);
        assertThatIOException()
                .isThrownBy(() -> TorchScriptCheck.require(file))
                .withMessageContaining("it has an object of " + shown);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "    f = torch.from_file(\"a\", True, 64)                 | calls torch.from_file",
                "    f = torch.from_file (\"a\", True, 64)                | calls torch.from_file",
                "    f = torch.from_file\\n(\"a\", True, 64)              | calls torch.from_file",
                "    f = torch.relu(torch.from_file(\"a\", True, 64))     | calls torch.from_file",
                "    torch.save(input, \"a\")                             | calls torch.save",
                "    print(input)                                         | calls print",
                "    f = ops.aten.from_file(\"a\", True, 64)              | calls ops.aten.from_file",
                "    f = __torch__.convzoo.g(input)                       | calls __torch__.convzoo.g",
                "    f = self.g(input)                                    | calls self.g",
                "    f = input.fill_(1)                                   | calls input.fill_",
                "    f = (input).fill_(1)                                 | has an unexpected .",
                "    f = torch .save(input)                               | has an unexpected .",
                "    f = torch. save(input)                               | has an unexpected .",
                "    f = torch.\\nsave(input)                             | has an unexpected .",
                "    f = 1.save(input)                                    | calls save",
                "    f = input[0](1)                                      | calls the result of an expression",
                "    f = (input)(1)                                       | calls the result of an expression",
                "    f = torch.relu\\\\\\n(input)                         | has an unexpected \\",
                "    f = \"#\"; print(input)                              | has an unexpected \"",
                "    f = 'a'                                              | has an unexpected '",
                "    while True:\\n      f = torch.relu(input)            | has the statement while",
                "    for f in [1]:\\n      g = torch.relu(input)          | has the statement for",
                "  def g(self: __torch__.convzoo.Model) -> int:           | defines g",
                "class Other(Module):                                     | defines Other",
                "    \u00e9 = 1                                           | is not plain ASCII",
                "    f = 1\\tg = 2                                        | is not plain ASCII",
            })
    void archive_withOtherCode_isRefused(String line, String problem) throws IOException {
        String code = line.replace("\\\\", "\u0001")
                .replace("\\n", "\n")
                .replace("\\t", "\t")
                .replace("\u0001", "\\");
        Path file = archive((name, content) ->
                name.endsWith(".py") ? replaced(content, "    return ", code + "\n    return ") : content);
        assertThatIOException()
                .isThrownBy(() -> TorchScriptCheck.require(file))
                .withMessageStartingWith(file + ": its code " + problem)
                .withMessageEndingWith("so ConvZoo runs only its own; export the model again from its weights");
    }

    @Test
    void archive_withAComment_isAccepted() throws IOException {
        Path file = archive((name, content) ->
                name.endsWith(".py") ? replaced(content, "    return ", "    # print(x)\n    return ") : content);
        assertThatCode(() -> TorchScriptCheck.require(file)).doesNotThrowAnyException();
    }
}
