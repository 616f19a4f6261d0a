package io.github.convzoo.benchmark;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.repository.zoo.ZooModel;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.LoadOptions;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * One measurement in a process of its own: starts the engine, then loads a model, or brings the file into memory by
 * other means. Prints one line of numbers, as {@link LoadComparison} reads them.
 *
 * <p>Arguments: what to do, the model, its file, a small model, its file.
 */
public final class LoadMeasurement {

    /** How a file comes into memory. */
    enum Work {
        /** The process's first model, ready to predict: the JVM reads and compiles the library's classes meanwhile. */
        FIRST_LOAD,
        /** A model, ready to predict, after a small one was loaded twice. */
        LOAD,
        /** Mapped, and copied once into one array of the engine's: nothing that loads can do less. */
        COPY,
        /** Read into a buffer, and copied once from there into an array of the engine's. */
        READ_AND_COPY
    }

    private LoadMeasurement() {}

    public static void main(String[] args) throws Exception {
        Work work = Work.valueOf(args[0]);
        Path file = Path.of(args[2]);
        long begun = System.nanoTime();
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            manager.zeros(new Shape(1)).duplicate().close();
            long started = System.nanoTime();
            for (int i = 0; i < 2 && work == Work.LOAD; i++) {
                load(args[3], Path.of(args[4])).close();
            }
            // What the engine took of the heap, garbage included, is not loading's.
            System.gc();
            heapPools().forEach(MemoryPoolMXBean::resetPeakUsage);
            long heapBefore =
                    heapPools().mapToLong(pool -> pool.getUsage().getUsed()).sum();
            long anonBefore = PeakMemory.kibibytes("RssAnon:");
            long loading = System.nanoTime();
            long processor = processorTime();
            try (AutoCloseable loaded = run(work, args[1], file, manager)) {
                long done = System.nanoTime();
                processor = processorTime() - processor;
                long heap = heapPools()
                                .mapToLong(pool -> pool.getPeakUsage().getUsed())
                                .sum()
                        - heapBefore;
                System.out.printf(
                        Locale.ROOT,
                        "%f %f %f %f %f %f%n",
                        (started - begun) / 1e6,
                        (done - loading) / 1e6,
                        processor / 1e6,
                        heap / 1048576.0,
                        (PeakMemory.kibibytes("RssAnon:") - anonBefore) / 1024.0,
                        PeakMemory.kibibytes("VmHWM:") / 1024.0);
            }
        }
    }

    private static ZooModel<NDList, NDList> load(String model, Path file) throws IOException {
        return ConvZoo.loadLogits(model, LoadOptions.of(file).withDevice(Device.cpu()));
    }

    /** What this thread took, in nanoseconds: all that the work takes where the engine has one thread. */
    private static long processorTime() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }

    private static Stream<MemoryPoolMXBean> heapPools() {
        return ManagementFactory.getMemoryPoolMXBeans().stream().filter(pool -> pool.getType() == MemoryType.HEAP);
    }

    private static AutoCloseable run(Work work, String model, Path file, NDManager manager) throws IOException {
        if (work == Work.LOAD || work == Work.FIRST_LOAD) {
            return load(model, file);
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            ByteBuffer bytes;
            if (work == Work.COPY) {
                bytes = channel.map(MapMode.READ_ONLY, 0, channel.size());
            } else {
                bytes = ByteBuffer.allocateDirect((int) channel.size());
                while (bytes.hasRemaining()) {
                    channel.read(bytes);
                }
                bytes.flip();
            }
            bytes.order(ByteOrder.nativeOrder()).limit(bytes.limit() / Float.BYTES * Float.BYTES);
            try (NDArray view = manager.create(bytes, new Shape(bytes.limit() / Float.BYTES), DataType.FLOAT32)) {
                return view.duplicate();
            }
        }
    }
}
