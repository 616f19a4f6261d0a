package io.github.convzoo.export;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TargetTest {

    @ParameterizedTest
    @CsvSource({
        "AVX512, fma avx2 avx512f avx512dq avx512cd avx512bw avx512vl avx512_vnni",
        "AVX2, fma avx avx2 bmi2",
        "AVX2, fma avx2 avx512f avx512cd avx512er",
        "ANY, avx2",
        "ANY, sse4_2 avx fma",
        "ANY, fp asimd"
    })
    void target_isWhatTheFeaturesAllow(Target expected, String features) {
        Set<String> all = Arrays.stream(features.split(" ")).collect(Collectors.toSet());
        assertThat(Target.ofFeatures(all)).isEqualTo(expected);
    }

    /** Linux lists the features of each processor; other systems and architectures get a file for any. */
    @Test
    void here_isWhatThisMachinesFeaturesAllow() throws IOException {
        Path list = Path.of("/proc/cpuinfo");
        boolean known = Files.exists(list) && Set.of("amd64", "x86_64").contains(System.getProperty("os.arch"));
        Set<String> words = known ? Set.copyOf(List.of(Files.readString(list).split("\\s+"))) : Set.of();
        assertThat(Target.here()).isEqualTo(Target.ofFeatures(words));
    }

    @ParameterizedTest
    @CsvSource({"ANY, 16, 1", "AVX2, 8, 8", "AVX512, 16, 16"})
    void blocks_areWhatTheKernelsCompute(Target target, int onnx, int torchScript) {
        assertThat(target.block(ExportOptions.Format.ONNX)).isEqualTo(onnx);
        assertThat(target.block(ExportOptions.Format.TORCHSCRIPT)).isEqualTo(torchScript);
    }

    @ParameterizedTest
    @CsvSource({
        "false, avx2 avx512f avx512_vnni",
        "false, avx2 avx_vnni",
        "true, avx2 fma",
        "true, avx2 avx512f avx512bw avx512dq avx512vl"
    })
    void sumsOfBytes_overflowWithoutVnni(boolean expected, String features) {
        assertThat(Target.overflows(Set.of(features.split(" ")))).isEqualTo(expected);
    }

    @Test
    void obstacle_toIntegers_isADeviceOrAProcessor() {
        assertThat(Target.obstacleToIntegers(Device.gpu(), 7)).contains("the device is gpu(0)");
        String architecture = System.getProperty("os.arch");
        try {
            System.setProperty("os.arch", "aarch64");
            assertThat(Target.obstacleToIntegers(Device.cpu(), 7)).isEqualTo("the processor is not x86");
            assertThat(Target.overflowsHere()).isFalse();
            System.setProperty("os.arch", "amd64");
            assertThat(Target.obstacleToIntegers(Device.cpu(), 7)).isNull();
            assertThat(Target.obstacleToIntegers(Device.cpu(), 8) != null).isEqualTo(Target.overflowsHere());
        } finally {
            System.setProperty("os.arch", architecture);
        }
    }
}
