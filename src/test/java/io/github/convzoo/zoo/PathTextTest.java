package io.github.convzoo.zoo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.convzoo.checkpoint.Limit;
import io.github.convzoo.checkpoint.Limits;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PathTextTest {

    @Test
    void path_ofAUrl_isTheFiles(@TempDir Path folder) {
        Path file = folder.resolve("a file.pth");
        String url = file.toUri().toString();
        assertThat(url).startsWith("file:///").contains("a%20file");
        assertThat(PathText.path(url)).isEqualTo(file);
        assertThat(PathText.path(url.replace("%20", " "))).isEqualTo(file);
        assertThat(PathText.path(url.replace("file:///", "FILE:/"))).isEqualTo(file);
        assertThat(PathText.path(url.replace("file:///", "file://localhost/"))).isEqualTo(file);
    }

    @Test
    void path_ofAPath_isThatPath() {
        assertThat(PathText.path("runs/best.pth")).isEqualTo(Path.of("runs/best.pth"));
        assertThat(PathText.path("files")).isEqualTo(Path.of("files"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"file:relative.pth", "file://otherhost/a.pth", "jar:file:///none.jar!/a.pth"})
    void path_ofAUrlWithoutAFile_isRefused(String url) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> PathText.path(url))
                .withMessageContaining("not the URL of a local file");
    }

    @Test
    void arguments_ofDjl_sayHowToReadTheWeights(@TempDir Path folder) {
        Path file = folder.resolve("a.pth");
        LoadOptions options = new Arguments(Map.of(
                        "weights",
                        file.toUri().toString(),
                        "key",
                        "checkpoint.model",
                        "ignore",
                        List.of("aux.*", "loss"),
                        "limits",
                        "values=7, pickleBytes=1M"))
                .options(folder.resolve("elsewhere"));

        assertThat(options.weights).isEqualTo(new ModelName.Local(file));
        assertThat(options.reading.key()).isEqualTo("checkpoint.model");
        assertThat(options.reading.ignored()).containsExactly("aux.*", "loss");
        assertThat(options.reading.limits())
                .isEqualTo(Limits.DEFAULT.with(Limit.VALUES, 7).with(Limit.PICKLE_BYTES, 1 << 20));
        assertThat(options.withTopK(1).reading).isEqualTo(options.reading);
    }

    @Test
    void arguments_withoutThese_readAsUsual() {
        LoadOptions options = new Arguments(Map.of()).options(null);

        assertThat(options.reading.key()).isNull();
        assertThat(options.reading.ignored()).isEmpty();
        assertThat(options.reading.limits()).isEqualTo(Limits.DEFAULT);
    }
}
