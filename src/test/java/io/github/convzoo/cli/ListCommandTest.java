package io.github.convzoo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.github.convzoo.network.Reference;
import io.github.convzoo.network.Variant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ListCommandTest {

    @Test
    void list_ofAll_hasALineForEachNetwork() {
        List<String> lines = Run.succeeding("list").out().lines().toList();

        assertThat(lines.get(0)).matches("name +input +parameters +GMACs +top-1 % +top-5 %");
        assertThat(lines.get(1)).matches("-+");
        assertThat(lines.subList(2, lines.size()))
                .extracting(line -> line.substring(0, line.indexOf(' ')))
                .containsExactlyElementsOf(Variant.all().keySet());
        assertThat(lines).anyMatch(line -> line.matches("dla34 +224 +15,742,104 +3\\.0\\d\\d +74\\.632 +92\\.052"));
        assertThat(lines).anyMatch(line -> line.matches("alexnet +128 +[\\d,]+ +\\d\\.\\d{3} +- +-"));
    }

    @Test
    void list_asJson_hasTheNumbers() {
        for (JsonElement each : Run.succeeding("list", "--json").json().getAsJsonArray()) {
            JsonObject row = each.getAsJsonObject();
            Reference.Model reference = Reference.model(row.get("name").getAsString());
            Variant variant = Variant.of(reference.model());

            assertThat(row.keySet()).containsExactly("name", "inputSize", "parameters", "multiplyAdds", "top1", "top5");
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
        Run.refused(2, List.of("list", "resnet*"), "no network is called resnet*; there are dla34, ");
        // A pattern is no regular expression.
        Run.refused(2, List.of("list", "dla3."), "no network is called dla3.");
    }
}
