package io.github.convzoo.cli;

import ai.djl.Device;
import ai.djl.ndarray.NDList;
import ai.djl.repository.zoo.ZooModel;
import io.github.convzoo.data.BatchLoader;
import io.github.convzoo.data.DataSummary;
import io.github.convzoo.data.ImageNetClasses;
import io.github.convzoo.data.LabeledImages;
import io.github.convzoo.network.Network;
import io.github.convzoo.plot.ConfusionPicture;
import io.github.convzoo.train.ConfusionMatrix;
import io.github.convzoo.train.Evaluation;
import io.github.convzoo.weights.ModelConfig;
import io.github.convzoo.zoo.ConvZoo;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(
        name = "eval",
        description = "Measure a network's accuracy on a data set.",
        footer = {
            "",
            "image-folder: a folder with one folder of images per class. If the model has labels or --labels gives"
                    + " them,"
                    + " folders are matched by name, and classes may be missing. Otherwise all of the network's classes"
                    + " must be present, and they are numbered in the order of their names; folders named by ImageNet"
                    + " synsets, such as n01440764, may be a subset of a 1000-class network's.",
            "image-list: a file with one line per image: a path, relative to the file's folder, and a class number"
                    + " or name.",
            "fashion-mnist: a folder with the test set's IDX files, gzipped or not. Images are padded to 32 x 32.",
            "cifar10, cifar100: a folder with the test set's binary file.",
            "",
            "Examples:",
            "  convzoo eval --model peleenet --weights mine.pth.tar --dataset fashion-mnist --data fashion-mnist/",
            "  convzoo eval --model dla34 --dataset image-list --data val.txt --per-class --confusion confusion.png",
            "  convzoo eval --model run --data more-flowers/"
        })
final class EvalCommand implements Callable<Integer> {

    private static final int TOP = 5;

    @Spec
    CommandSpec spec = CommandSpec.create();

    @ParentCommand
    Main main = Main.inProcess();

    @Mixin
    ModelOptions model = new ModelOptions();

    @Mixin
    TestData data = new TestData();

    @Mixin
    InputOptions input = new InputOptions();

    @Option(
            names = "--batch-size",
            paramLabel = "B",
            defaultValue = "32",
            description = "The number of images per batch. Default: 32.")
    int batchSize = 32;

    @Option(names = "--per-class", description = "Also print per-class accuracy.")
    boolean perClass;

    @Option(
            names = "--confusion",
            paramLabel = "FILE",
            description = "Write the confusion matrix as a picture (.png) or a table (.csv).")
    @Nullable Path confusion;

    @Option(names = "--json", description = "Print JSON; accuracies are fractions.")
    boolean json;

    @Mixin
    CompileOptions compile = new CompileOptions();

    @Mixin
    ComputeOptions compute = new ComputeOptions();

    @Mixin
    CommonOptions common = new CommonOptions();

    /** Whether to omit classes without images from the table. */
    private boolean onlyFound;

    /** The number of the network's classes, which may be more than the data set has. */
    private int networkClasses;

    private record ClassResult(String name, long total, long correct, @Nullable Double accuracy) {}

    private record Result(
            long correct,
            long total,
            int skipped,
            double top1,
            double top5,
            @Nullable Double loss,
            double imagesPerSecond,
            @Nullable List<ClassResult> classes) {}

    @Override
    public Integer call() throws Exception {
        model.requireModel();
        Optional<Device> device = compute.apply();
        if (batchSize < 1) {
            throw new IllegalArgumentException("--batch-size must be at least 1, not " + batchSize);
        }
        if (confusion != null) {
            if (isTable(confusion)) {
                OutputFile.requireFile("--confusion", confusion);
            } else {
                OutputFile.requirePng("--confusion", confusion);
            }
        }
        PrintWriter err = spec.commandLine().getErr();
        ModelOptions.Opened opened = model.open(model.options(main, common, err), input, data.dataset, compile, device);
        ModelConfig config = opened.config();
        LabeledImages found = data.images(model, config);
        Evaluation evaluation;
        int bad;
        try (ZooModel<NDList, NDList> loaded = ConvZoo.loadLogits(opened.model(), opened.options());
                WorkBar bar = new WorkBar(err)) {
            Network network = (Network) loaded.getBlock();
            networkClasses = network.options().numClasses();
            LabeledImages images = numbered(found, network);
            checkClasses(images, network);
            DataSummary.of(images).forEach(line -> err.println(Main.oneLine(line)));
            BatchLoader batches = data.batches(images, config.withOptions(network.options()), batchSize, bar);
            evaluation = Evaluation.of(
                    network, loaded.getNDManager(), batches, bar.next(images.size(), ProgressBar.Unit.IMAGES));
            bad = batches.badImages();
        }
        if (Double.isNaN(evaluation.loss())) {
            throw new IOException(data.path + ": " + model.givesNan());
        }
        // Checked first: a path that cannot be written must not cost the evaluation.
        print(evaluation, bad);
        write(evaluation.confusion());
        return Main.DONE;
    }

