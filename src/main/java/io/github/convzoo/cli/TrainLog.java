package io.github.convzoo.cli;

import ai.djl.Device;
import io.github.convzoo.plot.ClassAccuracies;
import io.github.convzoo.plot.ConfusionPicture;
import io.github.convzoo.plot.Curves;
import io.github.convzoo.train.Annealing;
import io.github.convzoo.train.ConfusionMatrix;
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
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * Reports a training run: one line per epoch, on standard error and in the log; during an epoch, a progress bar on a
 * terminal, else a line per minute. Also draws curves and confusion matrices.
 */
final class TrainLog implements TrainingRun.Listener, AutoCloseable {

    private static final String FILE = "log.txt";

    private final RunFolder folder;
    private final PrintWriter err;
    private final TrainOptions options;
    private final TrainCommand.Loaders loaders;
    private final int trainingImages;
    private final int validationImages;

    private @Nullable ProgressBar bar;
    private boolean validating;
    private double loss;
    private long correct;
    private long samples;
    private boolean logged = true;

    /** The longest time without a line if there is no bar, in nanoseconds. */
    private static final long SILENCE = TimeUnit.MINUTES.toNanos(1);

    private final LongSupplier clock;
    private final boolean terminal = Boolean.getBoolean("convzoo.terminal");
    private final long batches;
    private long begun;
    private long begunAt;
    private long lastLine;
    private final Set<String> undrawable = new HashSet<>();

    TrainLog(RunFolder folder, PrintWriter err, TrainOptions options, TrainCommand.Loaders loaders) {
        this(folder, err, options, loaders, System::nanoTime);
    }

    TrainLog(
            RunFolder folder, PrintWriter err, TrainOptions options, TrainCommand.Loaders loaders, LongSupplier clock) {
        this.clock = clock;
        batches = loaders.training().batches();
        this.folder = folder;
        this.err = err;
        this.options = options;
        this.loaders = loaders;
        validationImages =
                loaders.validation().map(each -> each.samples().size()).orElse(0);
        trainingImages =
                Math.min(loaders.training().samples().size(), loaders.training().batches() * options.batchSize);
    }

    void resumed(TrainingRun run) {
        note("resumed after " + Count.of(run.epochs(), "epoch") + " and "
                + Count.of(run.batches(), "batch", "batches"));
    }

    /**
     * Called before the first step.
     *
     * @param batch the number of batches of the run that are done
     */
    void begins(long batch, Device device) {
        begun = batch;
        begunAt = clock.getAsLong();
        String line = String.format(
                Locale.ROOT,
                "training %s on %s%s: %s of %s",
                options.model,
                device.getDeviceType(),
                switch (options.precision) {
                    case FP32 -> "";
                    case FP16 -> " in mixed precision (fp16)";
                },
                Count.of(options.epochs, "epoch"),
                Count.of(batches, "step"));
        if (terminal) {
            append(line);
        } else {
            note(line);
        }
        lastLine = begunAt;
    }

    /** The estimated time left, at the speed since the run began or resumed, including validation. */
    private String timeLeft(long batch) {
        long done = batch - begun;
        long left = options.epochs * batches - batch;
        if (done < 1 || left < 1) {
            return "";
        }
        double seconds = (clock.getAsLong() - begunAt) / 1e9 / done * left;
        return "  " + duration(Math.round(seconds)) + " left";
    }

    /** For example, 2 h 05 min, 12 min, or 40 s. */
    static String duration(long seconds) {
        long minutes = Math.round(seconds / 60.0);
        if (seconds < 100) {
            return seconds + " s";
        }
        return minutes < 100
                ? minutes + " min"
                : String.format(Locale.ROOT, "%d h %02d min", minutes / 60, minutes % 60);
    }

    /** If there is no bar, prints a line once the last one is a minute old. */
    private void sayNowAndThen(long batch, String line) {
        if (!terminal && clock.getAsLong() - lastLine >= SILENCE) {
            note(line + timeLeft(batch));
        }
    }

    /** Warns if the attention does not train at the temperature that it is used with, which costs accuracy. */
    void warnOfAnnealing(Annealing annealing) {
        double last = annealing.at(options.epochs - 1L);
        if (last != 1) {
            note(String.format(
                    Locale.ROOT,
                    "the dynamic convolutions' temperature will be %.3g in the last epoch, but inference uses 1; %s",
                    last,
                    annealing.end() == 1
                            ? "pass more --epochs, or start with a shorter --anneal, so that they train with it"
                            : "start with an --anneal whose END is 1, so that they train with it"));
        }
    }

