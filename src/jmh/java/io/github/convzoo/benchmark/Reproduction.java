package io.github.convzoo.benchmark;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import io.github.convzoo.cli.Main;
import io.github.convzoo.network.Network;
import io.github.convzoo.network.Reference;
import io.github.convzoo.network.Variant;
import io.github.convzoo.plot.Curves;
import io.github.convzoo.train.EpochMetrics;
import io.github.convzoo.train.RunFolder;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import javax.imageio.ImageIO;

/**
 * AlexNet with static and with dynamic convolutions, the latter with annealing and without, three seeds each, by the
 * command line's {@code train}: resumes existing runs, prints the table of docs/explanation/reproduction.md, draws its
 * curves, and measures both networks' throughput in turn.
 *
 * <p>Arguments: the folder of Fashion-MNIST, a folder for the runs, how many threads, how many rounds of the
 * throughput.
 */
public final class Reproduction {

    private static final int SEEDS = 3;
    private static final int EPOCHS = 10;
    private static final int SIDE = 128;
    private static final int BATCH = 32;
    private static final int PASSES = 20;

    /** One line of the table. */
    private enum Kind {
        STATIC("static", "alexnet"),
        UNANNEALED("unannealed", "alexnet_dy", "--no-anneal"),
        ANNEALED("annealed", "alexnet_dy", "--anneal", "30,1,5");

        private final String title;
        private final String model;
        private final List<String> options;

        Kind(String title, String model, String... options) {
            this.title = title;
            this.model = model;
            this.options = List.of(options);
        }
    }

    private Reproduction() {}

    public static void main(String[] args) throws IOException {
        if (args.length != 4) {
            throw new IllegalArgumentException(
                    "arguments: the folder of Fashion-MNIST, a folder for the runs, how many threads, how many rounds");
        }
        // For the throughput, where no run is left to be made.
        System.setProperty("ai.djl.pytorch.num_threads", args[2]);
        Path runs = Path.of(args[1]);
        Files.createDirectories(runs);
        for (int seed = 0; seed < SEEDS; seed++) {
            for (Kind kind : Kind.values()) {
                train(kind, seed, args[0], folder(runs, kind, seed), args[2]);
            }
        }
        print(runs);
        throughput(Integer.parseInt(args[3]));
    }

    private static Path folder(Path runs, Kind kind, int seed) {
        return runs.resolve(kind.title + "-" + seed);
    }

    private static void train(Kind kind, int seed, String data, Path folder, String threads) throws IOException {
        RunFolder run = new RunFolder(folder);
        if (run.metrics().size() >= EPOCHS) {
            return;
        }
        List<String> command = new ArrayList<>(List.of("train"));
        if (Files.exists(run.options())) {
            command.addAll(List.of("--resume", folder.toString()));
        } else {
            command.addAll(List.of("--model", kind.model, "--output", folder.toString()));
            command.addAll(List.of("--dataset", "fashion-mnist", "--data", data, "--input-size", "" + SIDE));
            command.addAll(List.of("--train-size", "12000", "--epochs", "" + EPOCHS, "--batch-size", "128"));
            command.addAll(List.of("--lr", "0.05", "--nesterov", "--schedule", "onecycle", "--weight-decay", "5e-4"));
            command.addAll(List.of("--crop", "none", "--seed", "" + seed));
            command.addAll(kind.options);
        }
        command.addAll(List.of("--threads", threads, "--workers", "1", "--device", "cpu"));
        PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
        int status = Main.run(out, out, command.toArray(String[]::new));
        if (status != 0) {
            throw new IOException(folder + ": the run ended with status " + status);
        }
    }

