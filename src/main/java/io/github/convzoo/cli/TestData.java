package io.github.convzoo.cli;

import io.github.convzoo.data.BatchLoader;
import io.github.convzoo.data.ImageFolder;
import io.github.convzoo.data.ImageList;
import io.github.convzoo.data.LabeledImages;
import io.github.convzoo.data.LoaderOptions;
import io.github.convzoo.data.OnBadImage;
import io.github.convzoo.data.Pipeline;
import io.github.convzoo.image.ImageDecoder;
import io.github.convzoo.image.Labels;
import io.github.convzoo.weights.ModelConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The data set to evaluate a network on. */
final class TestData {

    @Option(
            names = "--dataset",
            paramLabel = "KIND",
            converter = DataKind.Converter.class,
            description = "image-folder, image-list, fashion-mnist, cifar10, or cifar100. Default: image-folder.")
    DataKind dataset = DataKind.IMAGE_FOLDER;

    @Option(names = "--data", paramLabel = "PATH", required = true, description = "The data set's folder, or the list.")
    Path path = Path.of("");

    @Option(
            names = "--labels",
            paramLabel = "FILE",
            description =
                    "The network's class names in order, one per line, such as a run's labels.txt (image-folder and"
                            + " image-list"
                            + " only). Default: the model's, else the data's, which must then be complete.")
    @Nullable Path labels;

    @Option(
            names = "--root",
            paramLabel = "DIR",
            description =
                    "The folder that the list's paths are relative to (image-list only). Default: the list's own.")
    @Nullable Path root;

    @Option(
            names = "--on-bad-image",
            paramLabel = "fail|skip",
            defaultValue = "fail",
            description = "How to handle an image that cannot be read. Default: fail.")
    OnBadImage onBadImage = OnBadImage.FAIL;

    /** The images, with the classes of the model or the options. */
    LabeledImages images(ModelOptions model, ModelConfig config) throws IOException {
        if (root != null && dataset != DataKind.IMAGE_LIST) {
            throw new IllegalArgumentException("--root has no effect without --dataset image-list; omit it");
        }
        if (dataset.isSmall()) {
            if (labels != null) {
                throw new IllegalArgumentException("--labels: " + dataset + " has fixed class numbers; omit it");
            }
            return dataset.test(path);
        }
        Optional<List<String>> classes = labels == null
                ? config.labels().map(Labels::names)
                : Optional.of(Labels.read(labels).names());
        ImageDecoder decoder = model.reading.decoder().withOrientation(config.upright());
        try {
            if (dataset == DataKind.IMAGE_FOLDER) {
                return classes.isPresent()
                        ? ImageFolder.of(path, classes.get(), decoder)
                        : ImageFolder.of(path, decoder);
            }
            Path relative = root == null ? DataKind.besides(path) : root;
            return classes.isPresent()
                    ? ImageList.of(path, relative, classes.get(), decoder)
                    : ImageList.of(path, relative, decoder);
        } catch (IllegalArgumentException e) {
            throw new IOException((labels == null ? model.model : labels) + ": " + e.getMessage(), e);
        }
    }

    /** Batches of some of the images as a network's input, not shuffled. */
    BatchLoader batches(LabeledImages images, ModelConfig config, int size, WorkBar bar) {
        return new BatchLoader(
                images,
                Pipeline.evaluation(config.preprocessing()),
                LoaderOptions.evaluation(size).withOnBadImage(onBadImage),
                bar::skipped);
    }
}
