package io.github.convzoo.cli;

import io.github.convzoo.data.Augmentation;
import io.github.convzoo.data.ColorJitter;
import io.github.convzoo.data.CutMix;
import io.github.convzoo.data.FolderParts;
import io.github.convzoo.data.HorizontalFlip;
import io.github.convzoo.data.ImageFolder;
import io.github.convzoo.data.ImageList;
import io.github.convzoo.data.LabeledImages;
import io.github.convzoo.data.LoaderOptions;
import io.github.convzoo.data.Mixup;
import io.github.convzoo.data.MixupOrCutMix;
import io.github.convzoo.data.Pipeline;
import io.github.convzoo.data.RandomCrop;
import io.github.convzoo.data.RandomErasing;
import io.github.convzoo.data.RandomResizedCrop;
import io.github.convzoo.data.Range;
import io.github.convzoo.data.Split;
import io.github.convzoo.data.Subset;
import io.github.convzoo.image.Border;
import io.github.convzoo.image.CropMode;
import io.github.convzoo.image.ImageDecoder;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.network.Network;
import io.github.convzoo.nn.DynamicConv2d;
import io.github.convzoo.train.Annealing;
import io.github.convzoo.train.Averaging;
import io.github.convzoo.train.CrossEntropy;
import io.github.convzoo.train.Optimizer;
import io.github.convzoo.train.Recipe;
import io.github.convzoo.train.RunOptions;
import io.github.convzoo.train.Schedule;
import io.github.convzoo.train.WeightDecay;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Creates the parts of a training run from its options: data, pipeline, recipe, and schedule. */
final class TrainFactory {

    /** The number of epochs of which the paper's annealing takes half. */
    private static final int LONG_RUN = 20;

    /** Images are padded by a fraction of their side, 1 / PAD_SHARE, before a random crop: CIFAR's 4 of 32. */
    private static final int PAD_SHARE = 8;

    private static final int EVALUATION_BATCH = 128;
    private static final int SECONDS_PER_MINUTE = 60;
    private static final int MILLIS = 1000;

    private final TrainOptions options;

    TrainFactory(TrainOptions options) {
        this.options = options;
    }

    /** The absolute path of a file or folder; other names, such as a network's, are unchanged. */
    static String absoluteIfFile(String name) {
        try {
            return !TrainStart.isNetwork(name) && Files.exists(Path.of(name)) ? TrainOptions.absolute(name) : name;
        } catch (InvalidPathException e) {
            return name;
        }
    }

    /**
     * The images of a run.
     *
     * @param training the training images
     * @param validation the validation images, of the same classes; empty for none
     */
    record Data(LabeledImages training, Optional<LabeledImages> validation) {}

    /**
     * Lists the images.
     *
     * @param upright whether to rotate images upright by their EXIF orientation
     */
    Data data(boolean upright) throws IOException {
        Path path = Path.of(options.data);
        ImageDecoder decoder = options.reading.decoder().withOrientation(upright);
        Data found;
        try {
            found = options.noValidation ? new Data(all(path, decoder), Optional.empty()) : of(split(path, decoder));
        } catch (IllegalArgumentException e) {
            throw new IOException(
                    options.data + (options.valData == null ? "" : " and " + options.valData) + ": " + e.getMessage(),
                    e);
        }
        LabeledImages training = found.training();
        if (options.trainSize != null) {
            int classes = training.classes().size();
            if (options.trainSize < classes || options.trainSize > training.size()) {
                throw new IllegalArgumentException(
                        "--train-size must be from " + classes + ", the number of classes, to " + training.size()
                                + ", the number of training images, not " + options.trainSize);
            }
            training = Subset.stratified(training, options.trainSize, options.seed);
        }
        requireEveryClass(training);
        if (training.size() < options.batchSize) {
            int good = training.size() / TrainChecks.GOOD_STEPS;
            throw new IllegalArgumentException(Count.of(training.size(), "training image") + " cannot fill a batch of "
                    + options.batchSize + "; pass --batch-size "
                    + (good == 0
                            ? training.size() + " or less"
                            : good + " or less, so that an epoch has at least " + TrainChecks.GOOD_STEPS + " steps"));
        }
        return new Data(training, found.validation());
    }

    private static Data of(Split split) {
        return new Data(split.training(), Optional.of(split.validation()));
    }

    private Split split(Path path, ImageDecoder decoder) throws IOException {
        return switch (options.dataset) {
            case IMAGE_FOLDER ->
                options.valData == null
                        ? Split.ofFolder(path, options.valFraction, options.seed, decoder)
                        : Split.ofFolders(path, Path.of(options.valData), decoder);
            case IMAGE_LIST -> ofLists(path, decoder);
            case FASHION_MNIST, CIFAR10, CIFAR100 ->
                new Split(options.dataset.training(path), options.dataset.test(path));
        };
    }