    private static void print(Path runs) throws IOException {
        List<Curves.Line> losses = new ArrayList<>();
        List<Curves.Line> accuracies = new ArrayList<>();
        System.out.println();
        System.out.println(
                "| | last epoch, by seed | mean | standard deviation | best epoch, mean | training loss, mean |"
                        + " images/s |");
        System.out.println("|---|---|---:|---:|---:|---:|---:|");
        for (Kind kind : Kind.values()) {
            List<List<EpochMetrics>> all = whole(runs, kind);
            losses.add(line(kind, all, EpochMetrics::trainLoss));
            accuracies.add(line(kind, all, EpochMetrics::valTop1));
            double[] last = all.stream()
                    .mapToDouble(run -> 100 * run.get(EPOCHS - 1).valTop1())
                    .toArray();
            double best = all.stream()
                    .mapToDouble(run -> 100
                            * run.stream()
                                    .mapToDouble(EpochMetrics::valTop1)
                                    .max()
                                    .orElseThrow())
                    .average()
                    .orElseThrow();
            double loss = all.stream()
                    .mapToDouble(run -> run.get(EPOCHS - 1).trainLoss())
                    .average()
                    .orElseThrow();
            double mean = Arrays.stream(last).average().orElseThrow();
            double squares = 0;
            for (double each : last) {
                squares += (each - mean) * (each - mean);
            }
            System.out.printf(
                    Locale.ROOT,
                    "| %s | %s | %.2f | %.2f | %.2f | %.3f | %.0f |%n",
                    kind.title,
                    Arrays.stream(last)
                            .mapToObj(each -> String.format(Locale.ROOT, "%.2f", each))
                            .collect(Collectors.joining(", ")),
                    mean,
                    Math.sqrt(squares / (last.length - 1)),
                    best,
                    loss,
                    trainingSpeed(all));
        }
        Curves curves = new Curves(List.of(
                new Curves.Panel("training loss", losses), new Curves.Panel("validation accuracy", accuracies)));
        Path picture = runs.resolve("curves.png");
        ImageIO.write(curves.draw(), "png", picture.toFile());
        System.out.println();
        System.out.println(picture);
    }

    /** The runs that came to their end; a table of fewer can be had meanwhile. */
    private static List<List<EpochMetrics>> whole(Path runs, Kind kind) throws IOException {
        List<List<EpochMetrics>> whole = new ArrayList<>();
        for (int seed = 0; seed < SEEDS; seed++) {
            List<EpochMetrics> metrics = new RunFolder(folder(runs, kind, seed)).metrics();
            if (metrics.size() >= EPOCHS) {
                whole.add(metrics);
            }
        }
        return whole;
    }

    /** Images a second in training, the median of all epochs. */
    private static double trainingSpeed(List<List<EpochMetrics>> runs) {
        double[] speeds = runs.stream()
                .flatMap(List::stream)
                .mapToDouble(EpochMetrics::imagesPerSecond)
                .sorted()
                .toArray();
        return speeds[speeds.length / 2];
    }

    /** The mean of the seeds. */
    private static Curves.Line line(Kind kind, List<List<EpochMetrics>> all, ToDoubleFunction<EpochMetrics> value) {
        List<Double> epochs = new ArrayList<>();
        List<Double> means = new ArrayList<>();
        for (int epoch = 0; epoch < EPOCHS; epoch++) {
            double sum = 0;
            for (List<EpochMetrics> run : all) {
                sum += value.applyAsDouble(run.get(epoch));
            }
            epochs.add(epoch + 1.0);
            means.add(sum / all.size());
        }
        return new Curves.Line(kind.title, epochs, means);
    }

    /** Forward passes of both networks in turn. */
    private static void throughput(int rounds) {
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            Shape shape = new Shape(BATCH, 3, SIDE, SIDE);
            NDArray images = Reference.image(manager, "convzoo/", shape);
            Network fixed = network("alexnet", manager, shape);
            Network dynamic = network("alexnet_dy", manager, shape);
            List<Double> ratios = new ArrayList<>();
            for (int round = 0; round <= rounds; round++) {
                double ofFixed = imagesPerSecond(fixed, images);
                double ofDynamic = imagesPerSecond(dynamic, images);
                // The first round warms up.
                if (round > 0) {
                    ratios.add(ofDynamic / ofFixed);
                    System.out.printf(
                            Locale.ROOT,
                            "static %.1f images/s, dynamic %.1f, ratio %.3f%n",
                            ofFixed,
                            ofDynamic,
                            ofDynamic / ofFixed);
                }
            }
            ratios.sort(null);
            System.out.printf(Locale.ROOT, "median ratio %.3f%n", ratios.get(ratios.size() / 2));
        }
    }

    private static Network network(String name, NDManager manager, Shape input) {
        Network network = Variant.of(name).build();
        Reference.initialize(network, manager, "convzoo/", input);
        network.freezeParameters(true);
        network.foldNorms();
        return network;
    }

    private static double imagesPerSecond(Network network, NDArray images) {
        long start = System.nanoTime();
        for (int i = 0; i < PASSES; i++) {
            try (NDManager scope = images.getManager().newSubManager();
                    NDList logits = network.forward(new ParameterStore(scope, false), new NDList(images), false)) {
                logits.singletonOrThrow().toFloatArray();
            }
        }
        return PASSES * BATCH * 1e9 / (System.nanoTime() - start);
    }
}
