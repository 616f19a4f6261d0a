package io.github.convzoo.cli;

import com.google.gson.FieldNamingPolicy;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonParseException;
import com.google.gson.TypeAdapter;
import com.google.gson.annotations.JsonAdapter;
import com.google.gson.annotations.SerializedName;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonWriter;
import io.github.convzoo.data.Augmentation;
import io.github.convzoo.data.ColorJitter;
import io.github.convzoo.data.CutMix;
import io.github.convzoo.data.FolderParts;
import io.github.convzoo.data.HorizontalFlip;
import io.github.convzoo.data.ImageList;
import io.github.convzoo.data.LabeledImages;
import io.github.convzoo.data.LoaderOptions;
import io.github.convzoo.data.Mixup;
import io.github.convzoo.data.MixupOrCutMix;
import io.github.convzoo.data.OnBadImage;
import io.github.convzoo.data.Pipeline;
import io.github.convzoo.data.RandomCrop;
import io.github.convzoo.data.RandomErasing;
import io.github.convzoo.data.RandomResizedCrop;
import io.github.convzoo.data.Range;
import io.github.convzoo.data.Split;
import io.github.convzoo.data.Subset;
import io.github.convzoo.image.Border;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.network.Network;
import io.github.convzoo.network.Variant;
import io.github.convzoo.nn.DynamicConv2d;
import io.github.convzoo.train.Annealing;
import io.github.convzoo.train.Averaging;
import io.github.convzoo.train.CrossEntropy;
import io.github.convzoo.train.Optimizer;
import io.github.convzoo.train.Recipe;
import io.github.convzoo.train.Schedule;
import io.github.convzoo.train.WeightDecay;
import io.github.convzoo.weights.ModelConfig;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What a training run is started with: the command's options, and the config.json that a run leaves. */
final class TrainPlan {

    private static final double DEFAULT_MIN_SCALE = 0.08;
    private static final double DEFAULT_MOMENTUM = 0.9;
    private static final double DEFAULT_FACTOR = 0.1;
    private static final long ANY_STEPS = 1000;

    /** The paper's way of the temperature is half of a run of so many epochs. */
    private static final int LONG_RUN = 20;

    /** Images are padded by so much of their side before a random crop: CIFAR's 4 of 32. */
    private static final int PAD_SHARE = 8;

    private static final int EVALUATION_BATCH = 128;

    private static final Gson GSON = new GsonBuilder()
            .setPrettyPrinting()
            .serializeNulls()
            .disableHtmlEscaping()
            .setFieldNamingPolicy(FieldNamingPolicy.LOWER_CASE_WITH_DASHES)
            .create();

    /** How an image is cropped. */
    enum Crop {
        @SerializedName("none")
        NONE,
        @SerializedName("pad")
        PAD,
        @SerializedName("resized")
        RESIZED
    }

    /** The optimisers by the command line's names. */
    enum OptimizerKind {
        @SerializedName("sgd")
        SGD,
        @SerializedName("adam")
        ADAM,
        @SerializedName("adamw")
        ADAMW
    }

    /** The schedules by the command line's names. */
    enum ScheduleKind {
        @SerializedName("constant")
        CONSTANT,
        @SerializedName("step")
        STEP,
        @SerializedName("exponential")
        EXPONENTIAL,
        @SerializedName("cosine")
        COSINE,
        @SerializedName("onecycle")
        ONECYCLE
    }

    @Option(names = "--model", paramLabel = "NAME", description = "The network; convzoo list shows them.")
    String model = "";

    @Option(
            names = "--weights",
            paramLabel = "FILE",
            description = "A checkpoint to start from. Its classifier is replaced where the classes differ in number.")
    @Nullable String weights;

    @Option(names = "--pretrained", description = "Start from the published weights.")
    boolean pretrained;

