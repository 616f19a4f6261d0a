package io.github.convzoo.cli;

import com.google.gson.FieldNamingPolicy;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonParseException;
import com.google.gson.TypeAdapter;
import com.google.gson.TypeAdapterFactory;
import com.google.gson.reflect.TypeToken;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.JsonWriter;
import io.github.convzoo.checkpoint.TextFile;
import io.github.convzoo.data.OnBadImage;
import io.github.convzoo.message.Reason;
import io.github.convzoo.train.BestBy;
import io.github.convzoo.train.Optimizer;
import io.github.convzoo.train.Precision;
import io.github.convzoo.train.Schedule;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** The options of a training run, and the train.json that keeps them in its folder. */
final class TrainOptions {

    static final double DEFAULT_MIN_SCALE = 0.08;
    static final int DEFAULT_BATCH = 128;
    static final double DEFAULT_MOMENTUM = 0.9;
    static final double DEFAULT_FACTOR = 0.1;
    static final int DEFAULT_LR_PATIENCE = 10;

    private static final Gson GSON = new GsonBuilder()
            .setPrettyPrinting()
            .serializeNulls()
            .disableHtmlEscaping()
            .setFieldNamingPolicy(FieldNamingPolicy.LOWER_CASE_WITH_DASHES)
            .registerTypeAdapterFactory(new EnumNames())
            .create();

    /** How images are cropped. */
    enum Crop {
        NONE,
        PAD,
        RANDOM,
        RESIZED
    }

    /** How classes are weighted in the loss. */
    enum ClassWeights {
        NONE,
        BALANCED
    }

    @Option(
            names = "--model",
            paramLabel = "MODEL",
            description = "A network (convzoo list shows them); or a model to fine-tune with its preprocessing: a model"
                    + " folder,"
                    + " such as another run's, or hf-hub:owner/name[@revision].")
    String model = "";

    @Option(
            names = "--weights",
            paramLabel = "FILE",
            description = "Start from these weights: a checkpoint in any supported format, a model folder, or"
                    + " hf-hub:owner/name[@revision]. The classifier is replaced if the number of classes differs.")
    @Nullable String weights;

    @Option(names = "--pretrained", description = "Start from the network's published weights.")
    boolean pretrained;

    @Option(
            names = "--last-activation",
            paramLabel = "A",
            description = "The last activation of DPN: relu or elu. Default: the model's, else relu.")
    @Nullable String lastActivation;

    @Option(
            names = "--in-channels",
            paramLabel = "N",
            description =
                    "Input channels: 3, or 1 to train on grayscale images. Default: those of the weights, else 3.")
    @Nullable Integer inChannels;

    @Option(
            names = "--dataset",
            paramLabel = "KIND",
            converter = DataKind.Converter.class,
            description = "image-folder, image-list, fashion-mnist, cifar10, or cifar100. Default: image-folder.")
    DataKind dataset = DataKind.IMAGE_FOLDER;

    @Option(
            names = "--data",
            paramLabel = "PATH",
            description = "The data set's folder: for image-folder, one with train and val folders, or one of class"
                    + " folders, which is"
                    + " split. For image-list, the file of paths and labels.")
    String data = "";

    @Option(
            names = "--val-data",
            paramLabel = "PATH",
            description = "Validation data (image-folder and image-list only).")
    @Nullable String valData;

    @Option(
            names = "--no-validation",
            description = "Train on all images without validation; the last weights then count as the best.")
    boolean noValidation;

    @Option(
            names = "--root",
            paramLabel = "DIR",
            description =
                    "The folder that the list's paths are relative to (image-list only). Default: the list's own.")
    @Nullable String root;

    @Option(
            names = "--val-fraction",
            paramLabel = "F",
            description =
                    "The fraction of each class to validate with, if the data set has no validation part. Default:"
                            + " 0.1.")
    double valFraction = 0.1;

