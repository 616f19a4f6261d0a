package io.github.convzoo.export;

import ai.djl.Device;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The processor to optimize a file for. Results are the same everywhere; only the speed differs, and for TorchScript,
 * where it can run.
 */
public enum Target {
    /** Any processor or GPU. */
    ANY(0, false),
    /** x86 with AVX2. TorchScript calls oneDNN, which PyTorch has on x86 only, and runs on the CPU only. */
    AVX2(8, true),
    /** x86 with AVX-512; otherwise like {@link #AVX2}. */
    AVX512(16, true);

    private static final Path CPU_INFO = Path.of("/proc/cpuinfo");

    private final int channels;
    private final boolean oneDnn;

    Target(int channels, boolean oneDnn) {
        this.channels = channels;
        this.oneDnn = oneDnn;
    }

    /** The preferred multiple for a group's channels: the width of the runtime's kernels. */
    int block(ExportOptions.Format format) {
        return this == ANY ? format.block() : channels;
    }

    /** Whether TorchScript calls oneDNN. */
    boolean oneDnn() {
        return oneDnn;
    }

    /**
     * {@return the target for this machine's processor; {@link #ANY} if the processor is not x86, has no AVX2, or is
     * unknown because the system is not Linux}
     */
    public static Target here() {
        return isX86() ? ofFeatures(features()) : ANY;
    }

    private static boolean isX86() {
        String architecture = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
        return Set.of("amd64", "x86_64").contains(architecture);
    }

    /**
     * {@return whether 8-bit weights need care, because this machine's processor adds pairs of byte products in 16
     * bits, where they overflow: x86 without VNNI} An unknown processor counts as one without.
     */
    public static boolean overflowsHere() {
        return isX86() && overflows(features());
    }

    /** Why oneDNN cannot compute with integers exactly on a device of this machine; null if it can. */
    static @Nullable String obstacleToIntegers(Device device, int weightBits) {
        if (!device.equals(Device.cpu())) {
            return "the device is " + device;
        }
        if (!isX86()) {
            return "the processor is not x86";
        }
        return weightBits == 8 && overflowsHere() ? "the processor has no VNNI, so sums would overflow" : null;
    }

    /**
     * Whether a processor with these features, in Linux's names, lacks an instruction that adds byte products in 32
     * bits.
     */
    static boolean overflows(Set<String> features) {
        return !features.contains("avx512_vnni") && !features.contains("avx_vnni");
    }

    /** The target for a processor with these features, in Linux's names. */
    static Target ofFeatures(Set<String> features) {
        // The requirements of both runtimes' kernels.
        if (features.containsAll(List.of("avx512f", "avx512bw", "avx512dq", "avx512vl"))) {
            return AVX512;
        }
        return features.containsAll(List.of("avx2", "fma")) ? AVX2 : ANY;
    }

    private static Set<String> features() {
        if (!Files.isReadable(CPU_INFO)) {
            return Set.of();
        }
        try (Stream<String> lines = Files.lines(CPU_INFO)) {
            return lines.filter(line -> line.startsWith("flags"))
                    .findFirst()
                    .map(line -> Set.copyOf(List.of(line.split("\\s+"))))
                    .orElse(Set.of());
        } catch (IOException | UncheckedIOException e) {
            return Set.of();
        }
    }
}
