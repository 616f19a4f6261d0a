package io.github.convzoo.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The fuzz targets for a short while; docs/reference/security.md says how to run them for longer. */
class FuzzTest {
    private static final int SECONDS = 20;

    /** Far fewer inputs than a slow machine gets through, and more than a reader gets that the fuzzer never chooses. */
    private static final int FEWEST_INPUTS = 50;

    @ParameterizedTest
    @EnumSource(Format.class)
    void seeds_andWhatOnceWentWrong_areReadOrRefused(Format format, @TempDir Path directory) throws IOException {
        FuzzInputs.writeShards(directory);
        ReaderFuzzTarget target = new ReaderFuzzTarget(format, directory);
        int read = 0;
        for (byte[] seed : new FuzzInputs(format).seeds()) {
            read += target.isRead(seed) ? 1 : 0;
        }
        assertThat(read).isPositive();
    }

    @Test
    @Timeout(300)
    void readers_fuzzedForAShortWhile_throwNothingButTheDocumentedException() throws Exception {
        assumeTrue(Fuzzing.isSupported(), "Jazzer has no native library for this machine");
        Path parent = Files.createDirectories(Path.of("target", "fuzz"));
        Fuzzing fuzzing = new Fuzzing(Files.createTempDirectory(parent, "short").toAbsolutePath());
        Fuzzing.Result result = fuzzing.run(EnumSet.allOf(Format.class), SECONDS);
        assertThat(result.finding())
                .as("the input and the log are in %s\n%s", fuzzing.log().getParent(), result.output())
                .isFalse();
        for (Format format : Format.values()) {
            String inputs = result.figure("inputs for " + format + ": ([0-9]+)");
            assertThat(Integer.parseInt(inputs)).as(format.name()).isGreaterThan(FEWEST_INPUTS);
        }
    }
}
