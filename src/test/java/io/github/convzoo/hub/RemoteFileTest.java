package io.github.convzoo.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.tuple;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RemoteFileTest {

    @Test
    void sources_ofAHubFileWithAnOlderOne_areInTheOrderToTry() {
        RemoteFile file = new RemoteFile(
                "dpn68.mx_in1k",
                "dpn68.mx_in1k",
                "timm/dpn68.mx_in1k",
                "main",
                "model.safetensors",
                List.of("https://example.org/v0.1/dpn68-66bebafa7.pth"));

        assertThat(Source.of(file, StoreSettings.fromEnvironment(name -> null)))
                .extracting(Source::toString, Source::digits)
                .containsExactly(
                        tuple("https://huggingface.co/timm/dpn68.mx_in1k/resolve/main/model.safetensors", null),
                        tuple("https://example.org/v0.1/dpn68-66bebafa7.pth", "66bebafa7"));
    }

    @Test
    void ofRepository_keepsRevisionsApart() {
        RemoteFile main = RemoteFile.ofRepository("me/flowers", "main", "config.json");
        RemoteFile pull = RemoteFile.ofRepository("me/flowers", "refs/pr/1", "config.json");

        assertThat(main.directory()).isEqualTo("me--flowers@main");
        assertThat(pull.directory()).isEqualTo("me--flowers@refs%2Fpr%2F1");
        assertThat(main.name()).isEqualTo("me/flowers@main/config.json");
    }

    @ParameterizedTest
    @CsvSource({
        "../x, main, config.json",
        "me/.., main, config.json",
        "me, main, config.json",
        "me/x/y, main, config.json",
        "me/x, ../main, config.json",
        "me/x, a//b, config.json",
        "me/x, main, ../config.json",
        "me/x, main, a/config.json"
    })
    void ofRepository_nameThatLeavesTheCache_isRefused(String repository, String revision, String file) {
        assertThatIllegalArgumentException().isThrownBy(() -> RemoteFile.ofRepository(repository, revision, file));
    }

    @Test
    void construction_ofAnAddressThatLeavesTheCache_isRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() ->
                        new RemoteFile("x", "x", null, "main", "model.safetensors", List.of("http://127.0.0.1/..")))
                .withMessageContaining("..");
    }
}
