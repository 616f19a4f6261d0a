package io.github.convzoo.cli;

import ai.djl.Device;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.TranslateException;
import com.google.gson.Gson;
import io.github.convzoo.export.ExportRuntime;
import io.github.convzoo.export.ExportedModel;
import io.github.convzoo.message.Reason;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.LoadOptions;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The process that {@code convzoo benchmark} starts for each measurement: one runtime, one file, one batch size. */
final class BenchmarkProcess {

    /** A TorchScript file of another tool, which runs without the check that ConvZoo's own files must pass. */
    static final String FOREIGN_TORCHSCRIPT = "foreign-torchscript";

    /** The heap has this size from the start, so resident memory beyond it is native. */
    static final int HEAP_MEBIBYTES = 256;

    /** For the buffers of DJL and the JDK, besides the input. */
    private static final int DIRECT_MEBIBYTES = 256;

    /** The longest warm-up, for measurements of half a second and more. */
    private static final double WARM_UP_SECONDS = 1.5;

    private static final int WARM_UP_RUNS = 3;
    private static final int LEAST_RUNS = 5;

    /**
     * The measurements of one process.
     *
     * @param milliseconds the time of each run
     * @param nativeMebibytes the peak resident memory beyond the heap; 0 if the system does not report it
     */
    record Result(List<Double> milliseconds, long nativeMebibytes) {}

    private BenchmarkProcess() {}

