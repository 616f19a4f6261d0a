package io.github.convzoo.train;

import ai.djl.ndarray.NDManager;
import io.github.convzoo.data.Batch;
import io.github.convzoo.data.BatchLoader;
import io.github.convzoo.data.Epoch;
import io.github.convzoo.data.Samples;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Learns epoch by epoch in a folder: validates after each epoch, keeps the best weights, and saves so that the run can be
 * resumed after any interruption, a crash at any moment included. On a CPU, with the same number of threads, the weights in the
 * end are the same, bit for bit, however often that happened.
 *
 * <p>Without validation data the last weights are also the best ones.
 */
public final class TrainingRun implements AutoCloseable {

    private final RunFolder folder;
    private final Learner learner;
    private final SavedModel saved;
    private final BatchLoader training;
    private final Optional<BatchLoader> validation;
    private final RunOptions options;
    private final NDManager arrays;
    private final String data;
    private @Nullable FileChannel lock;

    private Progress progress = Progress.START;
    private List<EpochMetrics> metrics = new ArrayList<>();

    /** Is told what happens, by the thread that trains. */
    public interface Listener {

        /**
         * A step was made.
         *
         * @param epoch from 1 on
         * @param batch how many of the epoch's batches are done
         * @param batches how many there are
         * @param result what the step did
         */
        default void stepped(int epoch, int batch, int batches, StepResult result) {}

        /**
         * Some validation images were classified.
         *
         * @param epoch from 1 on
         * @param images how many so far
         */
        default void validated(int epoch, int images) {}

        /**
         * An epoch ended, and what it left is written.
         *
         * @param all every epoch so far
         * @param evaluation of this one; empty without validation data
         * @param best whether it is the best so far
         * @throws IOException if what the listener writes cannot be written; the run stops
         */
        default void epochEnded(List<EpochMetrics> all, Optional<Evaluation> evaluation, boolean best)
                throws IOException {}

        /**
         * The run ends before its last epoch, because none was better than the best for as long as its patience.
         *
         * @param epoch the last epoch that was learned
         * @param best the best epoch
         */
        default void endsEarly(int epoch, int best) {}
    }

    /**
     * The best epoch so far.
     *
     * @param epoch its number, 0 before the first
     */
    private record Best(int epoch, Score score) {

        static final Best NONE = new Best(0, new Score(-1, -1, Double.POSITIVE_INFINITY));

        static Best of(Map<String, String> notes) {
            return new Best(
                    Integer.parseInt(text(notes, "best_epoch")),
                    new Score(
                            Double.parseDouble(text(notes, "best_top1")),
                            Double.parseDouble(text(notes, "best_balanced")),
                            Double.parseDouble(text(notes, "best_loss"))));
        }

        Map<String, String> notes() {
            Map<String, String> notes = new LinkedHashMap<>();
            notes.put("best_epoch", Integer.toString(epoch));
            notes.put("best_top1", Double.toString(score.top1()));
            notes.put("best_balanced", Double.toString(score.balanced()));
            notes.put("best_loss", Double.toString(score.loss()));
            return notes;
        }
    }

    private static String text(Map<String, String> notes, String key) {
        String text = notes.get(key);
        if (text == null) {
            throw new IllegalArgumentException("it does not say its " + key);
        }
        return text;
    }

    /**
     * Where in the run we are, and what the epoch came to so far.
     *
     * @param epoch how many epochs are done
     * @param batch how many batches of the next
     * @param best the best epoch
     * @param waited how many epochs a plateau lasts so far
     */
    private record Progress(
            int epoch, int batch, double loss, long correct, long samples, double seconds, Best best, int waited) {

        static final Progress START = new Progress(0, 0, 0, 0, 0, 0, Best.NONE, 0);

        Map<String, String> notes() {
            Map<String, String> notes = new LinkedHashMap<>();
            notes.put("epoch", Integer.toString(epoch));
            notes.put("batch", Integer.toString(batch));
            notes.put("loss", Double.toString(loss));
            notes.put("correct", Long.toString(correct));
            notes.put("samples", Long.toString(samples));
            notes.put("seconds", Double.toString(seconds));
            notes.putAll(best.notes());
            notes.put("waited", Integer.toString(waited));
            return notes;
        }

        static Progress of(Map<String, String> notes) {
            return new Progress(
                    Integer.parseInt(text(notes, "epoch")),
                    Integer.parseInt(text(notes, "batch")),
                    Double.parseDouble(text(notes, "loss")),
                    Long.parseLong(text(notes, "correct")),
                    Long.parseLong(text(notes, "samples")),
                    Double.parseDouble(text(notes, "seconds")),
                    Best.of(notes),
                    Integer.parseInt(text(notes, "waited")));
        }

        Progress after(StepResult step, int batches, double took) {
            return new Progress(
                    epoch,
                    batches,
                    loss + step.loss() * step.samples(),
                    correct + step.correct(),
                    samples + step.samples(),
                    seconds + took,
                    best,
                    waited);
        }
    }