    @Option(
            names = "--dataset",
            paramLabel = "KIND",
            converter = DataKind.Converter.class,
            description = "image-folder, image-list, fashion-mnist, cifar10 or cifar100. Default: image-folder.")
    DataKind dataset = DataKind.IMAGE_FOLDER;

    @Option(
            names = "--data",
            paramLabel = "PATH",
            description =
                    "The data set's folder; of image-folder one with train and val in it, or one that is split. Of "
                            + "image-list the file of paths and labels.")
    String data = "";

    @Option(
            names = "--val-data",
            paramLabel = "PATH",
            description = "Of image-folder and image-list: what to validate with.")
    @Nullable String valData;

    @Option(
            names = "--root",
            paramLabel = "DIR",
            description = "Of image-list: what the paths are relative to. Default: the list's folder.")
    @Nullable String root;

    @Option(
            names = "--val-fraction",
            paramLabel = "F",
            description = "The share of each class to validate with where the data set is one. Default: 0.1.")
    double valFraction = 0.1;

    @Option(
            names = "--train-size",
            paramLabel = "N",
            description = "Learn from as many images only, drawn evenly from the classes.")
    @Nullable Integer trainSize;

    @Option(names = "--input-size", paramLabel = "S", description = "The side of the network's square input.")
    @Nullable Integer inputSize;

    @Option(
            names = "--on-bad-image",
            paramLabel = "fail|skip",
            description = "What to do about an image that cannot be read. Default: fail.")
    @JsonAdapter(OnBadImageName.class)
    OnBadImage onBadImage = OnBadImage.FAIL;

    @Option(
            names = "--head-only",
            description = "Compute every image's features once, without augmentation, and train the classifier alone on"
                    + " them: quick, for small data sets.")
    boolean headOnly;

    @Option(
            names = "--crop",
            paramLabel = "none|pad|resized",
            description =
                    "Random crop: of the padded image, or of a part that is resized. Default: pad for fashion-mnist "
                            + "and cifar, resized for image files.")
    @Nullable Crop crop;

    @Option(
            names = "--crop-padding",
            paramLabel = "P",
            description = "Of --crop pad: the padding at each side in pixels. Default: an eighth of the input's side.")
    @Nullable Integer cropPadding;

    @Option(
            names = "--min-scale",
            paramLabel = "S",
            description = "Of --crop resized: the smallest part, as a share of the image. Default: 0.08.")
    double minScale = DEFAULT_MIN_SCALE;

    @Option(names = "--no-flip", description = "Do not flip images at random.")
    boolean noFlip;

    @Option(
            names = "--color-jitter",
            paramLabel = "J",
            description = "Change brightness, contrast and saturation by up to this share. Default: 0.")
    double colorJitter;

    @Option(names = "--erase", paramLabel = "P", description = "The probability of erasing a part. Default: 0.")
    double erase;

    @Option(names = "--mixup", paramLabel = "A", description = "Mix images with this alpha. Default: 0, off.")
    double mixup;

    @Option(
            names = "--cutmix",
            paramLabel = "A",
            description = "Paste parts of images with this alpha. Default: 0, off.")
    double cutmix;

    @Option(names = "--epochs", paramLabel = "N", description = "How many epochs in all. Default: 10.")
    int epochs = 10;

    @Option(names = "--batch-size", paramLabel = "B", description = "How many images a step learns from. Default: 128.")
    int batchSize = 128;

    @Option(names = "--optimizer", paramLabel = "NAME", description = "sgd, adam or adamw. Default: sgd.")
    OptimizerKind optimizer = OptimizerKind.SGD;

    @Option(
            names = "--lr",
            paramLabel = "R",
            description = "The highest learning rate. Default: 0.1 for sgd, else 0.001.")
    @Nullable Double lr;

    @Option(names = "--momentum", paramLabel = "M", description = "Of sgd. Default: 0.9.")
    double momentum = DEFAULT_MOMENTUM;

