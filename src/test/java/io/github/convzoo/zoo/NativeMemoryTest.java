package io.github.convzoo.zoo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.jna.Memory;
import com.sun.jna.NativeLibrary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
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

    /** Large blocks and several of them, in a thread whose heap holds only one: each case fails with glibc's defaults. */
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
            // Ten times 119 MiB are 304,640 pages.
            assertThat(faults).isLessThan(1000);
        } finally {
            thread.shutdown();
        }
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