    private Split ofLists(Path path, ImageDecoder decoder) throws IOException {
        ImageList training = ImageList.of(path, rootOf(path), decoder);
        if (options.valData == null) {
            return Split.stratified(training, options.valFraction, options.seed);
        }
        Path validation = Path.of(options.valData);
        return new Split(training, ImageList.of(validation, rootOf(validation), training.classes(), decoder));
    }

    /** All training images; of a folder with parts, its training part. */
    private LabeledImages all(Path path, ImageDecoder decoder) throws IOException {
        return switch (options.dataset) {
            case IMAGE_FOLDER -> {
                Optional<FolderParts> parts = Files.isDirectory(path) ? FolderParts.of(path) : Optional.empty();
                yield ImageFolder.of(parts.map(FolderParts::training).orElse(path), decoder);
            }
            case IMAGE_LIST -> ImageList.of(path, rootOf(path), decoder);
            case FASHION_MNIST, CIFAR10, CIFAR100 -> options.dataset.training(path);
        };
    }

    private Path rootOf(Path list) {
        return options.root == null ? DataKind.besides(list) : Path.of(options.root);
    }

    private void requireEveryClass(LabeledImages images) throws IOException {
        int[] counts = counts(images);
        for (int i = 0; i < counts.length; i++) {
            if (counts[i] == 0) {
                throw new IOException(
                        options.data + ": class " + i + " ('" + images.classes().get(i)
                                + "') has no training images; add some, or number the classes without gaps");
            }
        }
    }

    /** The number of images of each class. */
    static int[] counts(LabeledImages images) {
        int[] counts = new int[images.classes().size()];
        for (int i = 0; i < images.size(); i++) {
            counts[images.label(i)]++;
        }
        return counts;
    }

    /**
     * The pipeline from a training image to the network's input.
     *
     * @param validation the preprocessing of validation images
     */
    Pipeline pipeline(Preprocessing validation) {
        if (options.headOnly) {
            return Pipeline.evaluation(validation);
        }
        int height = validation.height();
        int width = validation.width();
        List<Augmentation> augmentations = new ArrayList<>();
        switch (options.cropping()) {
            case NONE -> augmentations.add((image, random) -> validation.resizeAndCrop(image));
            case PAD -> {
                augmentations.add((image, random) -> validation.resizeAndCrop(image));
                int padding = options.cropPadding != null ? options.cropPadding : Math.max(1, height / PAD_SHARE);
                augmentations.add(new RandomCrop(height, width, padding, Border.BLACK));
            }
            case RANDOM -> {
                requireRoom(validation);
                augmentations.add((image, random) -> validation.resize(image));
                augmentations.add(new RandomCrop(height, width, 0, Border.BLACK));
            }
            case RESIZED -> {
                if (options.input.resize != null) {
                    augmentations.add((image, random) -> validation.resize(image));
                }
                augmentations.add(new RandomResizedCrop(
                        height,
                        width,
                        new Range(options.minScale, 1),
                        new Range(3 / 4.0, 4 / 3.0),
                        validation.resampling()));
            }
        }
        if (!options.noFlip) {
            augmentations.add(new HorizontalFlip(0.5));
        }
        if (options.colorJitter != 0) {
            augmentations.add(new ColorJitter(options.colorJitter, options.colorJitter, options.colorJitter, 0));
        }
        return Pipeline.training(
                augmentations,
                height,
                width,
                validation.normalization(),
                options.erase == 0 ? Optional.empty() : Optional.of(RandomErasing.of(options.erase)));
    }

    private static void requireRoom(Preprocessing validation) {
        boolean whole = validation.cropMode() == CropMode.UNRESIZED || validation.cropMode() == CropMode.BORDER;
        if (whole || validation.cropFraction() > 1) {
            throw new IllegalArgumentException("--crop random: the model's images are "
                    + (validation.cropMode() == CropMode.UNRESIZED
                            ? "not resized"
                            : "resized to " + validation.resizedSide() + " pixels on one side, less than the input's "
                                    + validation.height())
                    + "; pass --crop-mode center and a larger --resize");
        }
    }

    LoaderOptions loading() {
        LoaderOptions loader =
                threads(LoaderOptions.training(options.batchSize, options.seed)).withOnBadImage(options.onBadImage);
        if (options.balancedSampling) {
            loader = loader.withBalancedClasses();
        }
        if (options.mixup != 0 && options.cutmix != 0) {
            return loader.withMixing(new MixupOrCutMix(new Mixup(options.mixup), new CutMix(options.cutmix), 0.5));
        }
        if (options.mixup != 0) {
            return loader.withMixing(new Mixup(options.mixup));
        }
        return options.cutmix == 0 ? loader : loader.withMixing(new CutMix(options.cutmix));
    }