    /**
     * Starts a process and waits for it.
     *
     * @param runtime eager, onnx, torchscript or {@link #FOREIGN_TORCHSCRIPT}
     * @param file the file, or the model folder for eager
     * @param input the shape of the input
     * @param seconds how long to measure
     * @param device such as cpu
     * @param threads the number of compute threads; null for one per core
     */
    static Result start(
            String runtime, Path file, Shape input, double seconds, String device, @Nullable Integer threads)
            throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xms" + HEAP_MEBIBYTES + "m",
                "-Xmx" + HEAP_MEBIBYTES + "m",
                "-XX:MaxDirectMemorySize=" + (Float.BYTES * input.size() / (1 << 20) + DIRECT_MEBIBYTES) + "m",
                "-XX:+UseSerialGC",
                "-XX:+AlwaysPreTouch",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"));
        if (threads != null) {
            command.add("-Dai.djl.pytorch.num_threads=" + threads);
        }
        command.addAll(List.of(
                "-cp",
                System.getProperty("java.class.path"),
                BenchmarkProcess.class.getName(),
                runtime,
                file.toString(),
                Long.toString(input.get(0)),
                Long.toString(input.get(1)),
                Long.toString(input.get(2)),
                Long.toString(input.get(3)),
                Double.toString(seconds),
                device));
        Path errors = Files.createTempFile("convzoo-benchmark", ".log");
        Path output = Files.createTempFile("convzoo-benchmark", ".json");
        @Nullable Process process = null;
        try {
            process = new ProcessBuilder(command)
                    .redirectError(errors.toFile())
                    .redirectOutput(output.toFile())
                    .start();
            if (process.waitFor() != 0) {
                String log = Files.readString(errors).strip();
                throw new IOException(
                        "the process failed: " + log.lines().findFirst().orElse("no message"));
            }
            return new Gson().fromJson(Files.readString(output), Result.class);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } finally {
            if (process != null) {
                process.destroyForcibly();
            }
            Files.delete(errors);
            Files.delete(output);
        }
    }

    /** A quantile, interpolated between two values if necessary; 0.5 is the median. */
    static double quantile(List<Double> values, double share) {
        List<Double> sorted = values.stream().sorted().toList();
        double place = share * (sorted.size() - 1);
        int low = (int) place;
        double above = sorted.get(Math.min(low + 1, sorted.size() - 1));
        return sorted.get(low) + (place - low) * (above - sorted.get(low));
    }

    /** Arguments: the runtime; the file or model folder; N, C, H, W; seconds to measure; the device. */
    public static void main(String[] args) throws Exception {
        Thread.currentThread()
                .setUncaughtExceptionHandler((thread, e) -> System.err.println(Main.oneLine(Reason.withFile(e))));
        PrintStream out = System.out;
        // Output of other libraries must not end up in the result.
        System.setOut(System.err);
        Path file = Path.of(args[1]);
        Shape shape = new Shape(
                Long.parseLong(args[2]), Long.parseLong(args[3]), Long.parseLong(args[4]), Long.parseLong(args[5]));
        double seconds = Double.parseDouble(args[6]);
        Device device = ComputeOptions.device(args[7]);
        Result result =
                switch (args[0]) {
                    case "eager" -> eager(file, shape, seconds, device);
                    case "onnx" -> exported(ExportRuntime.ONNX_RUNTIME, file, shape, seconds, device);
                    case "torchscript" -> exported(ExportRuntime.TORCHSCRIPT, file, shape, seconds, device);
                    case FOREIGN_TORCHSCRIPT -> foreign(file, shape, seconds, device);
                    default -> throw new IllegalArgumentException("unknown runtime: " + args[0]);
                };
        out.println(new Gson().toJson(result));
        out.flush();
    }

    private static Result eager(Path folder, Shape shape, double seconds, Device device) throws Exception {
        LoadOptions options = LoadOptions.published().withDevice(device);
        try (ZooModel<NDList, NDList> model = ConvZoo.loadLogits(folder, options)) {
            return measure(shape, seconds, device, model);
        }
    }

    private static Result foreign(Path file, Shape shape, double seconds, Device device) throws Exception {
        Criteria<NDList, NDList> criteria = Criteria.builder()
                .setTypes(NDList.class, NDList.class)
                .optModelPath(file)
                .optEngine("PyTorch")
                .optDevice(device)
                .build();
        try (ZooModel<NDList, NDList> model = criteria.loadModel()) {
            return measure(shape, seconds, device, model);
        }
    }

    private static Result measure(Shape shape, double seconds, Device device, ZooModel<NDList, NDList> model)
            throws IOException {
        try (Predictor<NDList, NDList> predictor = model.newPredictor()) {
            return measure(shape, seconds, device, input -> {
                try {
                    return predictor.predict(input);
                } catch (TranslateException e) {
                    throw new IllegalStateException(e);
                }
            });
        }
    }

    private static Result exported(ExportRuntime runtime, Path file, Shape shape, double seconds, Device device)
            throws IOException {
        try (ExportedModel model = runtime.open(file, device)) {
            return measure(shape, seconds, device, model::run);
        }
    }

    private static Result measure(Shape shape, double seconds, Device device, Function<NDList, NDList> run)
            throws IOException {
        List<Double> times = new ArrayList<>();
        try (NDManager manager = NDManager.newBaseManager(device, "PyTorch")) {
            ByteBuffer input = random(shape);
            long begun = System.nanoTime();
            for (int i = 0; i < WARM_UP_RUNS || since(begun) < Math.min(WARM_UP_SECONDS, 3 * seconds); i++) {
                time(manager, input, shape, run);
            }
            begun = System.nanoTime();
            while (times.size() < LEAST_RUNS || since(begun) < seconds) {
                times.add(1e3 * time(manager, input, shape, run));
            }
        }
        return new Result(times, Math.max(0, residentMebibytes() - HEAP_MEBIBYTES));
    }

    private static ByteBuffer random(Shape shape) {
        Random random = new Random(0);
        ByteBuffer bytes = ByteBuffer.allocateDirect(Math.toIntExact(Float.BYTES * shape.size()))
                .order(ByteOrder.nativeOrder());
        while (bytes.hasRemaining()) {
            bytes.putFloat((float) random.nextGaussian());
        }
        return bytes.flip();
    }

    /**
     * Times a pass from an image's values in a buffer, as predictors fill it. The engine must not compute before: its
     * threads wait for more work for milliseconds, on the cores that another runtime's threads need.
     */
    private static double time(NDManager manager, ByteBuffer input, Shape shape, Function<NDList, NDList> run) {
        try (NDManager step = manager.newSubManager()) {
            NDArray own = step.create(input, shape, DataType.FLOAT32);
            long begun = System.nanoTime();
            NDList output = run.apply(new NDList(own));
            output.attach(step);
            // The engine may compute lazily; reading a value forces the result.
            output.get(0).flatten().getFloat(0);
            return since(begun);
        }
    }

    private static double since(long nanoseconds) {
        return (System.nanoTime() - nanoseconds) / 1e9;
    }

    private static long residentMebibytes() throws IOException {
        Path status = Path.of("/proc/self/status");
        if (!Files.exists(status)) {
            return 0;
        }
        for (String line : Files.readAllLines(status)) {
            if (line.startsWith("VmHWM:")) {
                return Long.parseLong(line.replaceAll("\\D", "")) / 1024;
            }
        }
        return 0;
    }
}