    /** Numbers classes that are named by ImageNet synsets the way an ImageNet network does. */
    private LabeledImages numbered(LabeledImages images, Network network) throws IOException {
        boolean byName = data.labels == null && ImageNetClasses.areIn(images);
        onlyFound = byName && network.options().numClasses() == ImageNetClasses.COUNT;
        try {
            return onlyFound ? ImageNetClasses.of(images) : images;
        } catch (IOException e) {
            throw new IOException(data.path + ": " + e.getMessage(), e);
        }
    }

    private static boolean isTable(Path file) {
        return file.toString().toLowerCase(Locale.ROOT).endsWith(".csv");
    }

    private void checkClasses(LabeledImages images, Network network) throws IOException {
        int classes = network.options().numClasses();
        if (data.labels != null && images.classes().size() != classes) {
            throw new IOException(
                    data.labels + ": has " + Count.of(images.classes().size(), "name", "names")
                            + ", but the network has " + classes + "; give the names that it was trained with");
        }
        if (images.classes().size() > classes) {
            throw new IOException(
                    data.path + ": has " + Count.of(images.classes().size(), "class", "classes")
                            + ", but the network has " + classes
                            + "; evaluate with weights for this data set");
        }
        if (images.classes().size() < classes && namesClasses(images)) {
            throw new IOException(
                    data.path + ": has " + Count.of(images.classes().size(), "class", "classes")
                            + ", but the network has " + classes
                            + "; pass --labels, such as a run's labels.txt, to match them by name");
        }
    }

    /** Whether classes are numbered in the order of their names, so that a missing class would shift the others. */
    private boolean namesClasses(LabeledImages images) {
        return data.dataset == DataKind.IMAGE_FOLDER
                || (data.dataset == DataKind.IMAGE_LIST
                        && !images.classes().get(0).equals("0"));
    }

    private void write(ConfusionMatrix matrix) throws IOException {
        if (confusion == null) {
            return;
        }
        OutputFile.Existing existing = OutputFile.Existing.among(confusion);
        if (isTable(confusion)) {
            OutputFile.write(confusion, matrix.toCsv());
        } else {
            OutputFile.writePng(confusion, () -> ConfusionPicture.draw(matrix));
        }
        existing.sayReplaced(spec.commandLine().getErr());
    }

    private void print(Evaluation evaluation, int skipped) {
        PrintWriter out = spec.commandLine().getOut();
        List<ClassResult> classes = classes(evaluation.confusion());
        if (json) {
            out.println(Json.of(new Result(
                    evaluation.correct(),
                    evaluation.total(),
                    skipped,
                    evaluation.top1(),
                    evaluation.top5(),
                    // JSON has neither NaN nor infinity.
                    Double.isFinite(evaluation.loss()) ? evaluation.loss() : null,
                    evaluation.imagesPerSecond(),
                    perClass ? classes : null)));
            return;
        }
        out.printf(Locale.ROOT, "top-1     %.2f %%%n", 100 * evaluation.top1());
        // With five classes or fewer, top-5 is always 100 %.
        if (networkClasses > TOP) {
            out.printf(Locale.ROOT, "top-5     %.2f %%%n", 100 * evaluation.top5());
        }
        out.printf(Locale.ROOT, "correct   %,d of %,d%n", evaluation.correct(), evaluation.total());
        if (skipped > 0) {
            out.printf(Locale.ROOT, "skipped   %,d%n", skipped);
        }
        out.printf(Locale.ROOT, "loss      %.4f%n", evaluation.loss());
        out.printf(Locale.ROOT, "speed     %,.1f images/s%n", evaluation.imagesPerSecond());
        if (perClass) {
            out.println();
            Table table = new Table("class", "<", "images", ">", "correct", ">", "top-1 %", ">");
            for (ClassResult each : classes) {
                table.row(
                        Main.oneLine(each.name()),
                        String.format(Locale.ROOT, "%,d", each.total()),
                        String.format(Locale.ROOT, "%,d", each.correct()),
                        each.accuracy() == null ? "-" : String.format(Locale.ROOT, "%.2f", 100 * each.accuracy()));
            }
            table.print(out);
        }
    }

    private List<ClassResult> classes(ConfusionMatrix matrix) {
        return IntStream.range(0, matrix.classes().size())
                .filter(i -> !onlyFound || matrix.total(i) > 0)
                .mapToObj(i -> new ClassResult(
                        matrix.classes().get(i),
                        matrix.total(i),
                        matrix.count(i, i),
                        matrix.accuracy(i).isPresent() ? matrix.accuracy(i).getAsDouble() : null))
                .toList();
    }
}
