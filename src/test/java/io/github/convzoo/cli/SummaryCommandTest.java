package io.github.convzoo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.github.convzoo.network.Reference;
import io.github.convzoo.network.Variant;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SummaryCommandTest {

    static Stream<String> names() {
        return Variant.all().keySet().stream();
    }

    @ParameterizedTest
    @MethodSource("names")
    void summary_ofEveryNetwork_addsUpToTheReferencesParameters(String name) {
        Reference.Model reference = Reference.model(name);
        List<Long> shape = reference.inputShape();
        String size = shape.get(1) + "x" + shape.get(2) + "x" + shape.get(3);
        Object[] args = {"summary", name, "--num-classes", reference.numClasses(), "--input-size", size};
        JsonObject totals = Run.succeeding(
                        Stream.concat(Stream.of(args), Stream.of("--json")).toArray())
                .json()
                .getAsJsonObject();

        long sum = 0;
        for (JsonElement layer : totals.getAsJsonArray("layers")) {
            sum += layer.getAsJsonObject().get("parameters").getAsLong();
        }
        assertThat(sum).isEqualTo(reference.trainableParameters());
        assertThat(totals.get("parameters").getAsLong()).isEqualTo(reference.trainableParameters());
        assertThat(totals.get("model").getAsString()).isEqualTo(name);
        assertThat(totals.get("parameterBytes").getAsLong())
                .isEqualTo(4 * (sum + totals.get("statistics").getAsLong()));
        assertThat(Run.succeeding(args).out())
                .containsPattern("trainable parameters +" + String.format(Locale.ROOT, "%,d", sum) + "\\R");
    }

    @Test
    void summary_ofPublishedNetwork_hasALineForEachLayer() {
        List<String> lines = Run.succeeding("summary", "dla34").out().lines().toList();

        assertThat(lines.get(0)).matches("layer +kind +output shape +parameters");
        assertThat(lines.get(2)).matches("base_layer\\.0 +Conv2d +1 x 16 x 224 x 224 +2,352");
        assertThat(lines.get(3)).matches("base_layer\\.1 +BatchNorm2d +1 x 16 x 224 x 224 +32");
        assertThat(lines.get(4)).matches("base_layer +ReLU +1 x 16 x 224 x 224");
        assertThat(lines).anyMatch(line -> line.matches("input \\(MB\\) +0\\.60"));
        assertThat(lines).anyMatch(line -> line.matches("parameters \\(MB\\) +63\\.\\d\\d"));
    }

    @Test
    void summary_withoutClasses_endsInFeatures() {
        JsonObject totals = Run.succeeding(
                        "summary", "peleenet", "--num-classes", 0, "--input-size", "1x64x64", "--json")
                .json()
                .getAsJsonObject();
        JsonElement last = totals.getAsJsonArray("layers")
                .get(totals.getAsJsonArray("layers").size() - 1);

        assertThat(last.getAsJsonObject().get("output")).hasToString("[1,704]");
        assertThat(totals.get("inputBytes").getAsLong()).isEqualTo(4 * 64 * 64);
    }

    @Test
    void summary_ofWhatCannotBe_saysWhatCan() {
        Run.refused(2, List.of("summary", "dla35"), "unknown network dla35");
        Run.refused(2, List.of("summary", "dla34", "--input-size", "224"), "such as 3x224x224, not 224");
        Run.refused(2, List.of("summary", "dla34", "--input-size", "0x64x64"), "at least 1, not 0");
        Run.refused(
                2,
                List.of("summary", "dla34", "--input-size", "3x40x64"),
                "dla34 expects a height and width of 32k or 32k - 1",
                "not 40 x 64");
        Run.refused(2, List.of("summary", "dla34", "--num-classes", "-1"), "not -1");
    }
}
