package io.github.convzoo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.network.Reference;
import io.github.convzoo.network.Variant;
import io.github.convzoo.weights.Manifest;
import io.github.convzoo.zoo.ConvZoo;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ListCommandTest {

    @Test
    void list_ofAll_hasALineForEachNetworkAndSetOfWeights() {
        List<String> lines = Run.succeeding("list").out().lines().toList();

        assertThat(lines.get(0))
                .isEqualTo("name            tag      input  parameters   GMACs  top-1 %  top-5 %  license");
        assertThat(lines.get(1)).matches("-+");
        List<String> expected = new ArrayList<>();
        for (String network : Variant.all().keySet()) {
            List<Manifest.Row> rows = Manifest.rows().stream()
                    .filter(row -> row.model().equals(network))
                    .toList();
            if (rows.isEmpty()) {
                expected.add(network + " -");
            }
            for (Manifest.Row row : rows) {
                expected.add(network + " " + row.tag());
                if (row.larger() != null) {
                    expected.add(network + " " + row.tag());
                }
            }
        }
        assertThat(lines.subList(2, lines.size()))
                .extracting(line -> line.replaceFirst("^(\\S+) +(\\S+) .*$", "$1 $2"))
                .containsExactlyElementsOf(expected);
        assertThat(lines)
                .contains(
                        "dla34           in1k       224  15,742,104   3.060   74.632   92.052  BSD-3-Clause",
                        "dla60_res2next  in1k       224  17,032,984   3.459   78.488   94.144  unknown",
                        "peleenet        in1k       224   2,802,248   0.508   72.080        -  Apache-2.0",
                        "dpn68b          ra_in1k    224  12,611,602   2.326   78.546   93.982  Apache-2.0",
                        "dpn68b          mx_in1k    224  12,611,602   2.326   77.494   93.834  Apache-2.0",
                        "alexnet         -          128   7,525,418   0.097        -        -  -")
                .anyMatch(line -> line.matches("dpn68b +ra_in1k +288  12,611,602 +3\\.\\d{3} +79\\.342 +94\\.430 .*"));
        // Every column begins, and every number ends, where its head does.
        int tag = lines.get(0).indexOf("tag");
        int license = lines.get(0).indexOf("license");
        assertThat(lines.subList(2, lines.size()))
                .allMatch(line -> line.charAt(tag - 1) == ' ' && line.charAt(tag) != ' ')
                .allMatch(line -> line.charAt(license - 1) == ' ' && line.charAt(license) != ' ')
                .allMatch(line -> line.charAt(license - 3) != ' ');
    }

    @Test
    void list_asJson_hasTheNumbers() {
        for (JsonElement each : Run.succeeding("list", "--json").json().getAsJsonArray()) {
            JsonObject row = each.getAsJsonObject();
            Reference.Model reference = Reference.model(row.get("name").getAsString());
            Variant variant = Variant.of(reference.model());

            assertThat(row.keySet())
                    .containsExactly("name", "inputSize", "parameters", "multiplyAdds", "top1", "top5", "weights");
            assertThat(row.get("inputSize").getAsInt()).isEqualTo(variant.inputSize());
            if (variant.options().numClasses() == reference.numClasses()) {
                assertThat(row.get("parameters").getAsLong()).isEqualTo(reference.trainableParameters());
            }
        }
        JsonObject dla34 = Run.succeeding("list", "dla34", "--json")
                .json()
                .getAsJsonArray()
                .get(0)
                .getAsJsonObject();
        assertThat(dla34.get("top1").getAsDouble()).isEqualTo(0.74632);
        JsonObject alexnet = Run.succeeding("list", "alexnet", "--json")
                .json()
                .getAsJsonArray()
                .get(0)
                .getAsJsonObject();
        assertThat(alexnet.get("top1").isJsonNull()).isTrue();
        assertThat(alexnet.getAsJsonArray("weights")).isEmpty();
    }

    @Test
    void list_asJson_holdsTheWholeManifest() {
        List<String> names = new ArrayList<>();
        for (JsonElement network : Run.succeeding("list", "--json").json().getAsJsonArray()) {
            for (JsonElement each : network.getAsJsonObject().getAsJsonArray("weights")) {
                JsonObject weights = each.getAsJsonObject();
                Manifest.Row row = Manifest.find(weights.get("name").getAsString());
                names.add(row.name());
                assertThat(weights.get("tag").getAsString()).isEqualTo(row.tag());
                assertThat(weights.get("top1").getAsDouble()).isEqualTo(row.top1());
                assertThat(weights.get("top5").isJsonNull()).isEqualTo(row.top5() == null);
                assertThat(weights.get("license").getAsString()).isEqualTo(row.license());
                assertThat(weights.get("hub").isJsonNull()).isEqualTo(row.hub() == null);
                assertThat(weights.getAsJsonArray("olderFiles"))
                        .extracting(file -> file.getAsJsonObject().get("url").getAsString())
                        .containsExactlyElementsOf(row.urls());
                assertThat(weights.get("paperUrl").getAsString()).startsWith("https://arxiv.org/abs/");
                assertThat(weights.get("accuracySource").getAsString()).isNotBlank();
                // What loading by this name uses.
                Preprocessing preprocessing = ConvZoo.preprocessing(row.name());
                JsonObject input = weights.getAsJsonObject("preprocessing");
                assertThat(input.get("name").getAsString()).isEqualTo(row.preprocessing());
                assertThat(input.get("height").getAsInt()).isEqualTo(preprocessing.height());
                assertThat(input.get("width").getAsInt()).isEqualTo(preprocessing.width());
                assertThat(input.get("shorterSide").getAsInt()).isEqualTo(preprocessing.resizedSide());
                assertThat(input.get("resampling").getAsString())
                        .isEqualTo(preprocessing.resampling().name().toLowerCase(Locale.ROOT));
                assertThat(doubles(input.getAsJsonArray("mean")))
                        .isEqualTo(preprocessing.normalization().mean());
                assertThat(doubles(input.getAsJsonArray("std")))
                        .isEqualTo(preprocessing.normalization().std());
            }
        }
        assertThat(names)
                .containsExactlyInAnyOrderElementsOf(
                        Manifest.rows().stream().map(Manifest.Row::name).toList());
    }

    private static List<Double> doubles(JsonArray array) {
        return array.asList().stream().map(JsonElement::getAsDouble).toList();
    }

    @Test
    void list_ofASetOfWeights_hasItAlone() {
        JsonArray networks =
                Run.succeeding("list", "dpn68b.ra_in1k", "--json").json().getAsJsonArray();

        assertThat(networks).hasSize(1);
        JsonArray weights = networks.get(0).getAsJsonObject().getAsJsonArray("weights");
        assertThat(weights).hasSize(1);
        JsonObject larger = weights.get(0).getAsJsonObject().getAsJsonObject("larger");
        assertThat(larger.get("top1").getAsDouble()).isEqualTo(0.79342);
        assertThat(larger.getAsJsonObject("preprocessing").get("height").getAsInt())
                .isEqualTo(288);
        assertThat(Run.succeeding("list", "*.mx_in1k").out().lines().skip(2))
                .hasSize(6)
                .allMatch(line -> line.matches("dpn\\w+ +mx_in1k .*"));
        assertThat(Run.succeeding("list", "dpn68b").out().lines().skip(2)).hasSize(3);
    }

    @ParameterizedTest
    @CsvSource({
        "dla60*, 'dla60x_c dla60 dla60x dla60_res2net dla60_res2next'",
        "dpn?8, 'dpn68 dpn98'",
        "*_dy, alexnet_dy",
        "peleenet, peleenet",
        "*60?, dla60x"
    })
    void list_ofAPattern_hasTheNetworksItStandsFor(String pattern, String expected) {
        List<String> names = new ArrayList<>();
        for (JsonElement row : Run.succeeding("list", pattern, "--json").json().getAsJsonArray()) {
            names.add(row.getAsJsonObject().get("name").getAsString());
        }
        assertThat(names).containsExactly(expected.split(" "));
    }

    @Test
    void list_ofAPatternForNothing_namesTheNetworks() {
        Run.refused(2, List.of("list", "nonet*"), "no network is named nonet*; choose from dla34, ");
        Run.refused(2, List.of("list", "dla34.mx_in1k"), "no network is named dla34.mx_in1k; did you mean dla34.in1k?");
        // A pattern is not a regular expression.
        Run.refused(2, List.of("list", "dla3."), "no network is named dla3.");
    }
}
