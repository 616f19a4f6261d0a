package io.github.convzoo.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.net.URI;
import java.util.List;
import org.junit.jupiter.api.Test;

class ManifestTest {

    @Test
    void find_networkAlone_isItsFirstRow() {
        assertThat(Manifest.find("dpn68b").name()).isEqualTo("dpn68b.ra_in1k");
    }

    @Test
    void find_networkAndTag_isThatRow() {
        assertThat(Manifest.find("dpn68b.mx_in1k").hub()).isEqualTo("timm/dpn68b.mx_in1k");
    }

    @Test
    void find_unknown_saysWhatThereIs() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Manifest.find("dla35"))
                .withMessageContainingAll("dla35", "dla34.in1k", "peleenet.in1k", "dpn107.mx_in1k");
    }

    @Test
    void rows_everyOne_hasSourcesAndAName() {
        List<URI> endpoints = List.of(URI.create("https://huggingface.co"));
        assertThat(Manifest.rows()).hasSize(20).allSatisfy(row -> {
            List<Source> sources = Source.of(row, endpoints);
            assertThat(sources).isNotEmpty();
            assertThat(Source.directory(row)).isEqualTo(row.model() + "." + row.tag());
            // Every older file but PeleeNet's names the start of its own hash.
            assertThat(sources)
                    .allMatch(source -> source.hub()
                            || source.digits() != null
                            || row.model().equals("peleenet"));
        });
        assertThat(Source.of(Manifest.find("dpn68"), endpoints))
                .extracting(Source::toString, Source::digits)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple(
                                "https://huggingface.co/timm/dpn68.mx_in1k/resolve/main/model.safetensors", null),
                        org.assertj.core.groups.Tuple.tuple(
                                "https://github.com/rwightman/pytorch-dpn-pretrained/releases/download/v0.1/dpn68-66bebafa7.pth",
                                "66bebafa7"));
    }

    @Test
    void source_nameThatLeavesTheCache_isRefused() {
        Manifest.Row row =
                new Manifest.Row("..", "/etc", null, List.of("http://127.0.0.1/a.pth"), "imagenet", 0, null, "none");
        assertThatIllegalArgumentException().isThrownBy(() -> Source.directory(row));
    }
}
