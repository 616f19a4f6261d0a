package io.github.convzoo.zoo;

import ai.djl.Device;
import ai.djl.ndarray.NDList;
import ai.djl.repository.zoo.ZooModel;
import java.nio.file.Path;

/** Loads a model in a process of its own: its name, its file. Prints how many tensors were loaded. */
final class LoadMain {

    private LoadMain() {}

    public static void main(String[] args) throws Exception {
        LoadOptions options = LoadOptions.of(Path.of(args[1]))
                .withDevice(Device.cpu())
                .withOnLoaded(report -> System.out.println(report.loaded().size()));
        try (ZooModel<NDList, NDList> model = ConvZoo.loadLogits(args[0], options)) {
            System.out.println(model.getName());
        }
    }
}