    @Option(
            names = "--train-size",
            paramLabel = "N",
            description = "Train on only N images, sampled evenly from the classes.")
    @Nullable Integer trainSize;

    @Mixin
    InputOptions input = new InputOptions();

    @Mixin
    ReadingOptions reading = new ReadingOptions();

    @Option(
            names = "--on-bad-image",
            paramLabel = "fail|skip",
            description = "How to handle an image that cannot be read. Default: fail.")
    OnBadImage onBadImage = OnBadImage.FAIL;

    @Option(
            names = "--head-only",
            description = "Compute every image's features once, without augmentation, and train only the classifier on"
                    + " them: fast, for small data sets.")
    boolean headOnly;

    @Option(
            names = "--crop",
            paramLabel = "none|pad|random|resized",
            description =
                    "Random crop: of the padded image (pad); of the image resized to --resize (random); or of random"
                            + " size,"
                            + " then resized (resized; from the whole image, or from one resized to --resize)."
                            + " Default: pad for"
                            + " fashion-mnist and cifar, resized for image files.")
    @Nullable Crop crop;

    @Option(
            names = "--crop-padding",
            paramLabel = "P",
            description = "Padding on each side in pixels (--crop pad only). Default: an eighth of the input's side.")
    @Nullable Integer cropPadding;

    @Option(
            names = "--min-scale",
            paramLabel = "S",
            description = "The smallest crop, as a fraction of the image's area (--crop resized only). Default: 0.08.")
    double minScale = DEFAULT_MIN_SCALE;

    @Option(names = "--no-flip", description = "Do not flip images at random.")
    boolean noFlip;

    @Option(
            names = "--color-jitter",
            paramLabel = "J",
            description = "Jitter brightness, contrast, and saturation by up to this fraction. Default: 0.")
    double colorJitter;

    @Option(names = "--erase", paramLabel = "P", description = "The probability of random erasing. Default: 0.")
    double erase;

    @Option(names = "--mixup", paramLabel = "A", description = "The alpha of mixup. Default: 0, off.")
    double mixup;

    @Option(names = "--cutmix", paramLabel = "A", description = "The alpha of CutMix. Default: 0, off.")
    double cutmix;

    @Option(names = "--epochs", paramLabel = "N", description = "The number of epochs. Default: 10.")
    int epochs = 10;

    @Option(names = "--batch-size", paramLabel = "B", description = "Images per step. Default: 128.")
    int batchSize = DEFAULT_BATCH;

    @Option(names = "--optimizer", paramLabel = "NAME", description = "sgd, adam, or adamw. Default: sgd.")
    Optimizer.Kind optimizer = Optimizer.Kind.SGD;

    @Option(names = "--lr", paramLabel = "R", description = "The peak learning rate. Default: 0.1 for sgd, else 0.001.")
    @Nullable Double lr;

    @Option(names = "--momentum", paramLabel = "M", description = "Momentum (sgd only). Default: 0.9.")
    double momentum = DEFAULT_MOMENTUM;

    @Option(names = "--nesterov", description = "Nesterov momentum (sgd only).")
    boolean nesterov;

    @Option(
            names = "--weight-decay",
            paramLabel = "W",
            description = "The weight decay. Default: 1e-4 for sgd, 0.05 for adamw, 0 for adam.")
    @Nullable Double weightDecay;

    @Option(names = "--decay-all", description = "Also decay normalization parameters and biases.")
    boolean decayAll;

    @Option(
            names = "--schedule",
            paramLabel = "NAME",
            description = "constant, step, exponential, cosine, onecycle, or plateau. Default: cosine.")
    Schedule.Kind schedule = Schedule.Kind.COSINE;

    @Option(
            names = "--warmup-epochs",
            paramLabel = "E",
            description = "Epochs of linear warm-up (cosine only). Default: 0.")
    double warmupEpochs;

    @Option(
            names = "--milestones",
            paramLabel = "E,E",
            split = ",",
            arity = "1..*",
            description = "The epochs after which the learning rate drops, such as 30,60,90 or 30 60 90 (step only).")
    List<Integer> milestones = new ArrayList<>();

