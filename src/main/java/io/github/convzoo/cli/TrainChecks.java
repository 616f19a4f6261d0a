package io.github.convzoo.cli;

import ai.djl.Device;
import io.github.convzoo.data.FolderParts;
import io.github.convzoo.image.CropMode;
import io.github.convzoo.train.BestBy;
import io.github.convzoo.train.Optimizer;
import io.github.convzoo.train.Precision;
import io.github.convzoo.train.Schedule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Refuses contradictory options of a training run before anything is read or computed. */
final class TrainChecks {

    /** Fewer steps per epoch hardly train. */
    static final int GOOD_STEPS = 10;

    private static final long ANY_STEPS = 1000;

    /** A twentieth of the steps of the shortest published recipe, AlexNet's on CIFAR-10. */
    private static final long FEW_STEPS = 500;

    private TrainChecks() {}

    /**
     * Checks all options.
     *
     * @throws IllegalArgumentException if one is out of range or contradicts another; the message names it
     */
    static void check(TrainOptions o) {
        start(o);
        ranges(o);
        data(o);
        optimization(o);
        augmentation(o);
        // Refuse up front what other code would refuse hours into the run.
        TrainFactory factory = new TrainFactory(o);
        factory.loading();
        factory.recipe(ANY_STEPS).withRateFactors(Map.of("*", o.headLr));
        headOnly(o);
    }

    private static void start(TrainOptions o) {
        if (o.model.isEmpty() && o.weights == null) {
            throw new IllegalArgumentException(
                    "--model is required to start a run: a network (convzoo list shows them), a"
                            + " model folder, or hf-hub:owner/name");
        }
        if (o.data.isEmpty()) {
            throw new IllegalArgumentException("--data is required to start a run");
        }
        if (o.pretrained && o.weights != null) {
            throw new IllegalArgumentException("--pretrained and --weights are mutually exclusive");
        }
        if (o.inChannels != null && o.inChannels != 1 && o.inChannels != 3) {
            throw new IllegalArgumentException("--in-channels must be 3, or 1 for grayscale, not " + o.inChannels);
        }
    }

    /**
     * A warning for a run from random weights that has too few steps.
     *
     * @param steps the steps of all epochs
     */
    static Optional<String> fewSteps(TrainOptions o, long steps) {
        if (steps >= FEW_STEPS) {
            return Optional.empty();
        }
        return Optional.of("training from scratch for only " + Count.of(steps, "step")
                + " rarely converges; start from weights (--pretrained), or train for more --epochs"
                + (o.lr == null && o.batchSize != TrainOptions.DEFAULT_BATCH
                        ? "; the default --lr is for batches of " + TrainOptions.DEFAULT_BATCH
                                + ", so try a lower one for batches of " + o.batchSize
                        : ""));
    }

    /** Refuses options that need a GPU. */
    static void devices(TrainOptions o, List<Device> devices) {
        if (o.precision != Precision.FP32 && !devices.stream().allMatch(Device::isGpu)) {
            throw new IllegalArgumentException("--amp needs a GPU, but this run would use the CPU, where float16 is"
                    + " slower than float32; omit --amp, or pass --device gpu0 on a machine with a GPU");
        }
    }

