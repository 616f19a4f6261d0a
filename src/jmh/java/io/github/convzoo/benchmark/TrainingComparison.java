package io.github.convzoo.benchmark;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;

/**
 * Runs {@link TrainingSteps} and training_step.py in turn, each time in a process of its own, and prints the medians
 * and their ratios as a table.
 *
 * <p>Arguments: a Python interpreter that has PyTorch and timm, how many rounds, how many threads.
 */
public final class TrainingComparison {

    private static final Path SCRIPTS = Path.of("src/test/python");
    private static final int WARM_UP = 5;
    private static final int STEPS = 15;

    private record Case(String model, int size, int batch) {}

    private static final List<Case> CASES =
            List.of(new Case("dla46x_c", 32, 128), new Case("peleenet", 32, 128), new Case("dla34", 224, 8));

    private TrainingComparison() {}

    public static void main(String[] args) throws IOException, InterruptedException {
        if (args.length != 3) {
            throw new IllegalArgumentException("arguments: a Python interpreter, how many rounds, how many threads");
        }
        int rounds = Integer.parseInt(args[1]);
        System.out.println("| model | input | batch | ConvZoo ms | PyTorch ms | ratio | range |");
        System.out.println("|---|---:|---:|---:|---:|---:|---|");
        for (Case each : CASES) {
            List<Double> own = new ArrayList<>();
            List<Double> peer = new ArrayList<>();
            List<Double> ratios = new ArrayList<>();
            for (int round = 0; round < rounds; round++) {
                // Turn about, so that a drift of the machine's speed hits both.
                own.add(convZoo(each, args[2]));
                peer.add(pyTorch(args[0], each, args[2]));
                ratios.add(own.get(round) / peer.get(round));
            }
            System.out.printf(
                    Locale.ROOT,
                    "| %s | %d | %d | %.0f | %.0f | %.2f | %.2f to %.2f |%n",
                    each.model(),
                    each.size(),
                    each.batch(),
                    median(own),
                    median(peer),
                    median(ratios),
                    Collections.min(ratios),
                    Collections.max(ratios));
        }
    }

    private static double convZoo(Case each, String threads) throws IOException, InterruptedException {
        return milliseconds(
                Path.of("").toAbsolutePath(),
                List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx1g",
                        "-Dai.djl.pytorch.num_threads=" + threads,
                        "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
                        "-cp",
                        System.getProperty("java.class.path"),
                        TrainingSteps.class.getName(),
                        each.model(),
                        Integer.toString(each.size()),
                        Integer.toString(each.batch()),
                        Integer.toString(WARM_UP),
                        Integer.toString(STEPS)));
    }

    private static double pyTorch(String python, Case each, String threads) throws IOException, InterruptedException {
        return milliseconds(
                SCRIPTS,
                List.of(
                        python,
                        "training_step.py",
                        each.model(),
                        Integer.toString(each.size()),
                        Integer.toString(each.batch()),
                        "--threads",
                        threads,
                        "--warm-up",
                        Integer.toString(WARM_UP),
                        "--steps",
                        Integer.toString(STEPS)));
    }

    private static double milliseconds(Path folder, List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException(command.get(0) + " failed with status " + process.exitValue());
        }
        return Double.parseDouble(output.strip());
    }

    private static double median(List<Double> values) {
        List<Double> sorted = values.stream().sorted().toList();
        return (sorted.get(sorted.size() / 2) + sorted.get((sorted.size() - 1) / 2)) / 2;
    }
}
