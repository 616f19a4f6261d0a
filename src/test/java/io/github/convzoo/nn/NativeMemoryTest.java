package io.github.convzoo.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.Device;
import ai.djl.ndarray.NDList;
import ai.djl.repository.zoo.ZooModel;
import com.sun.jna.Memory;
import com.sun.jna.NativeLibrary;
import io.github.convzoo.export.ExportOptions;
import io.github.convzoo.export.Exporter;
import io.github.convzoo.network.Network;
import io.github.convzoo.weights.ModelConfig;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.LoadOptions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NativeMemoryTest {

    private static final Map<String, String> LINUX = Map.of("os.name", "Linux");
    private static final int MEBIBYTE = 1 << 20;
    private static final int PAGE = 4096;

    @Test
    void switchedOff_changesNothing() {
        assertThat(NativeMemory.keepFreed(Map.of("os.name", "Linux", "convzoo.keepNativeMemory", "false"), Map.of()))
                .isEqualTo("convzoo.keepNativeMemory is false: the C library's heap is unchanged");
    }

    @ParameterizedTest
    @ValueSource(strings = {"MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TOP_PAD_", "GLIBC_TUNABLES"})
    void settingOfTheUser_isLeftAlone(String variable) {
        assertThat(NativeMemory.keepFreed(LINUX, Map.of(variable, "1")))
                .isEqualTo(variable + " is set: the C library's heap is unchanged");
    }

    @Test
    void otherSystem_isLeftAlone() {
        assertThat(NativeMemory.keepFreed(Map.of("os.name", "Mac OS X"), Map.of()))
                .isEqualTo("not Linux: the C library's heap is unchanged");
    }

    /** Large blocks, and several of them, in a thread whose heap holds only one. */
    @Test
    @EnabledOnOs(OS.LINUX)
    void freedMemory_isUsedAgainWithoutTheSystem() throws Exception {
        assumeTrue(hasMallopt(), "the C library is not glibc");
        assertThat(NativeMemory.keepFreed(LINUX, Map.of("MALLOC_ARENA_MAX", "1")))
                .isEqualTo("the C library keeps freed memory");
        ExecutorService thread = Executors.newSingleThreadExecutor();
        try {
            long faults = thread.submit(() -> {
                        List<Integer> sizes = List.of(1, 8, 40, 40, 30);
                        useAndFree(sizes);
                        long before = faultsOfThisThread();
                        for (int i = 0; i < 10; i++) {
                            useAndFree(sizes);
                        }
                        return faultsOfThisThread() - before;
                    })
                    .get(1, TimeUnit.MINUTES);
            // Ten times 119 MiB are 304,640 pages. Where small blocks end up depends on the heap's history.
            assertThat(faults).isLessThan(10_000);
        } finally {
            thread.shutdown();
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void network_andExportedFile_keepFreedMemory(@TempDir Path folder) throws Exception {
        assumeTrue(hasMallopt(), "the C library is not glibc");
        LoadOptions options = LoadOptions.published().withInputSize(32, 32).withDevice(Device.cpu());
        try (ZooModel<NDList, NDList> model = ConvZoo.untrained("peleenet", options)) {
            Network network = (Network) model.getBlock();
            ModelConfig config = ConvZoo.open("peleenet", options).config(options);
            new Exporter(network, config.withOptions(network.options())).export(folder, ExportOptions.torchScript());
        }
        assertThat(logOf()).containsOnlyOnce("the C library keeps freed memory");
        assertThat(logOf(folder.resolve("model.pt").toString())).containsOnlyOnce("the C library keeps freed memory");
    }

    /** Runs {@link NativeMemoryMain}; returns what it logs. */
    private static String logOf(String... args) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                ProcessHandle.current().info().command().orElseThrow(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                NativeMemoryMain.class.getName()));
        command.addAll(List.of(args));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String log = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(log).isZero();
        return log;
    }

    private static boolean hasMallopt() {
        try {
            NativeLibrary.getInstance("c").getFunction("mallopt");
            return true;
        } catch (UnsatisfiedLinkError e) {
            return false;
        }
    }

    private static void useAndFree(List<Integer> mebibytes) {
        List<Memory> blocks = mebibytes.stream()
                .map(size -> new Memory((long) size * MEBIBYTE))
                .toList();
        for (Memory block : blocks) {
            for (long at = 0; at < block.size(); at += PAGE) {
                block.setByte(at, (byte) 1);
            }
        }
        blocks.forEach(Memory::close);
    }

    private static long faultsOfThisThread() throws IOException {
        String stat = Files.readString(Path.of("/proc/thread-self/stat"));
        // The second field is a name in parentheses, which may have blanks; faults are the tenth field.
        return Long.parseLong(stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1)[7]);
    }
}