    private static void ranges(TrainOptions o) {
        if (o.epochs < 1) {
            throw new IllegalArgumentException("--epochs must be at least 1, not " + o.epochs);
        }
        if (o.batchSize < 1) {
            throw new IllegalArgumentException("--batch-size must be at least 1, not " + o.batchSize);
        }
        if (o.lr != null && !(o.lr > 0 && Double.isFinite(o.lr))) {
            throw new IllegalArgumentException("--lr must be above 0, not " + o.lr);
        }
        if (!(o.saveEvery > 0)) {
            throw new IllegalArgumentException("--save-every must be more than 0 minutes, not " + o.saveEvery);
        }
        if (o.patience != null && o.patience < 1) {
            throw new IllegalArgumentException("--patience must be at least 1 epoch, not " + o.patience);
        }
        if (o.lrPatience < 0) {
            throw new IllegalArgumentException("--lr-patience must be at least 0 epochs, not " + o.lrPatience);
        }
        if (!(o.valFraction > 0 && o.valFraction < 1)) {
            throw new IllegalArgumentException("--val-fraction must be above 0 and below 1, not " + o.valFraction
                    + "; to train on all images, pass --no-validation");
        }
        between("--erase", o.erase, 0, 1);
        between("--min-scale", o.minScale, Double.MIN_VALUE, 1);
        between("--color-jitter", o.colorJitter, 0, Float.MAX_VALUE / 2);
        between("--mixup", o.mixup, 0, Float.MAX_VALUE);
        between("--cutmix", o.cutmix, 0, Float.MAX_VALUE);
    }

    private static void data(TrainOptions o) {
        only("--root", o.root != null, o.dataset == DataKind.IMAGE_LIST, "--dataset image-list");
        if (o.valData != null && o.dataset.isSmall()) {
            throw new IllegalArgumentException(
                    "--val-data: " + o.dataset + " has its own test set, which is used for validation; omit it");
        }
        if (o.noValidation) {
            without("--val-data", o.valData != null);
            without("--patience", o.patience != null);
            without("--best-by", o.bestBy != BestBy.TOP1);
            without("--schedule plateau", o.schedule == Schedule.Kind.PLATEAU);
        }
        if (o.balancedSampling && o.classWeights != TrainOptions.ClassWeights.NONE) {
            throw new IllegalArgumentException(
                    "--balanced-sampling and --class-weights both compensate for small classes; choose one");
        }
    }

    private static void without(String option, boolean given) {
        if (given) {
            throw new IllegalArgumentException(option + " and --no-validation are mutually exclusive");
        }
    }

    private static void optimization(TrainOptions o) {
        if (o.noAnneal && !o.anneal.isEmpty()) {
            throw new IllegalArgumentException("--anneal and --no-anneal are mutually exclusive");
        }
        if (!o.anneal.isEmpty() && (o.anneal.size() != 3 || o.anneal.get(2) != Math.rint(o.anneal.get(2)))) {
            throw new IllegalArgumentException(
                    "--anneal must be START,END,EPOCHS, with a whole number of epochs, not " + o.anneal);
        }
        for (int i = 1; i < o.milestones.size(); i++) {
            if (o.milestones.get(i) <= o.milestones.get(i - 1)) {
                throw new IllegalArgumentException(
                        "--milestones must increase; " + o.milestones.get(i) + " follows " + o.milestones.get(i - 1));
            }
        }
        boolean sgd = o.optimizer == Optimizer.Kind.SGD;
        only("--momentum", o.momentum != TrainOptions.DEFAULT_MOMENTUM, sgd, "--optimizer sgd");
        only("--nesterov", o.nesterov, sgd, "--optimizer sgd");
        only(
                "--lr-factor",
                o.lrFactor != TrainOptions.DEFAULT_FACTOR,
                o.schedule == Schedule.Kind.STEP
                        || o.schedule == Schedule.Kind.EXPONENTIAL
                        || o.schedule == Schedule.Kind.PLATEAU,
                "--schedule step, exponential or plateau");
        only("--milestones", !o.milestones.isEmpty(), o.schedule == Schedule.Kind.STEP, "--schedule step");
        only("--warmup-epochs", o.warmupEpochs != 0, o.schedule == Schedule.Kind.COSINE, "--schedule cosine");
        only("--lr-every", o.lrEvery != 1, o.schedule == Schedule.Kind.EXPONENTIAL, "--schedule exponential");
        only(
                "--lr-patience",
                o.lrPatience != TrainOptions.DEFAULT_LR_PATIENCE,
                o.schedule == Schedule.Kind.PLATEAU,
                "--schedule plateau");
        if (!(o.warmupEpochs >= 0 && o.warmupEpochs < o.epochs)) {
            throw new IllegalArgumentException("--warmup-epochs must be at least 0 and less than "
                    + Count.of(o.epochs, "epoch") + ", not " + o.warmupEpochs);
        }
        if (o.schedule == Schedule.Kind.STEP && o.milestones.isEmpty()) {
            throw new IllegalArgumentException("--schedule step needs --milestones, such as --milestones 30,60,90");
        }
    }

