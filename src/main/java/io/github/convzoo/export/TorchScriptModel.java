package io.github.convzoo.export;

import ai.djl.Device;
import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/** A file in DJL's PyTorch engine. */
final class TorchScriptModel implements ExportedModel {

    private final Model model;
    private final ExportedInput input;

    private TorchScriptModel(Model model, ExportedInput input) {
        this.model = model;
        this.input = input;
    }

    static TorchScriptModel open(Path file, Device device) throws IOException {
        ExportedInput input = new ExportedInput(takesImages(file), Optional.empty());
        Model model = Model.newInstance(String.valueOf(file.getFileName()), device, "PyTorch");
        try {
            model.load(file.toAbsolutePath().getParent(), String.valueOf(file.getFileName()));
            return new TorchScriptModel(model, input);
        } catch (MalformedModelException e) {
            model.close();
            throw new IOException(file + ": PyTorch refuses it: " + e.getMessage(), e);
        } catch (IOException | RuntimeException e) {
            model.close();
            throw e;
        }
    }

    @Override
    public NDList run(NDList inputs) {
        ParameterStore parameters = new ParameterStore(inputs.get(0).getManager(), false);
        return model.getBlock().forward(parameters, inputs, false);
    }

    /** Whether the metadata says so; archives of other tools have none, and take floats. */
    private static boolean takesImages(Path file) throws IOException {
        try (ZipFile zip = new ZipFile(file.toFile())) {
            Optional<? extends ZipEntry> entry = zip.stream()
                    .filter(each -> each.getName().endsWith("/extra/" + NetworkFile.PREPROCESS))
                    .findFirst();
            return entry.isPresent()
                    && new String(zip.getInputStream(entry.get()).readAllBytes(), StandardCharsets.UTF_8)
                            .equals("true");
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
