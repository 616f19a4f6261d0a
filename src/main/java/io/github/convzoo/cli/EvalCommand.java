package io.github.convzoo.cli;

import ai.djl.Device;
import ai.djl.ndarray.NDList;
import ai.djl.repository.zoo.ZooModel;
import io.github.convzoo.data.FashionMnist;
import io.github.convzoo.data.ImageFolder;
import io.github.convzoo.data.LabeledImages;
import io.github.convzoo.image.Normalization;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.image.Resampling;
import io.github.convzoo.network.Network;
import io.github.convzoo.train.Evaluation;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.LoadOptions;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

@Command(
        name = "eval",
        description = "Measure a network's accuracy on a data set.",
        footer = {
            "",
            "fashion-mnist: a folder with the test set's IDX files, gzipped or not. Images are padded to 32 x 32.",
            "image-folder: a folder that holds a folder of images for each class, in the order of the classes' numbers.",
            "",
            "Examples:",
            "  convzoo eval --model peleenet --weights mine.pth.tar --dataset fashion-mnist --data fashion-mnist/",
            "  convzoo eval --model dla34 --weights dla34.safetensors --dataset image-folder --data val/ --json"
        })
final class EvalCommand implements Callable<Integer> {

    /** The data sets by the name that the command line has for them. */
    enum DataSet {
        FASHION_MNIST,
        IMAGE_FOLDER;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /** Knows the data sets by the command line's names alone. */
    static final class DataSetConverter implements ITypeConverter<DataSet> {

        @Override
        public DataSet convert(String value) {
            for (DataSet each : DataSet.values()) {
                if (each.toString().equals(value)) {
                    return each;
                }
            }
            throw new TypeConversionException("expected fashion-mnist or image-folder, not '" + value + "'");
        }
    }

    @Spec
    CommandSpec spec = CommandSpec.create();

    @ParentCommand
    Main main = Main.inProcess();

    @Mixin
    ModelOptions model = new ModelOptions();

    @Option(
            names = "--dataset",
            paramLabel = "KIND",
            required = true,
            converter = DataSetConverter.class,
            description = "${COMPLETION-CANDIDATES}.")
    DataSet dataset = DataSet.IMAGE_FOLDER;

    @Option(names = "--data", paramLabel = "DIR", required = true, description = "The data set's folder.")
    Path data = Path.of("");

    @Option(
            names = "--input-size",
            paramLabel = "S",
            description =
                    "The side of the network's square input. Default: 32 for fashion-mnist, else the published one.")
    @Nullable Integer inputSize;

    @Option(
            names = "--batch-size",
            paramLabel = "B",
            defaultValue = "32",
            description = "How many images at once. Default: 32.")
    int batchSize = 32;

    @Option(names = "--json", description = "Print JSON; accuracies are fractions.")
    boolean json;

    @Mixin
    ComputeOptions compute = new ComputeOptions();

    @Mixin
    CommonOptions common = new CommonOptions();

    private record Result(long correct, long total, double top1, double top5, double imagesPerSecond) {}

    @Override
    public Integer call() throws Exception {
        Optional<Device> device = compute.apply();
        if (batchSize < 1) {
            throw new IllegalArgumentException("--batch-size must be at least 1, not " + batchSize);
        }
        LabeledImages images;
        Preprocessing preprocessing;
        if (dataset == DataSet.FASHION_MNIST) {
            int size = inputSize == null ? 32 : inputSize;
            images = FashionMnist.test(data, size);
            preprocessing =
                    new Preprocessing(size, size, OptionalInt.empty(), Resampling.BILINEAR, Normalization.IMAGENET);
        } else {
            InputOptions input = new InputOptions();
            input.inputSize = inputSize;
            preprocessing = input.apply(model.model);
            images = ImageFolder.of(data);
        }
        LoadOptions options =
                model.options(main, common, spec.commandLine().getErr()).withPreprocessing(preprocessing);
        if (device.isPresent()) {
            options = options.withDevice(device.get());
        }
        PrintWriter err = spec.commandLine().getErr();
        Evaluation evaluation;
        try (ZooModel<NDList, NDList> loaded = ConvZoo.loadLogits(model.model, options)) {
            checkClasses(images, (Network) loaded.getBlock());
            ProgressBar bar = new ProgressBar(err, images.size(), ProgressBar.Unit.IMAGES);
            try {
                evaluation = Evaluation.of(
                        loaded.getBlock(), loaded.getNDManager(), images, preprocessing, batchSize, bar::update);
            } finally {
                bar.clear();
            }
        }
        print(evaluation);
        return Main.DONE;
    }

    private void checkClasses(LabeledImages images, Network network) throws IOException {
        int classes = network.options().numClasses();
        if (images.classes().size() > classes) {
            throw new IOException(data + ": has " + images.classes().size() + " classes, and the network " + classes
                    + "; evaluate with weights for this data set");
        }
    }

    private void print(Evaluation evaluation) {
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(Json.of(new Result(
                    evaluation.correct(),
                    evaluation.total(),
                    evaluation.top1(),
                    evaluation.top5(),
                    evaluation.imagesPerSecond())));
            return;
        }
        out.printf(Locale.ROOT, "top-1     %.2f %%%n", 100 * evaluation.top1());
        out.printf(Locale.ROOT, "top-5     %.2f %%%n", 100 * evaluation.top5());
        out.printf(Locale.ROOT, "correct   %,d of %,d%n", evaluation.correct(), evaluation.total());
        out.printf(Locale.ROOT, "speed     %,.1f images/s%n", evaluation.imagesPerSecond());
    }
}
