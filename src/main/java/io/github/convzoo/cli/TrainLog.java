package io.github.convzoo.cli;

import io.github.convzoo.plot.ClassAccuracies;
import io.github.convzoo.plot.ConfusionPicture;
import io.github.convzoo.plot.Curves;
import io.github.convzoo.train.Annealing;
import io.github.convzoo.train.EpochMetrics;
import io.github.convzoo.train.Evaluation;
import io.github.convzoo.train.RunFolder;
import io.github.convzoo.train.StepResult;
import io.github.convzoo.train.TrainingRun;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/** Shows a run: a bar an epoch on a terminal, a line an epoch there and in the log, curves and a confusion matrix. */
final class TrainLog implements TrainingRun.Listener, AutoCloseable {

    private static final String FILE = "log.txt";

    private final RunFolder folder;
    private final PrintWriter err;
    private final TrainPlan plan;
    private final TrainCommand.Loaders loaders;
    private final int trainingImages;

    private @Nullable ProgressBar bar;
    private boolean validating;
    private double loss;
    private long correct;
    private long samples;
    private boolean logged = true;
    private final Set<String> undrawable = new HashSet<>();

    TrainLog(RunFolder folder, PrintWriter err, TrainPlan plan, TrainCommand.Loaders loaders) {
        this.folder = folder;
        this.err = err;
        this.plan = plan;
        this.loaders = loaders;
        trainingImages =
                Math.min(loaders.training().samples().size(), loaders.training().batches() * plan.batchSize);
    }

    void resumed(TrainingRun run) {
        note("resumed after %d epochs and %d batches".formatted(run.epochs(), run.batches()));
    }

    /** A network whose attention has not learnt with the temperature that it is used with is less than it could be. */
    void warnOfAnnealing(Annealing annealing) {
        double last = annealing.at(plan.epochs - 1L);
        if (last != 1) {
            note(String.format(
                    Locale.ROOT,
                    "the dynamic convolutions' temperature will be %.3g in the last epoch, and is 1 in use; %s",
                    last,
                    annealing.end() == 1
                            ? "more --epochs, or a shorter way in --anneal at the beginning, let them learn with it"
                            : "an END of 1 in --anneal at the beginning lets them learn with it"));
        }
    }

    /** A line for people, and for the log. A run does not end for a log that cannot be written. */
    void note(String line) {
        noteInPassing(line);
        bar = null;
    }

    /** A note in the middle of an epoch, whose bar goes on below it. */
    void noteInPassing(String line) {
        if (bar != null) {
            bar.clear();
        }
        err.println(line);
        err.flush();
        append(line);
    }

    /** A line for the log alone. */
    void append(String line) {
        Path file = folder.path().resolve(FILE);
        try {
            Files.writeString(
                    file,
                    Instant.now().truncatedTo(ChronoUnit.SECONDS) + " " + line + "\n",
                    StandardOpenOption.CREATE,
                    StandardOpenOption.APPEND);
        } catch (IOException e) {
            if (logged) {
                logged = false;
                err.println("convzoo: " + file + ": cannot be written (" + Main.oneLine(e.toString()) + ")");
            }
        }
    }

    private void clear() {
        if (bar != null) {
            bar.clear();
            bar = null;
        }
    }

    @Override
    public void stepped(int epoch, int batch, int batches, StepResult result) {
        ProgressBar shown = bar;
        if (shown == null || validating) {
            clear();
            validating = false;
            loss = 0;
            correct = 0;
            samples = 0;
            shown = new ProgressBar(err, trainingImages, ProgressBar.Unit.IMAGES);
            // What was done before a resumption was not done at this speed.
            shown.startAt((long) batch * plan.batchSize);
            bar = shown;
        }
        loss += result.loss() * result.samples();
        correct += result.correct();
        samples += result.samples();
        shown.update(
                Math.min((long) batch * plan.batchSize, trainingImages),
                "epoch %d/%d ".formatted(epoch, plan.epochs),
                String.format(
                        Locale.ROOT,
                        ", loss %.3f, accuracy %.1f %%, rate %.2g",
                        loss / samples,
                        100.0 * correct / samples,
                        result.rate()));
    }

    @Override
    public void validated(int epoch, int images) {
        ProgressBar shown = bar;
        if (shown == null || !validating) {
            clear();
            validating = true;
            shown = new ProgressBar(err, loaders.validation().samples().size(), ProgressBar.Unit.IMAGES);
            bar = shown;
        }
        shown.update(images, "epoch %d/%d, validating ".formatted(epoch, plan.epochs), "");
    }

    @Override
    public void epochEnded(List<EpochMetrics> all, Evaluation evaluation, boolean best) throws IOException {
        EpochMetrics last = all.get(all.size() - 1);
        int bad = loaders.badImages();
        note(String.format(
                Locale.ROOT,
                "epoch %d/%d  rate %.3g%s  loss %.4f  accuracy %.2f %%  val loss %.4f  val top-1 %.2f %%  %.0f images/s"
                        + "  %.0f s%s%s",
                last.epoch(),
                plan.epochs,
                last.learningRate(),
                last.temperature() == 1 ? "" : String.format(Locale.ROOT, "  temperature %.3g", last.temperature()),
                last.trainLoss(),
                100 * last.trainAccuracy(),
                last.valLoss(),
                100 * last.valTop1(),
                last.imagesPerSecond(),
                last.seconds(),
                bad == 0 ? "" : "  " + bad + " images skipped",
                best ? "  best" : ""));
        draw("curves.png", () -> curves(all));
        if (best) {
            draw("confusion.png", () -> ConfusionPicture.draw(evaluation.confusion()));
            draw("per-class.png", () -> ClassAccuracies.draw(evaluation.confusion()));
        }
    }

    /** A run is worth more than its pictures: one that cannot be drawn is named once. */
    private void draw(String name, Supplier<BufferedImage> picture) throws IOException {
        try {
            OutputFile.writePng(folder.path().resolve(name), picture);
        } catch (OutputFile.DrawingException e) {
            if (undrawable.add(name)) {
                note("no picture: " + Main.oneLine(e.getMessage()));
            }
        }
    }

    private static BufferedImage curves(List<EpochMetrics> all) {
        return new Curves(List.of(
                        new Curves.Panel(
                                "loss",
                                List.of(
                                        line("training", all, EpochMetrics::trainLoss),
                                        line("validation", all, EpochMetrics::valLoss))),
                        new Curves.Panel(
                                "accuracy",
                                List.of(
                                        line("training", all, EpochMetrics::trainAccuracy),
                                        line("validation", all, EpochMetrics::valTop1)))))
                .draw();
    }

    private static Curves.Line line(String name, List<EpochMetrics> all, ToDoubleFunction<EpochMetrics> value) {
        return new Curves.Line(
                name,
                all.stream().map(each -> (double) each.epoch()).toList(),
                all.stream().map(value::applyAsDouble).toList());
    }

    @Override
    public void close() {
        clear();
    }
}
