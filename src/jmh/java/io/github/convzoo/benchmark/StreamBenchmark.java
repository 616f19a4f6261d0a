package io.github.convzoo.benchmark;

import ai.djl.modality.Classifications;
import ai.djl.repository.zoo.ZooModel;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.LoadOptions;
import io.github.convzoo.zoo.PreparedImage;
import io.github.convzoo.zoo.StagedModel;
import io.github.convzoo.zoo.StreamOptions;
import io.github.convzoo.zoo.StreamResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;

/**
 * How much of the cores a stream of images uses: its images per second, against those of decoding alone and inference
 * alone on all cores, in the same run. They share the cores, so {@code 1 / (1 / decoding + 1 / inference)} is the most
 * that there can be if neither profits from the other.
 *
 * <p>Arguments: a folder of JPEG files, the number of rounds, a model, and its weights if they are in a file. Set the
 * system property {@code ai.djl.pytorch.num_threads} to 1.
 */
final class StreamBenchmark {

    private static final int CORES = Runtime.getRuntime().availableProcessors();

    private StreamBenchmark() {}

    public static void main(String[] args) throws Exception {
        List<Path> images;
        try (Stream<Path> files = Files.list(Path.of(args[0]))) {
            images = files.filter(file -> file.toString().endsWith(".jpg"))
                    .sorted()
                    .toList();
        }
        int rounds = Integer.parseInt(args[1]);
        LoadOptions options = args.length > 3 ? LoadOptions.of(Path.of(args[3])) : LoadOptions.published();
        try (ZooModel<Path, Classifications> model = ConvZoo.load(args[2], Path.class, options.compiled());
                StagedModel<Path, Classifications> stages = StagedModel.of(model)) {
            System.out.printf(
                    Locale.ROOT, "%d images, %d cores, batches of %d%n", images.size(), CORES, stages.usualBatchSize());
            stream(model, images.subList(0, Math.min(500, images.size())));
            List<Double> ratios = new ArrayList<>();
            for (int round = 1; round <= rounds; round++) {
                double decoding = decoding(stages, images);
                double inference = inference(stages, images);
                double both = stream(model, images);
                double most = 1 / (1 / decoding + 1 / inference);
                ratios.add(both / most);
                System.out.printf(
                        Locale.ROOT,
                        "round %d: decoding %.1f/s, inference %.1f/s, stream %.1f/s, %.3f of %.1f/s, RSS %d MB%n",
                        round,
                        decoding,
                        inference,
                        both,
                        both / most,
                        most,
                        residentBytes() / 1_000_000);
            }
            Collections.sort(ratios);
            System.out.printf(Locale.ROOT, "median ratio %.3f%n", ratios.get(ratios.size() / 2));
        }
    }

    private static double stream(ZooModel<Path, Classifications> model, List<Path> images) {
        long start = System.nanoTime();
        try (Stream<StreamResult<Path, Classifications>> results =
                ConvZoo.stream(model, images.iterator(), StreamOptions.DEFAULT)) {
            results.forEach(each -> {
                if (each instanceof StreamResult.Failure<Path, Classifications> failure) {
                    throw new IllegalStateException(failure.error());
                }
            });
        }
        return images.size() / seconds(start);
    }

    private static double decoding(StagedModel<Path, Classifications> stages, List<Path> images) throws Exception {
        List<Callable<Void>> tasks = new ArrayList<>();
        for (Path each : images) {
            tasks.add(() -> {
                stages.prepare(each);
                return null;
            });
        }
        return images.size() / run(tasks);
    }

    private static double inference(StagedModel<Path, Classifications> stages, List<Path> images) throws Exception {
        int size = stages.usualBatchSize();
        List<PreparedImage> batch = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            batch.add(stages.prepare(images.get(i % images.size())));
        }
        List<Callable<Void>> tasks = new ArrayList<>();
        for (int i = 0; i < images.size() / size; i++) {
            tasks.add(() -> {
                stages.run(batch);
                return null;
            });
        }
        return tasks.size() * size / run(tasks);
    }

    /** The seconds that tasks take on all cores. */
    private static double run(List<Callable<Void>> tasks) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(CORES);
        try {
            long start = System.nanoTime();
            for (Future<Void> each : threads.invokeAll(tasks)) {
                each.get();
            }
            return seconds(start);
        } finally {
            threads.shutdown();
        }
    }

    private static double seconds(long start) {
        return (System.nanoTime() - start) / 1e9;
    }

    private static long residentBytes() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("VmRSS:"))
                .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("\\D", "")))
                .findFirst()
                .orElse(0);
    }
}