    @Option(
            names = "--lr-every",
            paramLabel = "E",
            description = "The learning rate drops every E epochs (exponential only). Default: 1.")
    int lrEvery = 1;

    @Option(
            names = "--lr-factor",
            paramLabel = "F",
            description = "The factor of each learning rate drop (step, exponential, and plateau). Default: 0.1.")
    double lrFactor = DEFAULT_FACTOR;

    @Option(
            names = "--lr-patience",
            paramLabel = "E",
            description = "Epochs without improvement before the learning rate drops (plateau only). Default: 10.")
    int lrPatience = DEFAULT_LR_PATIENCE;

    @Option(
            names = "--class-weights",
            paramLabel = "none|balanced",
            description = "Weight classes in the loss by the inverse of their number of images. Default: none.")
    ClassWeights classWeights = ClassWeights.NONE;

    @Option(
            names = "--balanced-sampling",
            description = "Sample equally many images of every class in each epoch; images of small classes are"
                    + " repeated.")
    boolean balancedSampling;

    @Option(
            names = "--best-by",
            paramLabel = "top1|balanced|loss",
            description =
                    "The metric that selects the best epoch: accuracy, mean per-class accuracy, or validation loss."
                            + " The loss"
                            + " breaks ties. Default: top1.")
    BestBy bestBy = BestBy.TOP1;

    @Option(
            names = "--patience",
            paramLabel = "N",
            description = "Stop after N epochs without improvement. Default: never.")
    @Nullable Integer patience;

    @Option(
            names = "--amp",
            arity = "0..1",
            paramLabel = "fp16",
            fallbackValue = "fp16",
            converter = PrecisionName.class,
            description = "Train in mixed precision: float16 with loss scaling (GPU only). --amp alone means fp16.")
    Precision precision = Precision.FP32;

    @Option(names = "--label-smoothing", paramLabel = "S", description = "Label smoothing. Default: 0.")
    double labelSmoothing;

    @Option(names = "--clip-norm", paramLabel = "N", description = "Clip gradients to this norm. Default: none.")
    @Nullable Double clipNorm;

    @Option(
            names = "--accumulate",
            paramLabel = "N",
            description = "Split each batch into N micro-batches and accumulate their gradients. Default: 1.")
    int accumulate = 1;

    @Option(
            names = "--ema",
            paramLabel = "D",
            description = "Average the weights with this decay (EMA), and validate and save the average.")
    @Nullable Double ema;

    @Option(
            names = "--anneal",
            paramLabel = "START,END,EPOCHS",
            split = ",",
            description = "Temperature of dynamic convolutions: falls by START / EPOCHS per epoch, down to END. Default"
                    + " for networks"
                    + " with dynamic convolutions: from 30 to 1 in the first half of the run, in at most ten"
                    + " epochs.")
    List<Double> anneal = new ArrayList<>();

    @Option(names = "--no-anneal", description = "Keep the temperature at 1.")
    boolean noAnneal;

    @Option(names = "--freeze", paramLabel = "PATTERN", description = "Parameters to freeze, such as 'level*'.")
    List<String> freeze = new ArrayList<>();

    @Option(
            names = "--head-lr",
            paramLabel = "F",
            description = "Multiply the classifier's learning rate by F. Default: 1.")
    double headLr = 1;

    @Option(names = "--seed", paramLabel = "N", description = "Random seed. Default: 0.")
    long seed;

    @Option(
            names = "--save-every",
            paramLabel = "MIN",
            description = "Also save every MIN minutes, not only after each epoch. Default: 10.")
    double saveEvery = 10;

    @Option(
            names = "--workers",
            paramLabel = "N",
            description = "The number of threads that read and augment images. Default: one per core.")
    @Nullable Integer workers;

    /**
     * The devices and threads that the run began with, because it resumes with them: ComputeOptions' and the command's
     * own.
     */
    @Nullable Integer threads;

