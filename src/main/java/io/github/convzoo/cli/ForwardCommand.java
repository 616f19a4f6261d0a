package io.github.convzoo.cli;

import ai.djl.Device;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.repository.zoo.ZooModel;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.checkpoint.ElementType;
import io.github.convzoo.checkpoint.Npy;
import io.github.convzoo.checkpoint.Tensor;
import io.github.convzoo.image.Normalization;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.network.Network;
import io.github.convzoo.nn.DynamicConv2d;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.LoadOptions;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(
        name = "forward",
        description = "Run a network on an array and save its logits.",
        footer = {
            "",
            "Example:",
            "  convzoo forward --model dla34 --weights dla34.safetensors --input batch.npy --output logits.npy"
        })
final class ForwardCommand implements Callable<Integer> {

    @Spec
    CommandSpec spec = CommandSpec.create();

    @ParentCommand
    Main main = Main.inProcess();

    @Mixin
    ModelOptions model = new ModelOptions();

    @Option(
            names = "--input",
            paramLabel = "IN.npy",
            required = true,
            description = "The preprocessed input: float32 of shape (N, channels, H, W).")
    Path input = Path.of("");

    @Option(
            names = "--output",
            paramLabel = "OUT.npy",
            required = true,
            description = "The file for the logits, float32 of shape (N, classes); replaced if it exists.")
    Path output = Path.of("");

    @Option(
            names = "--in-channels",
            paramLabel = "C",
            description = "The number of input channels; the first convolution is adapted to it. Default: the model's.")
    @Nullable Integer inChannels;

    @Option(names = "--test-time-pool", description = "DPN's test-time pooling, for inputs larger than 224.")
    boolean testTimePool;

    @Option(
            names = "--temperature",
            paramLabel = "T",
            description = "The temperature of dynamic convolutions' attention. Default: 1.")
    @Nullable Float temperature;

    @Mixin
    ComputeOptions compute = new ComputeOptions();

    @Mixin
    CommonOptions common = new CommonOptions();

    @Override
    public Integer call() throws Exception {
        model.requireModel();
        OutputFile.requireFile("--output", output);
        OutputFile.Existing existing = OutputFile.Existing.among(output);
        Optional<Device> device = compute.apply();
        Tensor array = Npy.read(input);
        long[] shape = array.shape();
        if (shape.length != 4 || array.type() != ElementType.F32 || array.size() == 0) {
            throw new CheckpointException(
                    input,
                    -1,
                    null,
                    "is " + array.type() + " of shape " + new Shape(shape)
                            + "; expected float32 (F32) of shape (N, channels, H, W)",
                    null);
        }
        LoadOptions options = model.options(main, common, spec.commandLine().getErr())
                .withTestTimePool(testTimePool)
                .withPreprocessing(Preprocessing.unresized(
                        Math.toIntExact(shape[2]), Math.toIntExact(shape[3]), Normalization.IMAGENET));
        if (inChannels != null) {
            options = options.withInChannels(inChannels);
        }
        if (device.isPresent()) {
            options = options.withDevice(device.get());
        }
        try (ZooModel<NDList, NDList> loaded = ConvZoo.loadLogits(model.model, options);
                Predictor<NDList, NDList> predictor = loaded.newPredictor();
                NDManager manager = loaded.getNDManager().newSubManager()) {
            int takes = ((Network) loaded.getBlock()).options().inChannels();
            if (shape[1] != takes) {
                throw new CheckpointException(
                        input,
                        -1,
                        null,
                        "has " + shape[1] + " channels, but the network takes " + takes + "; pass --in-channels "
                                + shape[1] + " to adapt it",
                        null);
            }
            if (temperature != null && DynamicConv2d.setTemperature(loaded.getBlock(), temperature) == 0) {
                throw new IllegalArgumentException(
                        "--temperature: " + model.model + " has no dynamic convolution; omit it");
            }
            ByteBuffer values = ByteBuffer.allocateDirect(Math.toIntExact(array.size() * Float.BYTES))
                    .order(ByteOrder.nativeOrder());
            array.toFloats(values.asFloatBuffer());
            NDArray batch = manager.create(values, new Shape(shape), DataType.FLOAT32);
            NDArray logits = predictor.predict(new NDList(batch)).singletonOrThrow();
            if (logits.isNaN().any().getBoolean()) {
                spec.commandLine()
                        .getErr()
                        .println("convzoo: " + input + ": " + model.givesNan() + "; " + output + " contains NaN");
            }
            Npy.write(
                    output,
                    Tensor.of("logits", ElementType.F32, logits.getShape().getShape(), logits.toByteBuffer()));
            existing.sayReplaced(spec.commandLine().getErr());
        }
        return Main.DONE;
    }
}