    @Option(names = "--nesterov", description = "Nesterov's momentum.")
    boolean nesterov;

    @Option(
            names = "--weight-decay",
            paramLabel = "W",
            description = "Default: 1e-4 for sgd, 0.05 for adamw, 0 for adam.")
    @Nullable Double weightDecay;

    @Option(names = "--decay-all", description = "Decay normalisations and biases as well.")
    boolean decayAll;

    @Option(
            names = "--schedule",
            paramLabel = "NAME",
            description = "constant, step, exponential, cosine or onecycle. Default: cosine.")
    ScheduleKind schedule = ScheduleKind.COSINE;

    @Option(names = "--warmup-epochs", paramLabel = "E", description = "Of cosine. Default: 0.")
    double warmupEpochs;

    @Option(
            names = "--milestones",
            paramLabel = "E,E",
            split = ",",
            description = "Of step: the epochs after which the rate falls.")
    List<Integer> milestones = new ArrayList<>();

    @Option(
            names = "--lr-every",
            paramLabel = "E",
            description = "Of exponential: after how many epochs the rate falls. Default: 1.")
    int lrEvery = 1;

    @Option(
            names = "--lr-factor",
            paramLabel = "F",
            description = "Of step and exponential: what the rate falls to. Default: 0.1.")
    double lrFactor = DEFAULT_FACTOR;

    @Option(names = "--label-smoothing", paramLabel = "S", description = "Default: 0.")
    double labelSmoothing;

    @Option(names = "--clip-norm", paramLabel = "N", description = "The gradients' largest norm. Default: none.")
    @Nullable Double clipNorm;

    @Option(
            names = "--accumulate",
            paramLabel = "N",
            description = "Cut a batch into as many parts, one after the other in memory. Default: 1.")
    int accumulate = 1;

    @Option(
            names = "--ema",
            paramLabel = "D",
            description = "Average the weights with this decay, and validate and keep the average.")
    @Nullable Double ema;

    @Option(
            names = "--anneal",
            paramLabel = "START,END,EPOCHS",
            split = ",",
            description =
                    "The temperature of dynamic convolutions: down by START / EPOCHS an epoch, to END. Default for networks"
                            + " that have them: from 30 to 1 in the first half of the run, but in ten epochs at most.")
    List<Double> anneal = new ArrayList<>();

    @Option(names = "--no-anneal", description = "Leave the temperature at 1.")
    boolean noAnneal;

    @Option(names = "--freeze", paramLabel = "PATTERN", description = "Parameters that do not learn, such as 'level*'.")
    List<String> freeze = new ArrayList<>();

    @Option(
            names = "--head-lr",
            paramLabel = "F",
            description = "What the classifier's learning rate is multiplied by. Default: 1.")
    double headLr = 1;

    @Option(names = "--seed", paramLabel = "N", description = "What everything random is drawn from. Default: 0.")
    long seed;

    @Option(
            names = "--save-every",
            paramLabel = "MIN",
            description = "Save after so many minutes too, not only after an epoch. Default: 10.")
    double saveEvery = 10;

    @Option(names = "--workers", paramLabel = "N", description = "Threads that read and augment. Default: one a core.")
    @Nullable Integer workers;

    /** Where a run was begun, for it goes on there: ComputeOptions' and the command's own. */
    @Nullable Integer threads;

    @Nullable String device;

    List<String> devices = new ArrayList<>();

    /** Writes it as the command line has it. */
    private static final class OnBadImageName extends TypeAdapter<OnBadImage> {

        @Override
        public void write(JsonWriter out, OnBadImage value) throws IOException {
            out.value(value.name().toLowerCase(Locale.ROOT));
        }

        @Override
        public OnBadImage read(JsonReader in) throws IOException {
            return OnBadImage.valueOf(in.nextString().toUpperCase(Locale.ROOT));
        }
    }

    String toJson() {
        return GSON.toJson(this) + "\n";
    }

