package io.github.convzoo.train;

import ai.djl.ndarray.NDManager;
import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.data.Batch;
import io.github.convzoo.data.BatchLoader;
import io.github.convzoo.data.Epoch;
import io.github.convzoo.data.Samples;
import io.github.convzoo.image.Labels;
import io.github.convzoo.message.Reason;
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
 * Trains epoch by epoch in a folder: validates after each epoch, keeps the best weights, and saves the state so that
 * the run can resume after any interruption, including a crash at any moment. On a CPU, with the same number of
 * threads, an interrupted run ends with bit-identical weights.
 *
 * <p>Without validation data, the last weights count as the best.
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

    /** Listens to a run; called on the training thread. */
    public interface Listener {

        /**
         * Called after a step.
         *
         * @param epoch the epoch, from 1
         * @param batch the number of batches done in this epoch
         * @param batches the number of batches per epoch
         * @param result the result of the step
         */
        default void stepped(int epoch, int batch, int batches, StepResult result) {}

        /**
         * Called after some validation images were classified.
         *
         * @param epoch the epoch, from 1
         * @param images the number of images so far
         */
        default void validated(int epoch, int images) {}

        /**
         * Called at the end of an epoch, after its files were written.
         *
         * @param all all epochs so far
         * @param evaluation the evaluation of this epoch; empty without validation data
         * @param best whether it is the best so far
         * @throws IOException if the listener cannot write its files; the run stops
         */
        default void epochEnded(List<EpochMetrics> all, Optional<Evaluation> evaluation, boolean best)
                throws IOException {}

        /**
         * Called if the run stops early, because its patience ran out.
         *
         * @param epoch the last epoch
         * @param best the best epoch
         */
        default void endsEarly(int epoch, int best) {}
    }

    /**
     * The best epoch so far.
     *
     * @param epoch its number; 0 before the first
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
            throw new IllegalArgumentException("it has no " + key);
        }
        return text;
    }

    /**
     * The position in the run, and the best epoch so far.
     *
     * @param epoch the number of epochs done
     * @param batch the number of batches done in the next epoch
     * @param best the best epoch
     * @param waited the number of epochs of the current plateau
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
     * Creates a run.
     *
     * @param folder the folder for the run's files
     * @param learner the learner; its creator closes it
     * @param saved the model whose weights are saved: the learner's network, or one that contains it
     * @param training the training data
     * @param validation the validation data; empty for no validation
     * @param options when to save, which epoch is the best, and when to stop early
     * @throws IllegalArgumentException if the recipe's annealing has epochs of another length, if the model's labels
     *     are not the classes of the data, or if the options or the schedule need validation and none exists
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
                    + " steps, but the data's have " + training.batches() + "; use the data's for the annealing");
        }
        saved.requireLabels(training.samples().classes());
        if (validation.isEmpty() && options.patience().isPresent()) {
            throw new IllegalArgumentException("patience needs validation data; omit it, or validate");
        }
        if (validation.isEmpty() && recipe.schedule() instanceof Schedule.Plateau) {
            throw new IllegalArgumentException(
                    "a plateau schedule needs validation data; use another schedule, or validate");
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

    /** A hash of the number of samples, their classes, names, and labels, independent of their location. */
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

    /** Locks the folder against other processes until this run is closed or its process ends. */
    private void lock() throws IOException {
        if (lock != null) {
            return;
        }
        folder.makeFolders();
        FileChannel channel;
        try {
            channel = FileChannel.open(folder.lock(), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        } catch (FileSystemException e) {
            throw new IOException(
                    folder.lock() + ": cannot be written (" + Reason.of(e) + "); check its permissions", e);
        }
        boolean ours = false;
        try {
            ours = channel.tryLock() != null;
        } catch (OverlappingFileLockException e) {
            // Locked by this process.
        } finally {
            if (!ours) {
                channel.close();
            }
        }
        if (!ours) {
            throw new IOException(folder.path() + ": another run is using this folder; wait for it to end, or stop it");
        }
        lock = channel;
    }

    /**
     * Resumes from the saved state in the folder; starts from the beginning if nothing was saved yet.
     *
     * @return whether there was a saved state
     * @throws IOException if another run is using the folder, or the saved state cannot be read or does not fit, for
     *     example because the images differ, or the best weights cannot be read
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
            throw new IOException(folder.state() + ": not a run's state (" + e.getMessage() + ")", e);
        }
        String before = notes.get("data");
        if (!data.equals(before)) {
            throw new IOException(folder.state() + ": saved with other images (training and validation:  " + before
                    + ", now " + data + "); restore them, or start a new run from the weights");
        }
        if (progress.batch() > training.batches()) {
            throw new IOException(folder.state() + ": saved at batch " + progress.batch()
                    + " of an epoch, which now has " + training.batches() + "; resume with the same batch size");
        }
        requireBest();
        // A crash between writing the metrics and the state leaves an epoch that is now repeated.
        metrics = new ArrayList<>(folder.metrics().stream()
                .filter(each -> each.epoch() <= progress.epoch())
                .toList());
        return true;
    }

    /** A later epoch may be worse, and the run would end without the weights that it reports. */
    private void requireBest() throws IOException {
        if (progress.best().epoch() == 0) {
            return;
        }
        try {
            Checkpoint.read(folder.best());
        } catch (IOException e) {
            throw new IOException(
                    e.getMessage() + "; these are the best weights so far, of epoch "
                            + progress.best().epoch() + ": restore the file, or copy " + folder.lastWeights()
                            + " there to continue with the last ones instead",
                    e);
        }
    }

    /** {@return the number of epochs done, at least 0} */
    public int epochs() {
        return progress.epoch();
    }

    /** {@return the number of batches done in the next epoch, at least 0} */
    public int batches() {
        return progress.batch();
    }

    /**
     * Trains until the given number of epochs is done, or a stop is requested.
     *
     * @param epochs the total number of epochs
     * @param stop polled after each step and epoch; true saves and ends the run, so that it can be resumed
     * @param listener receives events
     * @return whether the run is done: all epochs are, or its patience has run out
     * @throws DivergedException if the loss or a gradient is not finite; then the weights before that step are saved
     *     next to the state, which remains unchanged, unless it is the first step; or if the validation loss is not
     *     finite; then the best and the last weights remain those of earlier epochs
     * @throws IOException if an image cannot be read, in which case the state is saved unless there was no step, or if
     *     a file cannot be written; everything saved before remains
     * @throws InterruptedException if the thread is interrupted; everything saved before remains
     */
    public boolean run(int epochs, BooleanSupplier stop, Listener listener)
            throws DivergedException, IOException, InterruptedException {
        lock();
        folder.write(RunFolder.LABELS, new Labels(training.samples().classes()).toText());
        // Before any weights, so that a folder's weights are never next to another configuration.
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
                // Stop was requested during validation; everything is saved.
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

    /** Trains for the rest of an epoch; false if stopped before its end. */
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

    /** The next batch. If it fails, the steps before it are saved, if there are any. */
    private @Nullable Batch next(Epoch epoch) throws IOException, InterruptedException {
        try {
            return epoch.next();
        } catch (IOException | IllegalStateException e) {
            if (learner.step() > 0) {
                saveAfter(e, this::save);
            }
            throw e;
        }
    }

    private StepResult step(Batch batch) throws DivergedException {
        try {
            return learner.step(batch);
        } catch (DivergedException e) {
            // Nothing of the step was kept. The state remains the last regular one, because its next step would diverge
            // too. Before the first step, the weights are the initial ones.
            if (learner.step() > 0) {
                saveAfter(e, () -> saved.writeTo(folder.diverged()));
            }
            throw e;
        }
    }

    private interface Saving {
        void run() throws IOException;
    }

    /** Saves without hiding an earlier problem. */
    private static void saveAfter(Exception problem, Saving saving) {
        try {
            saving.run();
        } catch (IOException e) {
            problem.addSuppressed(e);
        }
    }

    /** Validates, and writes the epoch's results; the state comes last, so that a crash in between repeats this. */
    private void endEpoch(Listener listener) throws DivergedException, IOException, InterruptedException {
        int number = progress.epoch() + 1;
        // Validation may take long, and a process that is told to exit during it may not get the time.
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
        // The listener's files are written again after a crash that precedes the state.
        listener.epochEnded(List.copyOf(metrics), evaluation, isBest);
        save();
    }

    /** The length of the current plateau; if it is too long, the learning rate changes, and a new one starts. */
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

    /** Unlocks the folder and frees the arrays of the validation. The learner and the network remain. */
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
