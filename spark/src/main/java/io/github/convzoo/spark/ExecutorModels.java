package io.github.convzoo.spark;

import ai.djl.Device;
import ai.djl.modality.Classifications;
import ai.djl.repository.zoo.ZooModel;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.LoadOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.apache.spark.SparkFiles;
import org.jspecify.annotations.Nullable;

/** The models of this JVM, an executor's. They compute on the CPU. */
final class ExecutorModels {

    static final SharedModels<Classifications> CLASSIFIERS = new SharedModels<>(ExecutorModels::classifier);
    static final SharedModels<float[]> EMBEDDERS = new SharedModels<>(ExecutorModels::embedder);

    private ExecutorModels() {}

    private static ZooModel<byte[], Classifications> classifier(ShippedModel model) throws IOException {
        @Nullable Path files = files(model);
        return files == null
                ? ConvZoo.load(model.key().name(), byte[].class, options(model.key()))
                : ConvZoo.load(files, byte[].class, options(model.key()));
    }

    private static ZooModel<byte[], float[]> embedder(ShippedModel model) throws IOException {
        @Nullable Path files = files(model);
        return files == null
                ? ConvZoo.loadEmbeddings(model.key().name(), byte[].class, options(model.key()))
                : ConvZoo.loadEmbeddings(files, byte[].class, options(model.key()));
    }

    /** The model's files, in a folder that Spark removes with the executor; null for a model that ConvZoo brings. */
    private static synchronized @Nullable Path files(ShippedModel model) throws IOException {
        if (model.files() == null) {
            return null;
        }
        Path root = Path.of(SparkFiles.getRootDirectory()).toAbsolutePath().normalize();
        Path folder = root.resolve("convzoo-" + model.key().hash());
        if (!Files.exists(folder)) {
            Files.createDirectories(root);
            Path draft = Files.createTempDirectory(root, "convzoo");
            model.files().unpack(draft);
            Files.move(draft, folder, StandardCopyOption.ATOMIC_MOVE);
        }
        return model.key().file() == null ? folder : folder.resolve(model.key().file());
    }

    private static LoadOptions options(ModelKey key) {
        LoadOptions options = LoadOptions.published().withDevice(Device.cpu());
        return key.compiled() ? options.compiled() : options;
    }
}