    /** Prints and logs a line. A log that cannot be written does not end the run. */
    void note(String line) {
        noteInPassing(line);
        bar = null;
    }

    /** A note in the middle of an epoch; its bar reappears below. */
    void noteInPassing(String line) {
        if (bar != null) {
            bar.clear();
        }
        err.println(line);
        err.flush();
        lastLine = clock.getAsLong();
        append(line);
    }

    /** Writes a line to the log only. */
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
            // Steps done before a resume do not count toward the speed.
            shown.startAt((long) batch * options.batchSize);
            bar = shown;
        }
        if (result.isSkipped()) {
            noteInPassing("epoch %d/%d  step %d/%d  skipped: gradients overflowed float16; loss scale halved"
                    .formatted(epoch, options.epochs, batch, batches));
        }
        loss += result.loss() * result.samples();
        correct += result.correct();
        samples += result.samples();
        sayNowAndThen(
                (epoch - 1L) * batches + batch,
                String.format(
                        Locale.ROOT,
                        "epoch %d/%d  step %d/%d  loss %.4f  accuracy %.2f %%  rate %.3g",
                        epoch,
                        options.epochs,
                        batch,
                        batches,
                        loss / samples,
                        100.0 * correct / samples,
                        result.rate()));
        shown.update(
                Math.min((long) batch * options.batchSize, trainingImages),
                "epoch %d/%d ".formatted(epoch, options.epochs),
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
            shown = new ProgressBar(err, validationImages, ProgressBar.Unit.IMAGES);
            bar = shown;
        }
        sayNowAndThen(
                epoch * batches,
                "epoch %d/%d  validated %d of %s"
                        .formatted(epoch, options.epochs, images, Count.of(validationImages, "image")));
        shown.update(images, "epoch %d/%d, validating ".formatted(epoch, options.epochs), "");
    }

    @Override
    public void epochEnded(List<EpochMetrics> all, Optional<Evaluation> evaluation, boolean best) throws IOException {
        EpochMetrics last = all.get(all.size() - 1);
        int bad = loaders.badImages();
        note(String.format(
                Locale.ROOT,
                "epoch %d/%d  rate %.3g%s  loss %.4f  accuracy %.2f %%%s  %.0f images/s  %.0f s%s%s%s",
                last.epoch(),
                options.epochs,
                last.learningRate(),
                last.temperature() == 1 ? "" : String.format(Locale.ROOT, "  temperature %.3g", last.temperature()),
                last.trainLoss(),
                100 * last.trainAccuracy(),
                evaluation.isEmpty()
                        ? ""
                        : String.format(
                                Locale.ROOT,
                                "  val loss %.4f  val top-1 %.2f %%  balanced %.2f %%",
                                last.valLoss(),
                                100 * last.valTop1(),
                                100 * last.valBalanced()),
                last.imagesPerSecond(),
                last.seconds(),
                bad == 0 ? "" : "  " + Count.of(bad, "image") + " skipped",
                timeLeft(last.epoch() * batches),
                best && evaluation.isPresent() ? "  best" : ""));
        draw("curves.png", () -> curves(all));
        if (best && evaluation.isPresent()) {
            ConfusionMatrix confusion = evaluation.get().confusion();
            draw("confusion.png", () -> ConfusionPicture.draw(confusion));
            draw("per-class.png", () -> ClassAccuracies.draw(confusion));
        }
    }

    @Override
    public void endsEarly(int epoch, int best) {
        note("stopped early after %s: no improvement since epoch %d (--patience)"
                .formatted(Count.of(epoch, "epoch"), best));
    }

    /** Draws a picture. A failure is reported once and does not end the run. */
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
        List<Curves.Line> losses = new ArrayList<>(List.of(line("training", all, EpochMetrics::trainLoss)));
        List<Curves.Line> accuracies = new ArrayList<>(List.of(line("training", all, EpochMetrics::trainAccuracy)));
        if (!Double.isNaN(all.get(0).valLoss())) {
            losses.add(line("validation", all, EpochMetrics::valLoss));
            accuracies.add(line("validation", all, EpochMetrics::valTop1));
        }
        return new Curves(List.of(new Curves.Panel("loss", losses), new Curves.Panel("accuracy", accuracies))).draw();
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
