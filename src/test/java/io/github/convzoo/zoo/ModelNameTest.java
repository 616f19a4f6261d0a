package io.github.convzoo.zoo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelNameTest {

    @Test
    void name_nearAModelFolder_isRefusedWithIt(@TempDir Path here) throws Exception {
        Files.createFile(Files.createDirectory(here.resolve("run")).resolve("config.json"));
        Files.createDirectory(here.resolve("runs"));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ModelName.of("runn", here))
                .withMessage("no network and no folder is named runn; did you mean run?");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ModelName.of("flowers", here))
                .withMessageStartingWith("unknown network flowers; choose from dla34, ");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ModelName.of("runn", here.resolve("none")))
                .withMessageStartingWith("unknown network runn; choose from ");
        assertThat(ModelName.of("dla34", here)).hasToString("dla34.in1k");
    }
}