    private static void augmentation(TrainOptions o) {
        only("--crop-padding", o.cropPadding != null, o.cropping() == TrainOptions.Crop.PAD, "--crop pad");
        only(
                "--min-scale",
                o.minScale != TrainOptions.DEFAULT_MIN_SCALE,
                o.cropping() == TrainOptions.Crop.RESIZED,
                "--crop resized");
        if (o.crop == TrainOptions.Crop.RANDOM && (o.input.noResize || o.input.cropMode == CropMode.BORDER)) {
            throw new IllegalArgumentException(
                    "--crop random crops the resized image, which must be at least as large as"
                            + " the input on both sides; omit --no-resize and --crop-mode border");
        }
    }

    private static void headOnly(TrainOptions o) {
        if (!o.headOnly) {
            return;
        }
        if (TrainStart.isNetwork(o.model) && !o.pretrained && o.weights == null) {
            throw new IllegalArgumentException(
                    "--head-only needs trained features; pass --pretrained or --weights, or a model folder as --model");
        }
        if (o.mixup != 0
                || o.cutmix != 0
                || o.erase != 0
                || o.colorJitter != 0
                || o.crop != null
                || o.noFlip
                || !o.anneal.isEmpty()
                || o.noAnneal) {
            throw new IllegalArgumentException(
                    "--head-only computes features once, so augmentation and annealing have no effect; omit them");
        }
        if (!o.freeze.isEmpty()) {
            throw new IllegalArgumentException("--head-only freezes everything but the classifier; omit --freeze");
        }
    }

    private static void between(String option, double value, double least, double most) {
        if (!(value >= least && value <= most)) {
            throw new IllegalArgumentException(option + " must be "
                    + (least == 0 ? "at least 0" : "above 0")
                    + (most == 1 ? " and at most 1" : "") + ", not " + value);
        }
    }

    private static void only(String option, boolean given, boolean of, String other) {
        if (given && !of) {
            throw new IllegalArgumentException(option + " has no effect without " + other + "; omit it");
        }
    }

    /** Refuses an output folder that the next run would read as a class. */
    static void requireOutside(TrainOptions o, Path output) throws IOException {
        if (o.dataset != DataKind.IMAGE_FOLDER) {
            return;
        }
        List<Path> read = new ArrayList<>();
        Path folder = Path.of(o.data);
        if (o.valData != null) {
            read.add(Path.of(o.valData));
        }
        Optional<FolderParts> parts =
                o.valData == null && Files.isDirectory(folder) ? FolderParts.of(folder) : Optional.empty();
        if (parts.isPresent()) {
            read.add(parts.get().training());
            read.add(parts.get().validation());
        } else {
            read.add(folder);
        }
        for (Path each : read) {
            Path root = real(each);
            Path inside = real(output);
            // A folder whose name starts with a dot is not a class.
            if (inside.startsWith(root)
                    && !inside.equals(root)
                    && !root.relativize(inside).getName(0).toString().startsWith(".")) {
                throw new IllegalArgumentException("--output " + output + " is inside " + each
                        + ", where it would count as a class; choose a folder elsewhere");
            }
        }
    }

    /** Resolves links, as far as the path exists. */
    private static Path real(Path path) throws IOException {
        Path absolute = path.toAbsolutePath().normalize();
        Path there = absolute;
        while (there.getParent() != null && !Files.exists(there)) {
            there = there.getParent();
        }
        return there.toRealPath().resolve(there.relativize(absolute));
    }
}