    static TrainPlan read(Path file) throws IOException {
        try {
            TrainPlan plan = GSON.fromJson(Files.readString(file), TrainPlan.class);
            if (plan == null) {
                throw new IllegalArgumentException("it is empty");
            }
            plan.requireAll();
            plan.check();
            return plan;
        } catch (JsonParseException | IllegalArgumentException | CharacterCodingException e) {
            throw new IOException(file + ": is not what a run was started with (" + e.getMessage() + ")", e);
        }
    }

    /** Refuses a file that was edited to lack what has no default. */
    @SuppressWarnings("ConstantValue")
    private void requireAll() {
        for (Object each : Arrays.asList(
                model, data, dataset, onBadImage, optimizer, schedule, milestones, anneal, freeze, devices)) {
            if (each == null) {
                throw new IllegalArgumentException("a value is missing, or none that there is");
            }
        }
    }

    /** Refuses what cannot be, before anything is read or computed. */
    void check() {
        if (model.isEmpty() || data.isEmpty()) {
            throw new IllegalArgumentException((model.isEmpty() ? "--model" : "--data") + " is needed to start a run");
        }
        if (pretrained && weights != null) {
            throw new IllegalArgumentException("--pretrained and --weights exclude each other");
        }
        if (epochs < 1) {
            throw new IllegalArgumentException("--epochs must be at least 1, not " + epochs);
        }
        if (!(saveEvery > 0)) {
            throw new IllegalArgumentException("--save-every must be more than 0 minutes, not " + saveEvery);
        }
        if (noAnneal && !anneal.isEmpty()) {
            throw new IllegalArgumentException("--anneal and --no-anneal exclude each other");
        }
        if (!anneal.isEmpty() && (anneal.size() != 3 || anneal.get(2) != Math.rint(anneal.get(2)))) {
            throw new IllegalArgumentException(
                    "--anneal must be START,END,EPOCHS, the last a whole number, not " + anneal);
        }
        if (!(valFraction > 0 && valFraction < 1)) {
            throw new IllegalArgumentException("--val-fraction must be above 0 and below 1, not " + valFraction);
        }
        between("--erase", erase, 0, 1);
        between("--min-scale", minScale, Double.MIN_VALUE, 1);
        between("--color-jitter", colorJitter, 0, Float.MAX_VALUE / 2);
        between("--mixup", mixup, 0, Float.MAX_VALUE);
        between("--cutmix", cutmix, 0, Float.MAX_VALUE);
        for (int i = 1; i < milestones.size(); i++) {
            if (milestones.get(i) <= milestones.get(i - 1)) {
                throw new IllegalArgumentException(
                        "--milestones must rise; " + milestones.get(i) + " follows " + milestones.get(i - 1));
            }
        }
        only("--root", root != null, dataset == DataKind.IMAGE_LIST, "--dataset image-list");
        only("--momentum", momentum != DEFAULT_MOMENTUM, optimizer == OptimizerKind.SGD, "--optimizer sgd");
        only(
                "--lr-factor",
                lrFactor != DEFAULT_FACTOR,
                schedule == ScheduleKind.STEP || schedule == ScheduleKind.EXPONENTIAL,
                "--schedule step or exponential");
        only("--milestones", !milestones.isEmpty(), schedule == ScheduleKind.STEP, "--schedule step");
        only("--warmup-epochs", warmupEpochs != 0, schedule == ScheduleKind.COSINE, "--schedule cosine");
        only("--lr-every", lrEvery != 1, schedule == ScheduleKind.EXPONENTIAL, "--schedule exponential");
        only("--nesterov", nesterov, optimizer == OptimizerKind.SGD, "--optimizer sgd");
        only("--crop-padding", cropPadding != null, cropping() == Crop.PAD, "--crop pad");
        only("--min-scale", minScale != DEFAULT_MIN_SCALE, cropping() == Crop.RESIZED, "--crop resized");
        if (!(warmupEpochs >= 0 && warmupEpochs < epochs)) {
            throw new IllegalArgumentException(
                    "--warmup-epochs must be at least 0 and fewer than the " + epochs + " epochs, not " + warmupEpochs);
        }
        // What the parts refuse is refused here, before hours go into anything.
        loading();
        recipe(ANY_STEPS).withRateFactors(Map.of("*", headLr));
        if (schedule == ScheduleKind.STEP && milestones.isEmpty()) {
            throw new IllegalArgumentException("--schedule step needs --milestones");
        }
        if (headOnly && !pretrained && weights == null) {
            throw new IllegalArgumentException("--head-only needs features worth having: --pretrained or --weights");
        }
        if (headOnly
                && (mixup != 0
                        || cutmix != 0
                        || erase != 0
                        || colorJitter != 0
                        || crop != null
                        || noFlip
                        || !anneal.isEmpty()
                        || noAnneal)) {
            throw new IllegalArgumentException(
                    "--head-only computes features once: leave augmentation and annealing out");
        }
        if (headOnly && !freeze.isEmpty()) {
            throw new IllegalArgumentException("--head-only freezes all but the classifier: leave --freeze out");
        }
    }

