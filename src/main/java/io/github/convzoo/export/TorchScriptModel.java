package io.github.convzoo.export;

import ai.djl.Device;
import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.training.ParameterStore;
import io.github.convzoo.nn.NativeMemory;
import io.github.convzoo.weights.ModelFolder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A file in DJL's PyTorch engine. */
final class TorchScriptModel implements ExportedModel {

    private static final Logger LOGGER = LoggerFactory.getLogger(TorchScriptModel.class);

    /** More characters than any value in question. */
    private static final int LONGEST = 64;

    private final Model model;
    private final ExportedInput input;

    private final boolean classMaps;

    private TorchScriptModel(Model model, ExportedInput input, boolean classMaps) {
        this.model = model;
        this.input = input;
        this.classMaps = classMaps;
    }

    static TorchScriptModel open(Path file, Device device) throws IOException {
        Map<String, String> metadata = metadata(file);
        String bits = metadata.get(NetworkFile.WEIGHT_BITS);
        @Nullable String obstacle = bits == null ? null : Target.obstacleToIntegers(device, Integer.parseInt(bits));
        if (obstacle != null) {
            Path floats = file.resolveSibling(ModelFolder.TORCHSCRIPT_FLOATS);
            if (!Files.exists(floats)) {
                throw new IOException(file + ": computes with 8-bit integers, but " + obstacle + "; put "
                        + ModelFolder.TORCHSCRIPT_FLOATS + " next to it, like quantize");
            }
            LOGGER.warn("{}: computes with 8-bit integers, but {}; running {} instead", file, obstacle, floats);
            return open(floats, device);
        }
        String target = metadata.getOrDefault(NetworkFile.TARGET, Target.ANY.name());
        if (!device.equals(Device.cpu()) && !target.equals(Target.ANY.name())) {
            throw new IOException(file + ": exported for CPUs (target " + target + "), but the device is " + device
                    + "; export it again for any target");
        }
        TorchScriptCheck.require(file);
        boolean images = Boolean.parseBoolean(metadata.get(NetworkFile.PREPROCESS));
        ExportedInput input = new ExportedInput(images, Optional.empty());
        NativeMemory.keepFreed();
        Model model = Model.newInstance(String.valueOf(file.getFileName()), device, "PyTorch");
        try {
            model.load(file.toAbsolutePath().getParent(), String.valueOf(file.getFileName()));
            return new TorchScriptModel(model, input, Boolean.parseBoolean(metadata.get(NetworkFile.CLASS_MAPS)));
        } catch (MalformedModelException e) {
            model.close();
            throw new IOException(file + ": PyTorch refused the file: " + e.getMessage(), e);
        } catch (IOException | RuntimeException e) {
            model.close();
            throw e;
        }
    }

    @Override
    public boolean isBatchInvariant() {
        return false;
    }

    @Override
    public boolean hasClassMaps() {
        return classMaps;
    }

    @Override
    public NDList run(NDList inputs) {
        ParameterStore parameters = new ParameterStore(inputs.get(0).getManager(), false);
        return model.getBlock().forward(parameters, inputs, false);
    }

    /** The metadata that {@code convzoo export} wrote next to the code; archives of other tools have none. */
    private static Map<String, String> metadata(Path file) throws IOException {
        Map<String, String> metadata = new HashMap<>();
        try (ZipFile zip = new ZipFile(file.toFile())) {
            for (String key : List.of(
                    NetworkFile.PREPROCESS, NetworkFile.TARGET, NetworkFile.WEIGHT_BITS, NetworkFile.CLASS_MAPS)) {
                Optional<? extends ZipEntry> entry = zip.stream()
                        .filter(each -> each.getName().endsWith("/extra/" + key))
                        .findFirst();
                if (entry.isPresent()) {
                    byte[] text = zip.getInputStream(entry.get()).readNBytes(LONGEST);
                    metadata.put(key, new String(text, StandardCharsets.UTF_8));
                }
            }
            return metadata;
        } catch (ZipException e) {
            throw new IOException(file + ": is not a TorchScript archive: " + e.getMessage(), e);
        }
    }

    @Override
    public ExportedInput input() {
        return input;
    }

    @Override
    public void close() {
        model.close();
    }
}