    LoaderOptions validating() {
        return threads(LoaderOptions.evaluation(Math.min(options.batchSize, EVALUATION_BATCH)))
                .withOnBadImage(options.onBadImage);
    }

    private LoaderOptions threads(LoaderOptions loader) {
        return options.workers == null ? loader : loader.withWorkers(options.workers, loader.prefetch());
    }

    RunOptions run() {
        RunOptions run = RunOptions.usual()
                .withSaveEvery(Duration.ofMillis(Math.round(options.saveEvery * SECONDS_PER_MINUTE * MILLIS)))
                .withBestBy(options.bestBy);
        return options.patience == null ? run : run.withPatience(options.patience);
    }

    /** The part of the recipe that depends on neither the network nor the data. */
    Recipe recipe(long stepsPerEpoch) {
        Recipe recipe = Recipe.of(optimizer(), schedule(stepsPerEpoch))
                .withLoss(new CrossEntropy(options.labelSmoothing))
                .withAccumulation(options.accumulate)
                .withFrozen(options.freeze)
                .withPrecision(options.precision)
                .withSeed(options.seed);
        if (options.clipNorm != null) {
            recipe = recipe.withClipNorm(options.clipNorm);
        }
        if (options.ema != null) {
            recipe = recipe.withAveraging(new Averaging(options.ema, true));
        }
        return recipe;
    }

    /**
     * The whole recipe.
     *
     * @param counts the number of training images of each class
     */
    Recipe recipe(Network network, long stepsPerEpoch, int[] counts) {
        Recipe recipe = recipe(stepsPerEpoch);
        if (options.classWeights == TrainOptions.ClassWeights.BALANCED) {
            recipe = recipe.withLoss(new CrossEntropy(options.labelSmoothing, CrossEntropy.balancedWeights(counts)));
        }
        if (options.headLr != 1) {
            Map<String, Double> factors = new LinkedHashMap<>();
            factors.put(network.classifier() + ".*", options.headLr);
            recipe = recipe.withRateFactors(factors);
        }
        return recipe.withAnnealing(annealing(network), stepsPerEpoch);
    }

    private Optional<Annealing> annealing(Network network) {
        boolean dynamic = DynamicConv2d.setTemperature(network, 1) > 0;
        if (!options.anneal.isEmpty() && !dynamic) {
            throw new IllegalArgumentException("--anneal: " + options.model + " has no dynamic convolution; omit it");
        }
        if (!dynamic || options.noAnneal || options.headOnly) {
            return Optional.empty();
        }
        if (options.anneal.isEmpty()) {
            return usualAnnealing();
        }
        return Optional.of(new Annealing(
                options.anneal.get(0),
                options.anneal.get(1),
                options.anneal.get(2).intValue()));
    }

    /**
     * The paper's annealing, shortened so that the temperature reaches 1 while there are epochs left to train with it.
     */
    private Optional<Annealing> usualAnnealing() {
        Annealing paper = Annealing.PAPER;
        if (options.epochs >= LONG_RUN) {
            return Optional.of(paper);
        }
        return options.epochs < 2
                ? Optional.empty()
                : Optional.of(new Annealing(paper.start(), paper.end(), paper.epochs() * options.epochs / LONG_RUN));
    }

    private Optimizer optimizer() {
        return switch (options.optimizer) {
            case SGD -> new Optimizer.Sgd(options.momentum, options.nesterov, decay(1e-4));
            case ADAM -> Optimizer.Adam.of(decay(0));
            case ADAMW -> Optimizer.AdamW.of(decay(0.05));
        };
    }

    private WeightDecay decay(double usual) {
        double rate = options.weightDecay == null ? usual : options.weightDecay;
        return options.decayAll ? WeightDecay.ofAll(rate) : WeightDecay.ofWeights(rate);
    }

    private Schedule schedule(long stepsPerEpoch) {
        double rate = options.lr != null ? options.lr : options.optimizer == Optimizer.Kind.SGD ? 0.1 : 0.001;
        long total = Math.multiplyExact(options.epochs, stepsPerEpoch);
        return switch (options.schedule) {
            case CONSTANT -> new Schedule.Constant(rate);
            case STEP ->
                new Schedule.MultiStep(
                        rate,
                        options.milestones.stream()
                                .map(epoch -> epoch * stepsPerEpoch)
                                .toList(),
                        options.lrFactor);
            case EXPONENTIAL -> new Schedule.Exponential(rate, options.lrEvery * stepsPerEpoch, options.lrFactor);
            case COSINE ->
                new Schedule.Cosine(
                        rate, 0, 0.01, Math.min(total - 1, Math.round(options.warmupEpochs * stepsPerEpoch)), total);
            case ONECYCLE -> Schedule.OneCycle.of(rate, total);
            case PLATEAU -> new Schedule.Plateau(rate, options.lrFactor, options.lrPatience);
        };
    }
}
