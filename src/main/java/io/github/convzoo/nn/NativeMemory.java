package io.github.convzoo.nn;

import com.sun.jna.Function;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The C library's heap, from which PyTorch takes the memory of its arrays.
 *
 * <p>By default, glibc returns large freed blocks to the system. The next pass through a network asks for the same
 * memory again, and the system clears it page by page, which can take as long as the computation. ConvZoo therefore
 * tells glibc to keep freed memory, once per process, before the first network gets parameters or the first exported
 * TorchScript is opened. Peak memory stays about the same, but memory that is free after a peak stays with the process.
 *
 * <p>Nothing is changed if {@value #PROPERTY} is {@code false}, if the environment has settings for glibc's heap
 * ({@code MALLOC_TRIM_THRESHOLD_}, {@code MALLOC_MMAP_THRESHOLD_}, {@code MALLOC_TOP_PAD_}, or
 * {@code GLIBC_TUNABLES}), or if the C library is another one.
 */
public final class NativeMemory {

    /** The system property that is {@code false} if glibc's heap must not be changed. */
    public static final String PROPERTY = "convzoo.keepNativeMemory";

    private static final List<String> VARIABLES =
            List.of("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TOP_PAD_", "GLIBC_TUNABLES");

    private static final Logger LOGGER = LoggerFactory.getLogger(NativeMemory.class);

    // Parameters of glibc's mallopt, from malloc.h.
    private static final int TRIM_THRESHOLD = -1;
    private static final int TOP_PAD = -2;
    private static final int MMAP_THRESHOLD = -3;

    /** Larger blocks, and more free memory at the end of a heap, are still returned. */
    private static final int KEPT = 1 << 30;

    /** The maximum for a block that glibc before 2.35 accepts. */
    private static final int OLD_MAXIMUM = 32 << 20;

    /** The size of a thread's heap. Heaps grow by as much, which only reserves addresses, so none is removed. */
    private static final int THREAD_HEAP = 64 << 20;

    private static boolean called;

    private NativeMemory() {}

    /** Tells glibc to keep freed memory, unless this is switched off. Only the first call has an effect. */
    public static synchronized void keepFreed() {
        if (!called) {
            called = true;
            LOGGER.info("{}", keepFreed(System.getProperties(), System.getenv()));
        }
    }

    /** {@return what was done, and why} */
    static String keepFreed(Map<?, ?> properties, Map<String, String> environment) {
        if ("false".equals(properties.get(PROPERTY))) {
            return PROPERTY + " is false: the C library's heap is unchanged";
        }
        for (String variable : VARIABLES) {
            if (environment.containsKey(variable)) {
                return variable + " is set: the C library's heap is unchanged";
            }
        }
        if (!"Linux".equals(properties.get("os.name"))) {
            return "not Linux: the C library's heap is unchanged";
        }
        try {
            Function mallopt = Function.getFunction("c", "mallopt");
            // A threshold for freeing alone would make glibc map every block above 128 KiB separately.
            boolean kept = set(mallopt, MMAP_THRESHOLD, KEPT) || set(mallopt, MMAP_THRESHOLD, OLD_MAXIMUM);
            kept = kept && set(mallopt, TRIM_THRESHOLD, KEPT) && set(mallopt, TOP_PAD, THREAD_HEAP);
            return kept ? "the C library keeps freed memory" : "the C library refused to keep freed memory";
        } catch (UnsatisfiedLinkError e) {
            return "the C library has no mallopt, so its heap is unchanged: " + e.getMessage();
        }
    }

    private static boolean set(Function mallopt, int parameter, int value) {
        return mallopt.invokeInt(new Object[] {parameter, value}) == 1;
    }
}
