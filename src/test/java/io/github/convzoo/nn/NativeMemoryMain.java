package io.github.convzoo.nn;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.github.convzoo.export.ExportRuntime;
import io.github.convzoo.network.Variant;
import java.nio.file.Path;

/** Initializes a network, or opens the TorchScript that is the only argument, in a process of its own. */
final class NativeMemoryMain {

    private NativeMemoryMain() {}

    public static void main(String[] args) throws Exception {
        if (args.length == 1) {
            ExportRuntime.TORCHSCRIPT.open(Path.of(args[0]), Device.cpu()).close();
        } else {
            try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
                Variant.of("peleenet").build().initialize(manager, DataType.FLOAT32, new Shape(1, 3, 32, 32));
            }
        }
    }
}