    private Crop cropping() {
        if (crop != null) {
            return crop;
        }
        return dataset.isSmall() ? Crop.PAD : Crop.RESIZED;
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
            throw new IllegalArgumentException(option + " has no effect without " + other + ": leave it out");
        }
    }

    /** So that the run can be gone on with from another directory. */
    void makeAbsolute() {
        data = absolute(data);
        valData = valData == null ? null : absolute(valData);
        root = root == null ? null : absolute(root);
        weights = weights == null ? null : absolute(weights);
    }

    /** Refuses an output that the next run would take for a class. */
    void requireOutside(Path output) throws IOException {
        if (dataset != DataKind.IMAGE_FOLDER) {
            return;
        }
        List<Path> read = new ArrayList<>();
        Path folder = Path.of(data);
        if (valData != null) {
            read.add(Path.of(valData));
        }
        Optional<FolderParts> parts =
                valData == null && Files.isDirectory(folder) ? FolderParts.of(folder) : Optional.empty();
        if (parts.isPresent()) {
            read.add(parts.get().training());
            read.add(parts.get().validation());
        } else {
            read.add(folder);
        }
        for (Path each : read) {
            Path root = real(each);
            Path inside = real(output);
            // What begins with a dot is no class.
            if (inside.startsWith(root)
                    && !inside.equals(root)
                    && !root.relativize(inside).getName(0).toString().startsWith(".")) {
                throw new IllegalArgumentException("--output " + output + " is inside " + each
                        + ", where it would be taken for a class; name a folder elsewhere");
            }
        }
    }

    /** Without links, as far as it exists. */
    private static Path real(Path path) throws IOException {
        Path absolute = path.toAbsolutePath().normalize();
        Path there = absolute;
        while (there.getParent() != null && !Files.exists(there)) {
            there = there.getParent();
        }
        return there.toRealPath().resolve(there.relativize(absolute));
    }

    private static String absolute(String path) {
        return Path.of(path).toAbsolutePath().normalize().toString();
    }

    /** The images to learn from and those to validate with. */
    Split split() throws IOException {
        Path path = Path.of(data);
        if (valData != null && dataset.isSmall()) {
            throw new IllegalArgumentException(
                    "--val-data: " + dataset + " has a test set of its own, which is validated with");
        }
        Split split;
        try {
            split = split(path);
        } catch (IllegalArgumentException e) {
            throw new IOException(data + (valData == null ? "" : " and " + valData) + ": " + e.getMessage(), e);
        }
        LabeledImages training = split.training();
        if (trainSize != null) {
            int classes = training.classes().size();
            if (trainSize < classes || trainSize > training.size()) {
                throw new IllegalArgumentException("--train-size must be " + classes + ", the number of classes, to "
                        + training.size() + ", that of the images to learn from, not " + trainSize);
            }
            training = Subset.stratified(training, trainSize, seed);
        }
        requireEveryClass(training);
        if (training.size() < batchSize) {
            throw new IllegalArgumentException(training.size() + " images to learn from do not fill a batch of "
                    + batchSize + "; give --batch-size " + Math.max(1, training.size() / 2) + " or less");
        }
        return new Split(training, split.validation());
    }

    private Split split(Path path) throws IOException {
        return switch (dataset) {
            case IMAGE_FOLDER ->
                valData == null ? Split.ofFolder(path, valFraction, seed) : Split.ofFolders(path, Path.of(valData));
            case IMAGE_LIST -> ofLists(path);
            case FASHION_MNIST, CIFAR10, CIFAR100 -> new Split(dataset.training(path), dataset.test(path));
        };
    }

    private Split ofLists(Path path) throws IOException {
        ImageList training = ImageList.of(path, rootOf(path));
        if (valData == null) {
            return Split.stratified(training, valFraction, seed);
        }
        Path validation = Path.of(valData);
        return new Split(training, ImageList.of(validation, rootOf(validation), training.classes()));
    }

    private Path rootOf(Path list) {
        return root == null ? DataKind.besides(list) : Path.of(root);
    }

    private void requireEveryClass(LabeledImages images) throws IOException {
        boolean[] there = new boolean[images.classes().size()];
        for (int i = 0; i < images.size(); i++) {
            there[images.label(i)] = true;
        }
        for (int i = 0; i < there.length; i++) {
            if (!there[i]) {
                throw new IOException(
                        data + ": class " + i + " ('" + images.classes().get(i)
                                + "') has no image to learn from; add some, or number the classes without gaps");
            }
        }
    }

    /** How a validation image becomes the network's input. */
    Preprocessing preprocessing() {
        ModelConfig usual = DataOptions.usual(dataset, ModelConfig.usual(Variant.of(model)));
        return inputSize == null ? usual.preprocessing() : usual.preprocessing(inputSize);
    }

    /** How a training image does. */
    Pipeline pipeline() {
        Preprocessing validation = preprocessing();
        if (headOnly) {
            return Pipeline.evaluation(validation);
        }
        int size = validation.height();
        List<Augmentation> augmentations = new ArrayList<>();
        switch (cropping()) {
            case NONE -> augmentations.add((image, random) -> validation.resizeAndCrop(image));
            case PAD -> {
                augmentations.add((image, random) -> validation.resizeAndCrop(image));
                augmentations.add(new RandomCrop(
                        size, size, cropPadding != null ? cropPadding : Math.max(1, size / PAD_SHARE), Border.BLACK));
            }
            case RESIZED ->
                augmentations.add(new RandomResizedCrop(
                        size, size, new Range(minScale, 1), new Range(3 / 4.0, 4 / 3.0), validation.resampling()));
        }
        if (!noFlip) {
            augmentations.add(new HorizontalFlip(0.5));
        }
        if (colorJitter != 0) {
            augmentations.add(new ColorJitter(colorJitter, colorJitter, colorJitter, 0));
        }
        return Pipeline.training(
                augmentations,
                size,
                size,
                validation.normalization(),
                erase == 0 ? Optional.empty() : Optional.of(RandomErasing.of(erase)));
    }

    LoaderOptions loading() {
        LoaderOptions options = threads(LoaderOptions.training(batchSize, seed)).withOnBadImage(onBadImage);
        if (mixup != 0 && cutmix != 0) {
            return options.withMixing(new MixupOrCutMix(new Mixup(mixup), new CutMix(cutmix), 0.5));
        }
        if (mixup != 0) {
            return options.withMixing(new Mixup(mixup));
        }
        return cutmix == 0 ? options : options.withMixing(new CutMix(cutmix));
    }

    LoaderOptions validating() {
        return threads(LoaderOptions.evaluation(Math.min(batchSize, EVALUATION_BATCH)))
                .withOnBadImage(onBadImage);
    }

    private LoaderOptions threads(LoaderOptions options) {
        return workers == null ? options : options.withWorkers(workers, options.prefetch());
    }

    /** What of the recipe the network has no part in. */
    private Recipe recipe(long stepsPerEpoch) {
        Recipe recipe = Recipe.of(optimizer(), schedule(stepsPerEpoch))
                .withLoss(new CrossEntropy(labelSmoothing))
                .withAccumulation(accumulate)
                .withFrozen(freeze)
                .withSeed(seed);
        if (clipNorm != null) {
            recipe = recipe.withClipNorm(clipNorm);
        }
        if (ema != null) {
            recipe = recipe.withAveraging(new Averaging(ema, true));
        }
        return recipe;
    }

    Recipe recipe(Network network, long stepsPerEpoch) {
        Recipe recipe = recipe(stepsPerEpoch);
        if (headLr != 1) {
            Map<String, Double> factors = new LinkedHashMap<>();
            factors.put(network.classifier() + ".*", headLr);
            recipe = recipe.withRateFactors(factors);
        }
        return recipe.withAnnealing(annealing(network), stepsPerEpoch);
    }

    private Optional<Annealing> annealing(Network network) {
        boolean dynamic = DynamicConv2d.setTemperature(network, 1) > 0;
        if (!anneal.isEmpty() && !dynamic) {
            throw new IllegalArgumentException("--anneal: " + model + " has no dynamic convolution; leave it out");
        }
        if (!dynamic || noAnneal || headOnly) {
            return Optional.empty();
        }
        if (anneal.isEmpty()) {
            return usualAnnealing();
        }
        return Optional.of(
                new Annealing(anneal.get(0), anneal.get(1), anneal.get(2).intValue()));
    }

    /** The paper's, but that the temperature reaches 1 while there is time left to learn with it. */
    private Optional<Annealing> usualAnnealing() {
        Annealing paper = Annealing.PAPER;
        if (epochs >= LONG_RUN) {
            return Optional.of(paper);
        }
        return epochs < 2
                ? Optional.empty()
                : Optional.of(new Annealing(paper.start(), paper.end(), paper.epochs() * epochs / LONG_RUN));
    }

    private Optimizer optimizer() {
        return switch (optimizer) {
            case SGD -> new Optimizer.Sgd(momentum, nesterov, decay(1e-4));
            case ADAM -> Optimizer.Adam.of(decay(0));
            case ADAMW -> Optimizer.AdamW.of(decay(0.05));
        };
    }

    private WeightDecay decay(double usual) {
        double rate = weightDecay == null ? usual : weightDecay;
        return decayAll ? WeightDecay.ofAll(rate) : WeightDecay.ofWeights(rate);
    }

    private Schedule schedule(long stepsPerEpoch) {
        double rate = lr != null ? lr : optimizer == OptimizerKind.SGD ? 0.1 : 0.001;
        long total = Math.multiplyExact(epochs, stepsPerEpoch);
        return switch (schedule) {
            case CONSTANT -> new Schedule.Constant(rate);
            case STEP ->
                new Schedule.MultiStep(
                        rate,
                        milestones.stream().map(epoch -> epoch * stepsPerEpoch).toList(),
                        lrFactor);
            case EXPONENTIAL -> new Schedule.Exponential(rate, lrEvery * stepsPerEpoch, lrFactor);
            case COSINE ->
                new Schedule.Cosine(
                        rate, 0, 0.01, Math.min(total - 1, Math.round(warmupEpochs * stepsPerEpoch)), total);
            case ONECYCLE -> Schedule.OneCycle.of(rate, total);
        };
    }
}
