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
 * The processor that a file is made for. It computes the same wherever it runs; what differs is how fast, and for TorchScript,
 * where it runs.
 */
public enum Target {
    /** Any processor or GPU. */
    ANY(0, false),
    /** x86 with AVX2. TorchScript calls oneDNN, which PyTorch has on x86 only; it runs on the CPU alone. */
    AVX2(8, true),
    /** x86 with AVX-512; otherwise as {@link #AVX2}. */
    AVX512(16, true);

    private static final Path CPU_INFO = Path.of("/proc/cpuinfo");

    private final int channels;
    private final boolean oneDnn;

    Target(int channels, boolean oneDnn) {
        this.channels = channels;
        this.oneDnn = oneDnn;
    }

    /** What the channels of a group should be a multiple of: what the runtime's kernels compute at once. */
    int block(ExportOptions.Format format) {
        return this == ANY ? format.block() : channels;
    }

    /** Whether TorchScript calls oneDNN. */
    boolean oneDnn() {
        return oneDnn;
    }

    /**
     * The target for this machine's processor.
     *
     * @return {@link #ANY} if it is not x86, has no AVX2, or the system is not Linux and does not say
     */
    public static Target here() {
        return isX86() ? ofFeatures(features()) : ANY;
    }

    private static boolean isX86() {
        String architecture = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
        return Set.of("amd64", "x86_64").contains(architecture);
    }

    /**
     * Whether this machine's processor adds pairs of products of bytes in 16 bits, where they overflow: x86 without VNNI. A system
     * that does not tell counts as one without.
     *
     * @return whether 8-bit weights need care
     */
    public static boolean overflowsHere() {
        return isX86() && overflows(features());
    }

    /** Why oneDNN cannot compute with integers on a device here, or not exactly; null if it can. */
    static @Nullable String obstacleToIntegers(Device device, int weightBits) {
        if (!device.equals(Device.cpu())) {
            return "the device is " + device;
        }
        if (!isX86()) {
            return "the processor is not x86";
        }
        return weightBits == 8 && overflowsHere() ? "the processor has no VNNI, so that sums would overflow" : null;
    }

    /** Whether a processor of these features, in Linux's names, has no instruction that adds products of bytes in 32 bits. */
    static boolean overflows(Set<String> features) {
        return !features.contains("avx512_vnni") && !features.contains("avx_vnni");
    }

    /** The target for a processor of these features, in Linux's names. */
    static Target ofFeatures(Set<String> features) {
        // What the kernels of both runtimes ask for.
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