    /**
     * Prepares a run.
     *
     * @param folder where it leaves what it makes
     * @param learner what learns; closed by whoever made it
     * @param saved the model whose weights are saved: the learner's network, or the one that it is a part of
     * @param training what to learn from
     * @param validation what to validate with; empty for no validation at all
     * @param options when to save, which epoch is the best, and when to end early
     * @throws IllegalArgumentException if the recipe's annealing has epochs of another length, if the model's labels are not the
     *     classes of the data, or if the options or the schedule need validation and there is none
     */
    public TrainingRun(
            RunFolder folder,
            Learner learner,
            SavedModel saved,
            BatchLoader training,
            Optional<BatchLoader> validation,
            RunOptions options) {
        Recipe recipe = learner.recipe();
        if (recipe.annealing().isPresent() && recipe.stepsPerEpoch() != training.batches()) {
            throw new IllegalArgumentException("the recipe's epochs have " + recipe.stepsPerEpoch()
                    + " steps, and the data's " + training.batches() + "; give the annealing the data's");
        }
        saved.requireLabels(training.samples().classes());
        if (validation.isEmpty() && options.patience().isPresent()) {
            throw new IllegalArgumentException("patience needs validation data; leave it out, or validate");
        }
        if (validation.isEmpty() && recipe.schedule() instanceof Schedule.Plateau) {
            throw new IllegalArgumentException(
                    "a plateau schedule needs validation data; take another schedule, or validate");
        }
        learner.requireParts(training.samples().shape(), training.batchSize());
        this.folder = folder;
        this.learner = learner;
        this.saved = saved;
        this.training = training;
        this.validation = validation;
        this.options = options;
        data = fingerprint(training.samples()) + " "
                + validation.map(each -> fingerprint(each.samples())).orElse("none");
        arrays = NDManager.newBaseManager(learner.device(), "PyTorch");
    }

    /** Of how many samples there are, their classes, and what each is called and belongs to, wherever they lie. */
    private static String fingerprint(Samples samples) {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JVM has SHA-256", e);
        }
        StringBuilder text = new StringBuilder(String.join("\n", samples.classes()));
        for (int i = 0; i < samples.size(); i++) {
            String name = samples.name(i);
            text.append('\n')
                    .append(name, Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')) + 1, name.length())
                    .append('\t')
                    .append(samples.label(i));
            if (text.length() > 1 << 16) {
                digest.update(text.toString().getBytes(StandardCharsets.UTF_8));
                text.setLength(0);
            }
        }
        digest.update(text.toString().getBytes(StandardCharsets.UTF_8));
        return samples.size() + ":" + HexFormat.of().formatHex(digest.digest(), 0, 8);
    }

