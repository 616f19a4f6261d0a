package io.github.convzoo.export;

import ai.djl.Device;
import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.nio.file.Path;

/** A file in DJL's PyTorch engine. */
final class TorchScriptModel implements ExportedModel {

    private final Model model;

    private TorchScriptModel(Model model) {
        this.model = model;
    }

    static TorchScriptModel open(Path file) throws IOException {
        Model model = Model.newInstance(String.valueOf(file.getFileName()), Device.cpu(), "PyTorch");
        try {
            model.load(file.toAbsolutePath().getParent(), String.valueOf(file.getFileName()));
            return new TorchScriptModel(model);
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

    @Override
    public void close() {
        model.close();
    }
}
