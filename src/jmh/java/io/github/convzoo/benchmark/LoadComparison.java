package io.github.convzoo.benchmark;

import io.github.convzoo.benchmark.LoadMeasurement.Work;
import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.checkpoint.FormatWriters;
import io.github.convzoo.weights.StateDict;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Compares loading a model with reading its file and copying it once, in turn, each in a process of its own, and looks
 * for the least heap that loading does with. Times are those of the thread on the processor. The files are made on the
 * first run, of random weights.
 *
 * <p>Arguments: the folder of the files, how many rounds, the model.
 */
public final class LoadComparison {

    /** What loading is to do with, beyond what the engine has. */
    private static final int HEAP_MEBIBYTES = 128;

    /** What is loaded first where the JVM is to know the library's classes: the smallest of the same family. */
    private static final String SMALL = "dpn68";

    private record Result(double engine, double wall, double work, double heap, double anonymous, double peak) {}

    private LoadComparison() {}

    public static void main(String[] args) throws Exception {
        if (args.length != 3) {
            throw new IllegalArgumentException("arguments: the folder of the files, how many rounds, the model");
        }
        String model = args[2];
        Path folder = Path.of(args[0]);
        Path safetensors = RandomWeights.of(model, folder);
        Path small = RandomWeights.of(SMALL, folder);
        Path pth = safetensors.resolveSibling(model + "_random.pth");
        if (!Files.exists(pth)) {
            FormatWriters.pytorch(
                    pth, StateDict.of(Checkpoint.read(safetensors)).tensors());
        }
        System.out.println(
                "| file | MiB | engine ms | first load ms | load ms | read and copy ms | ratio | (range) | first | copy ms"
                        + " | ratio | heap MiB | -Xmx MiB | native MiB | peak MiB |");
        System.out.println("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|");
        for (Path file : List.of(safetensors, pth)) {
            compare(model, file, small, Integer.parseInt(args[1]));
        }
    }

    private static void compare(String model, Path file, Path small, int rounds) throws Exception {
        Map<Work, List<Result>> results = new EnumMap<>(Work.class);
        for (int round = 0; round < rounds; round++) {
            for (Work work : Work.values()) {
                // All find the file in the system's cache: a disk's speed is not what is compared.
                try (InputStream in = Files.newInputStream(file)) {
                    in.transferTo(OutputStream.nullOutputStream());
                }
                Result result = run(HEAP_MEBIBYTES, work, model, file, small);
                if (result == null) {
                    throw new IllegalStateException(work + " of " + file + " failed with " + HEAP_MEBIBYTES + " MiB");
                }
                results.computeIfAbsent(work, key -> new ArrayList<>()).add(result);
            }
        }
        int least = HEAP_MEBIBYTES;
        while (least > 1 && run(least / 2, Work.FIRST_LOAD, model, file, small) != null) {
            least /= 2;
        }
        double[] load = times(results, Work.LOAD);
        double[] read = times(results, Work.READ_AND_COPY);
        double[] ratios = ratios(load, read);
        List<Result> loads = results.get(Work.FIRST_LOAD);
        System.out.printf(
                Locale.ROOT,
                "| %s | %.0f | %.0f | %.0f | %.0f | %.0f | %.2f | (%.2f to %.2f) | %.2f | %.0f | %.2f | %.1f | %d | %.0f | %.0f |%n",
                file.getFileName(),
                Files.size(file) / 1048576.0,
                median(loads.stream().mapToDouble(Result::engine).toArray()),
                median(times(results, Work.FIRST_LOAD)),
                median(load),
                median(read),
                median(ratios),
                Arrays.stream(ratios).min().orElseThrow(),
                Arrays.stream(ratios).max().orElseThrow(),
                median(ratios(times(results, Work.FIRST_LOAD), read)),
                median(times(results, Work.COPY)),
                median(ratios(load, times(results, Work.COPY))),
                loads.stream().mapToDouble(Result::heap).max().orElseThrow(),
                least,
                median(loads.stream().mapToDouble(Result::anonymous).toArray()),
                median(loads.stream().mapToDouble(Result::peak).toArray()));
    }

    private static double[] ratios(double[] values, double[] others) {
        double[] ratios = new double[values.length];
        for (int i = 0; i < ratios.length; i++) {
            ratios[i] = values[i] / others[i];
        }
        return ratios;
    }

    private static double[] times(Map<Work, List<Result>> results, Work work) {
        return results.get(work).stream().mapToDouble(Result::work).toArray();
    }

    /** Null where the process ran out of heap or failed otherwise. */
    private static Result run(int heap, Work work, String model, Path file, Path small)
            throws IOException, InterruptedException {
        // Direct buffers count for themselves: what is read and copied fits into no small heap.
        ProcessBuilder builder = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx" + heap + "m",
                        "-XX:MaxDirectMemorySize=" + (work == Work.READ_AND_COPY ? "2g" : heap + "m"),
                        "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
                        "-cp",
                        System.getProperty("java.class.path"),
                        LoadMeasurement.class.getName(),
                        work.name(),
                        model,
                        file.toString(),
                        SMALL,
                        small.toString())
                .redirectError(ProcessBuilder.Redirect.DISCARD);
        // With one thread its time on the processor is all that the work takes, whatever else the machine does.
        builder.environment().put("OMP_NUM_THREADS", "1");
        Process process = builder.start();
        String line = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        if (process.waitFor() != 0) {
            return null;
        }
        double[] numbers =
                Arrays.stream(line.split(" ")).mapToDouble(Double::parseDouble).toArray();
        System.err.println(work + " with " + heap + " MiB: " + line);
        return new Result(numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]);
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