    @Nullable String device;

    List<String> devices = new ArrayList<>();

    /** Parses the formats of mixed precision by PyTorch's names. */
    static final class PrecisionName implements ITypeConverter<Precision> {

        @Override
        public Precision convert(String value) {
            return switch (value.toLowerCase(Locale.ROOT)) {
                case "fp16", "float16" -> Precision.FP16;
                case "bf16", "bfloat16" ->
                    throw new TypeConversionException("DJL's PyTorch engine has no bfloat16; pass --amp fp16");
                default -> throw new TypeConversionException("expected fp16, not '" + value + "'");
            };
        }
    }

    /** Reads and writes enum constants as on the command line: in lower case, with dashes. */
    private static final class EnumNames implements TypeAdapterFactory {

        @Override
        @SuppressWarnings("unchecked")
        public <T> @Nullable TypeAdapter<T> create(Gson gson, TypeToken<T> type) {
            Class<?> raw = type.getRawType();
            if (!Enum.class.isAssignableFrom(raw)) {
                return null;
            }
            // A constant with a body has its own class.
            Class<?> declared = raw.isEnum() ? raw : raw.getSuperclass();
            return (TypeAdapter<T>) new EnumName((Enum<?>[]) declared.getEnumConstants());
        }
    }

    private static final class EnumName extends TypeAdapter<Enum<?>> {

        private final Enum<?>[] constants;

        EnumName(Enum<?>[] constants) {
            this.constants = constants;
        }

        private static String name(Enum<?> constant) {
            return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
        }

        @Override
        public void write(JsonWriter out, @Nullable Enum<?> value) throws IOException {
            out.value(value == null ? null : name(value));
        }

        @Override
        public @Nullable Enum<?> read(JsonReader in) throws IOException {
            if (in.peek() == JsonToken.NULL) {
                in.nextNull();
                return null;
            }
            String text = in.nextString();
            for (Enum<?> each : constants) {
                if (name(each).equals(text)) {
                    return each;
                }
            }
            throw new JsonParseException("'" + text + "' is not one of "
                    + String.join(
                            ", ", Arrays.stream(constants).map(EnumName::name).toList()));
        }
    }

    String toJson() {
        return GSON.toJson(this) + "\n";
    }

    static TrainOptions read(Path file) throws IOException {
        try {
            TrainOptions options = GSON.fromJson(TextFile.read(file), TrainOptions.class);
            if (options == null) {
                throw new IllegalArgumentException("it is empty");
            }
            options.requireAll();
            TrainChecks.check(options);
            return options;
        } catch (JsonParseException | IllegalArgumentException e) {
            throw new IOException(file + ": not the options of a run (" + Reason.ofJson(e) + ")", e);
        }
    }

    /** Refuses a file that was edited and now lacks something that has no default. */
    @SuppressWarnings("ConstantValue")
    private void requireAll() {
        for (Object each : Arrays.asList(
                model,
                data,
                dataset,
                input,
                input == null ? null : input.mean,
                input == null ? null : input.std,
                onBadImage,
                optimizer,
                schedule,
                classWeights,
                bestBy,
                precision,
                milestones,
                anneal,
                freeze,
                devices)) {
            if (each == null) {
                throw new IllegalArgumentException("a required value is missing or unknown");
            }
        }
    }

    Crop cropping() {
        if (crop != null) {
            return crop;
        }
        return dataset.isSmall() ? Crop.PAD : Crop.RESIZED;
    }

    /** So that the run can be resumed from another directory. */
    void makeAbsolute() {
        data = absolute(data);
        valData = valData == null ? null : absolute(valData);
        root = root == null ? null : absolute(root);
        weights = weights == null ? null : TrainFactory.absoluteIfFile(weights);
        model = TrainFactory.absoluteIfFile(model);
    }

    static String absolute(String path) {
        return Path.of(path).toAbsolutePath().normalize().toString();
    }
}
