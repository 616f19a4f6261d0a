package io.github.convzoo.spark;

import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.checkpoint.Format;
import io.github.convzoo.checkpoint.Safetensors;
import io.github.convzoo.checkpoint.Tensor;
import io.github.convzoo.checkpoint.Value;
import io.github.convzoo.weights.ExportedFile;
import io.github.convzoo.weights.Manifest;
import io.github.convzoo.weights.ModelFolder;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.LoadOptions;
import io.github.convzoo.zoo.OpenModel;
import io.github.convzoo.zoo.PathText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The files of a model folder that loads like a given model, without a network.
 *
 * @param files the files by their names in the folder, sorted
 * @param main the file to load; null to load the folder
 */
record ModelFiles(SortedMap<String, Path> files, @Nullable String main) {

    private static final String HUB = "hf-hub:";
    private static final String FOLDER = "local-dir:";

    /**
     * Finds a model's files, downloading them if necessary.
     *
     * @param model a network, published weights, a model folder or file, or a repository of the hub
     * @param scratch a folder for new files
     * @return its files; empty if it comes with ConvZoo, so that it is found by its name wherever ConvZoo is
     * @throws IOException if a file cannot be read or fetched
     * @throws IllegalArgumentException if there is no such model
     */
    static Optional<ModelFiles> of(String model, Path scratch) throws IOException {
        LoadOptions options = LoadOptions.published();
        OpenModel open = ConvZoo.open(model, options);
        if (isNetwork(model)) {
            if (isBundled(model)) {
                return Optional.empty();
            }
        } else if (!model.startsWith(HUB)) {
            Path path = path(model);
            if (isExported(path)) {
                return Optional.of(exported(path));
            }
        }
        Path weights = file(open.checkpoint(options), scratch);
        Path config = Files.writeString(
                scratch.resolve(ModelFolder.CONFIG), open.config(options).toJson());
        return Optional.of(
                new ModelFiles(new TreeMap<>(Map.of(name(weights), weights, ModelFolder.CONFIG, config)), null));
    }

    /** Whether a text names a network or published weights, as it then does even if there is such a folder. */
    private static boolean isNetwork(String model) {
        return ConvZoo.list("*").contains(model) || ConvZoo.listWeights("*").contains(model);
    }

    private static boolean isBundled(String model) {
        return Manifest.rows().stream()
                .filter(row -> row.name().equals(model) || row.model().equals(model))
                .findFirst()
                .map(Manifest.Row::bundled)
                .isPresent();
    }

    private static Path path(String model) {
        return PathText.path(model.startsWith(FOLDER) ? model.substring(FOLDER.length()) : model);
    }

    private static boolean isExported(Path path) throws IOException {
        return Files.isDirectory(path)
                ? ModelFolder.weights(path).isEmpty() && !ExportedFile.in(path).isEmpty()
                : ExportedFile.of(path).isPresent();
    }

    /** An exported graph may have its weights in files of any name. */
    private static ModelFiles exported(Path path) throws IOException {
        boolean whole = Files.isDirectory(path);
        Path folder =
                whole ? path : Objects.requireNonNull(path.toAbsolutePath().getParent(), "a file is in a folder");
        SortedMap<String, Path> files = new TreeMap<>();
        try (Stream<Path> all = Files.list(folder)) {
            all.filter(Files::isRegularFile).forEach(file -> files.put(name(file), file));
        }
        return new ModelFiles(files, whole ? null : name(path));
    }

    /** The file of a checkpoint. Shards, which may lie in different caches, are joined. */
    private static Path file(Checkpoint checkpoint, Path scratch) throws IOException {
        boolean sharded =
                checkpoint.format() == Format.SAFETENSORS_INDEX || checkpoint.format() == Format.PYTORCH_INDEX;
        if (!sharded || !(checkpoint.root() instanceof Value.Mapping mapping)) {
            return checkpoint.file();
        }
        List<Tensor> tensors = new ArrayList<>();
        for (Value value : mapping.entries().values()) {
            if (value instanceof Tensor tensor) {
                tensors.add(tensor);
            }
        }
        Path joined = scratch.resolve(ModelFolder.WEIGHTS);
        Safetensors.write(joined, tensors, Map.of());
        return joined;
    }

    private static String name(Path file) {
        return String.valueOf(file.getFileName());
    }
}
