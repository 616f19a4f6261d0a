package io.github.convzoo.weights;

import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.checkpoint.ReplacedFile;
import io.github.convzoo.checkpoint.TextFile;
import io.github.convzoo.message.Reason;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A model as a folder: {@code config.json} and weights, in the Hugging Face hub's format for timm models. timm loads it
 * with {@code timm.create_model('local-dir:FOLDER', pretrained=True)}, unless {@link ModelConfig#differenceToTimm}
 * gives a reason why not.
 *
 * <p>A single safetensors file written by ConvZoo has the same configuration in its metadata.
 */
public final class ModelFolder {

    /** The configuration file. */
    public static final String CONFIG = "config.json";

    /** The weights file that ConvZoo writes. */
    public static final String WEIGHTS = "model.safetensors";

    /** The weights file that PyTorch's tools write. */
    public static final String PYTORCH_WEIGHTS = "pytorch_model.bin";

    /** The network's graph with its weights, exported for ONNX Runtime by {@code convzoo export}. */
    public static final String ONNX = "model.onnx";

    /** The same for PyTorch. */
    public static final String TORCHSCRIPT = "model.pt";

    /** The same network in float, for machines that cannot run a quantized {@link #TORCHSCRIPT}. */
    public static final String TORCHSCRIPT_FLOATS = "model-float.pt";

    /** The settings for DJL's own translator and for DJL Serving. */
    public static final String SERVING = "serving.properties";

    /** The start of a {@link #SERVING} file written by {@code convzoo export}. */
    public static final String SERVING_MARK = "# Written by convzoo export";

    /** The key of the configuration in a safetensors file's metadata. */
    static final String METADATA = CONFIG;

    /** The suffix of files with an ONNX file's weights. */
    private static final String ONNX_DATA = ".onnx.data";

    /** The standard names of weights files, or of their index if they are sharded, in order of precedence. */
    public static final List<String> USUAL_WEIGHTS =
            List.of(WEIGHTS, WEIGHTS + ".index.json", PYTORCH_WEIGHTS, PYTORCH_WEIGHTS + ".index.json");

    /** The suffixes of files other than weights. */
    private static final Set<String> OTHERS = Set.of(
            "json",
            "jsonl",
            "txt",
            "md",
            "csv",
            "tsv",
            "log",
            "png",
            "jpg",
            "jpeg",
            "svg",
            "pdf",
            "html",
            "properties",
            "yaml",
            "yml",
            "toml",
            "xml",
            "py",
            "java",
            "jar",
            "sh",
            "lock",
            "onnx",
            "gitattributes",
            "gitignore");

    private ModelFolder() {}

    /**
     * Reads a folder's configuration.
     *
     * @param folder the folder
     * @return the configuration; empty if the folder has no {@code config.json}
     * @throws IOException if the file cannot be read or is not a configuration; the message names it
     */
    public static Optional<ModelConfig> config(Path folder) throws IOException {
        Path file = folder.resolve(CONFIG);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        return Optional.of(ModelConfig.parse(TextFile.read(file), file.toString()));
    }

    /**
     * {@return the configuration in a checkpoint's metadata; empty if none exists}
     *
     * @param checkpoint any checkpoint
     * @throws IOException if it is not a valid configuration; the message names the file
     */
    public static Optional<ModelConfig> config(Checkpoint checkpoint) throws IOException {
        String json = checkpoint.metadata().get(METADATA);
        return json == null
                ? Optional.empty()
                : Optional.of(ModelConfig.parse(json, checkpoint.file() + " (metadata " + METADATA + ")"));
    }

    /**
     * Deletes a folder and its contents. Links are deleted, not followed.
     *
     * @param folder the folder
     * @throws IOException if something cannot be deleted
     */
    public static void delete(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(each);
            }
        }
    }

    /**
     * Finds a folder's weights: {@code model.safetensors}, its index if it is sharded, or PyTorch's {@code
     * pytorch_model.bin}; else the only file whose name does not indicate something else. An {@link ExportedFile} does
     * not count.
     *
     * @param folder the folder
     * @return the file; empty if the folder has none
     * @throws IOException if there are several, or the folder cannot be listed; the message names them
     */
    public static Optional<Path> weights(Path folder) throws IOException {
        for (String name : USUAL_WEIGHTS) {
            Path file = folder.resolve(name);
            if (Files.isRegularFile(file)) {
                return Optional.of(file);
            }
        }
        List<Path> found = new ArrayList<>();
        List<Path> indexes = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
            for (Path each : files) {
                String name = String.valueOf(each.getFileName()).toLowerCase(Locale.ROOT);
                if (!Files.isRegularFile(each) || name.startsWith(".")) {
                    continue;
                }
                if (name.endsWith(".index.json")) {
                    indexes.add(each);
                } else if (!OTHERS.contains(name.substring(name.lastIndexOf('.') + 1))
                        && !name.endsWith(ONNX_DATA)
                        && ExportedFile.of(each).isEmpty()) {
                    found.add(each);
                }
            }
        } catch (FileSystemException e) {
            throw new IOException(
                    folder + ": cannot be listed (" + Reason.within(folder, e)
                            + "); check the path and its permissions",
                    e);
        }
        List<Path> candidates = indexes.isEmpty() ? found : indexes;
        if (candidates.size() > 1) {
            candidates.sort(null);
            throw new IOException(folder + ": several files may be its weights, "
                    + String.join(
                            ", ",
                            candidates.stream()
                                    .map(each -> String.valueOf(each.getFileName()))
                                    .toList())
                    + "; pass one of them, or rename one to " + WEIGHTS);
        }
        return candidates.stream().findFirst();
    }

    /**
     * Writes a folder's configuration. The file is written atomically.
     *
     * @param folder the folder, created if missing
     * @param config the configuration
     * @throws IOException if it cannot be written
     */
    public static void writeConfig(Path folder, ModelConfig config) throws IOException {
        create(folder);
        ReplacedFile.write(folder.resolve(CONFIG), config.toJson().getBytes(StandardCharsets.UTF_8));
    }

    static void create(Path folder) throws IOException {
        try {
            Files.createDirectories(folder);
        } catch (FileSystemException e) {
            throw new CheckpointException(
                    folder,
                    -1,
                    null,
                    "the folder cannot be created (" + Reason.within(folder, e) + "); choose another",
                    e);
        }
    }
}
