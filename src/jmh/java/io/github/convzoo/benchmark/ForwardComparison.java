package io.github.convzoo.benchmark;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * Runs {@link ForwardBenchmark} with the two implementations in turn, each time in a process of its own, and prints the
 * medians and their ratios as a table.
 *
 * <p>Arguments: the folder of the peers, how many rounds, then any models to keep to.
 */
public final class ForwardComparison {

    /** Resident from the start, so that what is beyond it is native. */
    private static final int HEAP_MEBIBYTES = 128;

    private record Case(String model, int batch) {}

    /** One value a round of a case: ConvZoo's and TorchScript's. */
    private static final class Rounds {
        final List<Double> latency = new ArrayList<>();
        final List<Double> peak = new ArrayList<>();
        final List<Double> beyond = new ArrayList<>();
    }

    private ForwardComparison() {}

    public static void main(String[] args) throws RunnerException {
        if (args.length < 2) {
            throw new IllegalArgumentException("arguments: the folder of the peers, how many rounds, any models");
        }
        int rounds = Integer.parseInt(args[1]);
        List<String> models = args.length > 2
                ? Arrays.asList(args).subList(2, args.length)
                : List.of("dla34", "dla60x", "dpn68", "peleenet");
        Map<Case, Map<String, Rounds>> results = new LinkedHashMap<>();
        for (int round = 0; round < rounds; round++) {
            for (String model : models) {
                for (int batch : new int[] {1, 8}) {
                    // Turn about, so that a drift of the machine's speed hits both.
                    for (ForwardBenchmark.Implementation each : ForwardBenchmark.Implementation.values()) {
                        measure(args[0], model, batch, each, results);
                    }
                }
            }
        }
        print(results);
    }

    private static void measure(
            String peers,
            String model,
            int batch,
            ForwardBenchmark.Implementation implementation,
            Map<Case, Map<String, Rounds>> results)
            throws RunnerException {
        Options options = new OptionsBuilder()
                .include(ForwardBenchmark.class.getName() + ".forward")
                .param("model", model)
                .param("batch", Integer.toString(batch))
                .param("implementation", implementation.name())
                .forks(1)
                .warmupIterations(2)
                .warmupTime(TimeValue.seconds(2))
                .measurementIterations(2)
                .measurementTime(TimeValue.seconds(3))
                .jvmArgsAppend(
                        "-Xms" + HEAP_MEBIBYTES + "m",
                        "-Xmx" + HEAP_MEBIBYTES + "m",
                        "-XX:+UseSerialGC",
                        "-XX:+AlwaysPreTouch",
                        "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
                        "-Dconvzoo.peers=" + peers)
                .addProfiler(PeakMemory.class)
                .verbosity(VerboseMode.SILENT)
                .shouldFailOnError(true)
                .build();
        Collection<RunResult> runs = new Runner(options).run();
        for (RunResult run : runs) {
            BenchmarkParams params = run.getParams();
            Rounds rounds = results.computeIfAbsent(
                            new Case(params.getParam("model"), Integer.parseInt(params.getParam("batch"))),
                            key -> new LinkedHashMap<>())
                    .computeIfAbsent(params.getParam("implementation"), key -> new Rounds());
            rounds.latency.add(run.getPrimaryResult().getStatistics().getPercentile(50));
            add(rounds.peak, run, PeakMemory.PEAK, HEAP_MEBIBYTES);
            add(rounds.beyond, run, PeakMemory.BEYOND, 0);
            System.err.printf(
                    Locale.ROOT,
                    "%s batch %d %s: %.1f ms%n",
                    model,
                    batch,
                    implementation,
                    rounds.latency.get(rounds.latency.size() - 1));
        }
    }

    private static void add(List<Double> values, RunResult run, String name, double less) {
        run.getSecondaryResults().forEach((key, result) -> {
            if (key.equals(name)) {
                values.add(result.getScore() - less);
            }
        });
    }

    private static void print(Map<Case, Map<String, Rounds>> results) {
        System.out.println(
                "| model | batch | ConvZoo ms | TorchScript ms | ratio | (range) | native peak MiB | MiB | ratio"
                        + " | since loading MiB | MiB | ratio |");
        System.out.println("|---|---|---|---|---|---|---|---|---|---|---|---|");
        results.forEach((each, implementations) -> {
            Rounds own = implementations.get(ForwardBenchmark.Implementation.CONVZOO.name());
            Rounds peer = implementations.get(ForwardBenchmark.Implementation.TORCHSCRIPT.name());
            List<Double> ratios = new ArrayList<>();
            for (int i = 0; i < own.latency.size(); i++) {
                ratios.add(own.latency.get(i) / peer.latency.get(i));
            }
            System.out.printf(
                    Locale.ROOT,
                    "| %s | %d | %.1f | %.1f | %.2f | (%.2f to %.2f) | %.0f | %.0f | %.2f | %.0f | %.0f | %.2f |%n",
                    each.model,
                    each.batch,
                    median(own.latency),
                    median(peer.latency),
                    median(ratios),
                    ratios.stream().mapToDouble(Double::doubleValue).min().orElseThrow(),
                    ratios.stream().mapToDouble(Double::doubleValue).max().orElseThrow(),
                    median(own.peak),
                    median(peer.peak),
                    median(own.peak) / median(peer.peak),
                    median(own.beyond),
                    median(peer.beyond),
                    median(own.beyond) / median(peer.beyond));
        });
    }

    private static double median(List<Double> values) {
        double[] sorted =
                values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        int middle = sorted.length / 2;
        return sorted.length == 0
                ? Double.NaN
                : sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