    /** Keeps other processes out of the folder until this run is closed, or its process killed. */
    private void lock() throws IOException {
        if (lock != null) {
            return;
        }
        folder.makeFolders();
        FileChannel channel;
        try {
            channel = FileChannel.open(folder.lock(), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        } catch (FileSystemException e) {
            throw new IOException(folder.lock() + ": cannot be written (" + e + "); check its permissions", e);
        }
        boolean ours = false;
        try {
            ours = channel.tryLock() != null;
        } catch (OverlappingFileLockException e) {
            // By this process.
        } finally {
            if (!ours) {
                channel.close();
            }
        }
        if (!ours) {
            throw new IOException(
                    folder.path() + ": another run is at work in this folder; wait for its end, or stop it");
        }
        lock = channel;
    }

    /**
     * Resumes from what the folder holds; from the beginning if nothing was saved yet.
     *
     * @return whether something was saved
     * @throws IOException if another run is at work there, or what was saved cannot be read or does not fit, as with other
     *     images
     */
    public boolean resume() throws IOException {
        lock();
        folder.removeLeftovers();
        if (!Files.exists(folder.state())) {
            return false;
        }
        Map<String, String> notes = learner.restore(folder.state());
        try {
            progress = Progress.of(notes);
        } catch (IllegalArgumentException e) {
            throw new IOException(folder.state() + ": is no state of a run (" + e.getMessage() + ")", e);
        }
        String before = notes.get("data");
        if (!data.equals(before)) {
            throw new IOException(folder.state() + ": was saved with other images (training and validation: " + before
                    + ", now " + data + "); restore them, or start a new run from the weights");
        }
        if (progress.batch() > training.batches()) {
            throw new IOException(folder.state() + ": is at batch " + progress.batch() + " of an epoch, which now has "
                    + training.batches() + "; go on with the same batch size");
        }
        // A crash after the metrics and before the state leaves an epoch that is now made again.
        metrics = new ArrayList<>(folder.metrics().stream()
                .filter(each -> each.epoch() <= progress.epoch())
                .toList());
        return true;
    }

    /**
     * How many epochs are done.
     *
     * @return at least 0
     */
    public int epochs() {
        return progress.epoch();
    }

    /**
     * How many batches of the epoch after those are done.
     *
     * @return at least 0
     */
    public int batches() {
        return progress.batch();
    }

    /**
     * Trains until so many epochs are done, or somebody asks to stop.
     *
     * @param epochs how many there shall be in all
     * @param stop asked after each step and epoch; true ends the run, saved, so that it can be resumed
     * @param listener is told what happens
     * @return whether the run is done: all epochs are, or its patience has run out
     * @throws DivergedException if the loss or a gradient is not finite, and then the weights before that step are saved
     *     next to the state, which stays what it was, unless it is the first step; or if the validation loss is not, and then the best weights and the
     *     last ones stay those of earlier epochs
     * @throws IOException if an image cannot be read, and then the state is saved, or something not written; what was saved
     *     before stays
     * @throws InterruptedException if the thread is interrupted; what was saved before stays
     */
    public boolean run(int epochs, BooleanSupplier stop, Listener listener)
            throws DivergedException, IOException, InterruptedException {
        lock();
        folder.write(RunFolder.LABELS, String.join("\n", training.samples().classes()) + "\n");
        // Before any weights: those of a folder never stand next to the configuration of others.
        saved.writeConfig(folder.path());
        saved.writeConfig(folder.last());
        while (progress.epoch() < epochs) {
            if (isOutOfPatience()) {
                listener.endsEarly(progress.epoch(), progress.best().epoch());
                return true;
            }
            if (!learn(stop, listener)) {
                return false;
            }
            endEpoch(listener);
            if (progress.epoch() < epochs && stop.getAsBoolean()) {
                // Asked while validating; everything is saved.
                return false;
            }
        }
        return true;
    }

    private boolean isOutOfPatience() {
        return options.patience().isPresent()
                && progress.epoch() - progress.best().epoch()
                        >= options.patience().getAsInt();
    }

    /** Goes through the rest of an epoch; false if it was asked to stop before its end. */
    private boolean learn(BooleanSupplier stop, Listener listener)
            throws DivergedException, IOException, InterruptedException {
        int number = progress.epoch() + 1;
        long lastSaved = System.nanoTime();
        try (Epoch epoch = training.epoch(number, progress.batch())) {
            long before = lastSaved;
            for (Batch next = next(epoch); next != null; next = next(epoch)) {
                StepResult result;
                int done = next.number() + 1;
                try (Batch batch = next) {
                    result = step(batch);
                }
                long now = System.nanoTime();
                progress = progress.after(result, done, (now - before) / 1e9);
                before = now;
                listener.stepped(number, done, training.batches(), result);
                if (stop.getAsBoolean()) {
                    save();
                    return false;
                }
                if (now - lastSaved >= options.saveNanos()) {
                    save();
                    before = System.nanoTime();
                    lastSaved = before;
                }
            }
        }
        return true;
    }

    /** The next batch. Where it cannot be had the steps before it are saved. */
    private @Nullable Batch next(Epoch epoch) throws IOException, InterruptedException {
        try {
            return epoch.next();
        } catch (IOException | IllegalStateException e) {
            saveAfter(e, this::save);
            throw e;
        }
    }

    private StepResult step(Batch batch) throws DivergedException {
        try {
            return learner.step(batch);
        } catch (DivergedException e) {
            // Nothing of the step was kept. The state stays the last regular one: the next step of this one would be
            // the same. Before the first step, the weights are those that the run began with.
            if (learner.step() > 0) {
                saveAfter(e, () -> saved.writeTo(folder.diverged()));
            }
            throw e;
        }
    }

    private interface Saving {
        void run() throws IOException;
    }

    /** Saves, without hiding what went wrong before. */
    private static void saveAfter(Exception problem, Saving saving) {
        try {
            saving.run();
        } catch (IOException e) {
            problem.addSuppressed(e);
        }
    }

    /** Validates, and writes what the epoch came to; the state last, so that a crash in between repeats this. */
    private void endEpoch(Listener listener) throws DivergedException, IOException, InterruptedException {
        int number = progress.epoch() + 1;
        // Validation may take long, and whoever is told to end in it may not be given the time.
        save();
        long start = System.nanoTime();
        Optional<Evaluation> evaluation;
        boolean isBest;
        EpochMetrics measured;
        Learner.@Nullable Averaged averaged = learner.recipe().averaging().isPresent() ? learner.useAverage() : null;
        try {
            evaluation = evaluate(number, listener);
            measured = metrics(number, evaluation, (System.nanoTime() - start) / 1e9);
            isBest = isBest(measured);
            if (isBest) {
                saved.writeTo(folder.best());
            }
            saved.writeTo(folder.lastWeights());
        } finally {
            if (averaged != null) {
                averaged.close();
            }
        }
        if (isBest && evaluation.isPresent()) {
            folder.write(RunFolder.CONFUSION, evaluation.get().confusion().toCsv());
            folder.write(RunFolder.PER_CLASS, evaluation.get().confusion().accuraciesToCsv());
        }
        metrics.add(measured);
        folder.writeMetrics(metrics);
        Best best = isBest ? new Best(number, Score.of(measured)) : progress.best();
        progress = new Progress(number, 0, 0, 0, 0, 0, best, waited(isBest));
        // What the listener writes is written again after a crash that the state does not outlive.
        listener.epochEnded(List.copyOf(metrics), evaluation, isBest);
        save();
    }

    /** How long a plateau lasts; if it is too long, the learning rate changes, and another begins. */
    private int waited(boolean isBest) {
        int waited = isBest ? 0 : progress.waited() + 1;
        if (learner.recipe().schedule() instanceof Schedule.Plateau plateau && waited > plateau.patience()) {
            learner.reduceRate(plateau.factor());
            return 0;
        }
        return waited;
    }

    private Optional<Evaluation> evaluate(int number, Listener listener)
            throws DivergedException, IOException, InterruptedException {
        if (validation.isEmpty()) {
            return Optional.empty();
        }
        Evaluation evaluation =
                Evaluation.of(learner.network(), arrays, validation.get(), done -> listener.validated(number, done));
        if (!Double.isFinite(evaluation.loss())) {
            throw DivergedException.validating(number, learner.step(), evaluation.loss());
        }
        return Optional.of(evaluation);
    }

    private boolean isBest(EpochMetrics measured) {
        return options.bestBy().isBetter(Score.of(measured), progress.best().score());
    }

    private EpochMetrics metrics(int number, Optional<Evaluation> evaluation, double validating) {
        Recipe recipe = learner.recipe();
        double samples = Math.max(1, progress.samples());
        return new EpochMetrics(
                number,
                learner.step(),
                learner.rate(Math.max(0, learner.step() - 1)),
                recipe.annealing().map(annealing -> annealing.at(number - 1L)).orElse(1.0),
                progress.loss() / samples,
                progress.correct() / samples,
                evaluation.map(Evaluation::loss).orElse(Double.NaN),
                evaluation.map(Evaluation::top1).orElse(Double.NaN),
                evaluation.map(Evaluation::top5).orElse(Double.NaN),
                evaluation.map(Evaluation::balancedAccuracy).orElse(Double.NaN),
                progress.seconds() + validating,
                progress.samples() / Math.max(1e-9, progress.seconds()));
    }

    private void save() throws IOException {
        Map<String, String> notes = progress.notes();
        notes.put("data", data);
        learner.save(folder.state(), notes);
    }

    /** Leaves the folder to others, and frees the arrays that validating needs. The learner and the network stay. */
    @Override
    public void close() {
        arrays.close();
        try {
            if (lock != null) {
                lock.close();
                lock = null;
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
