package io.github.convzoo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.TranslateException;
import io.github.convzoo.Samples;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.checkpoint.ElementType;
import io.github.convzoo.checkpoint.Npy;
import io.github.convzoo.checkpoint.Tensor;
import io.github.convzoo.image.Normalization;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.network.AlexNetVariant;
import io.github.convzoo.network.DpnVariant;
import io.github.convzoo.network.Reference;
import io.github.convzoo.nn.DynamicConv2d;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.LoadOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ForwardCommandTest {

    private static final LoadOptions OPTIONS = LoadOptions.of(Samples.PELEENET)
            .withPreprocessing(Preprocessing.unresized(32, 32, Normalization.IMAGENET))
            .withDevice(Device.cpu());

    private final Path folder;

    ForwardCommandTest(@TempDir Path folder) {
        this.folder = folder;
    }

    @Test
    void forward_ofABatch_savesTheLogitsBitForBit() throws IOException, TranslateException {
        float[] input = input(3, 3, 32);
        float[] logits = forward(input, new long[] {3, 3, 32, 32}, new Shape(3, 10), args());

        assertThat(logits).isEqualTo(direct("peleenet", OPTIONS, input, new Shape(3, 3, 32, 32), 1));
    }

    @Test
    void forward_withOtherChannels_adaptsTheNetwork() throws IOException, TranslateException {
        float[] input = input(2, 1, 32);
        float[] logits = forward(input, new long[] {2, 1, 32, 32}, new Shape(2, 10), args("--in-channels", 1));

        assertThat(logits).isEqualTo(direct("peleenet", OPTIONS.withInChannels(1), input, new Shape(2, 1, 32, 32), 1));
    }

    @Test
    void forward_withoutClasses_savesFeatures() throws IOException {
        float[] features =
                forward(input(1, 3, 32), new long[] {1, 3, 32, 32}, new Shape(1, 704), args("--num-classes", 0));

        assertThat(features).doesNotContain(Float.NaN);
    }

    @Test
    void forward_atATemperature_mixesTheExpertsMoreEvenly() throws IOException, TranslateException {
        Shape shape = new Shape(1, 3, 64, 64);
        Path weights = Samples.write(
                folder.resolve("alexnet_dy.safetensors"), Samples.state(AlexNetVariant.ALEXNET_DY.build(), shape));
        LoadOptions options =
                LoadOptions.of(weights).withPreprocessing(square(64)).withDevice(Device.cpu());
        float[] input = input(1, 3, 64);
        List<Object> args = List.of("forward", "--model", "alexnet_dy", "--weights", weights);
        List<Object> warm = new ArrayList<>(args);
        warm.addAll(List.of("--temperature", 30));
        float[] plain = forward(input, shape.getShape(), new Shape(1, 10), args);
        float[] even = forward(input, shape.getShape(), new Shape(1, 10), warm);

        assertThat(plain).isEqualTo(direct("alexnet_dy", options, input, shape, 1));
        assertThat(even)
                .isEqualTo(direct("alexnet_dy", options, input, shape, 30))
                .isNotEqualTo(plain);
        write(input, shape.getShape());
        for (String wrong : List.of("0", "-1", "NaN", "Infinity")) {
            List<Object> refused = new ArrayList<>(inAndOut(args));
            refused.addAll(List.of("--temperature", wrong));
            Run.refused(2, refused, "temperature");
        }
    }

    @Test
    void forward_withWhatTheNetworkDoesNotHave_isRefused() throws IOException {
        write(input(1, 3, 32), 1, 3, 32, 32);
        Run.refused(2, inAndOut(args("--temperature", 30)), "peleenet has no dynamic convolution; omit it");
        Run.refused(2, inAndOut(args("--test-time-pool")), "test_time_pool is an option of DPN only");
        assertThat(folder.resolve("out.npy")).doesNotExist();
    }

    @Test
    void forward_withTestTimePoolingOfASmallInput_isRefused() throws IOException {
        DpnVariant dpn = DpnVariant.DPN68;
        Path weights = Samples.write(
                folder.resolve("dpn68.safetensors"),
                Samples.state(dpn.build(dpn.options().withNumClasses(2)), new Shape(1, 3, 32, 32)));
        write(input(1, 3, 64), 1, 3, 64, 64);
        List<Object> args = List.of("forward", "--model", "dpn68", "--weights", weights, "--test-time-pool");
        Run.refused(2, inAndOut(args), "at least 193 pixels for test-time pooling, not 64 x 64");

        float[] logits = forward(input(1, 3, 224), new long[] {1, 3, 224, 224}, new Shape(1, 2), args);
        assertThat(logits).doesNotContain(Float.NaN);
    }

    @Test
    void forward_ofAnArrayThatDoesNotFit_saysWhatWould() throws IOException {
        Path in = folder.resolve("in.npy");
        write(input(1, 1, 32), 1, 1, 32, 32);
        Run.refused(
                1,
                inAndOut(args()),
                in + ": has 1 channels, but the network takes 3; pass --in-channels 1 to adapt it");
        write(input(1, 3, 32), 3, 32, 32);
        Run.refused(
                1,
                inAndOut(args()),
                in + ": is F32 of shape (3, 32, 32); expected float32 (F32) of shape (N, channels");
        write(new float[0], 0, 3, 32, 32);
        Run.refused(1, inAndOut(args()), in + ": is F32 of shape (0, 3, 32, 32)");
        Npy.write(in, Samples.zeros("", ElementType.F64, 1, 3, 32, 32));
        Run.refused(1, inAndOut(args()), in + ": is F64 of shape (1, 3, 32, 32)");
        write(input(1, 3, 33), 1, 3, 33, 33);
        Run.refused(2, inAndOut(args()), "peleenet expects", "not 33 x 33");
        assertThat(folder.resolve("out.npy")).doesNotExist();
    }

    @Test
    void forward_ofAFileThatIsNoArray_namesIt() throws IOException {
        Path in = folder.resolve("in.npy");
        Run.refused(1, inAndOut(args()), in + ": ");
        Files.writeString(in, "no array");
        Run.refused(1, inAndOut(args()), in + ": ");
        write(input(1, 3, 32), 1, 3, 32, 32);
        Files.write(in, Arrays.copyOf(Files.readAllBytes(in), 500));
        Run.refused(1, inAndOut(args()), in + ": ", "truncated");
    }

    @Test
    void forward_intoNoFolder_namesTheFile() throws IOException {
        write(input(1, 3, 32), 1, 3, 32, 32);
        Path out = folder.resolve("none").resolve("out.npy");
        List<Object> args = new ArrayList<>(args("--input", folder.resolve("in.npy"), "--output", out));
        Run.refused(1, args, out + ": ");
    }

    @Test
    void forward_withOtherClasses_isRefused() throws IOException {
        write(input(1, 3, 32), 1, 3, 32, 32);
        Run.refused(1, inAndOut(args("--num-classes", 7)), "have 10 classes, not 7; request 10");
        Run.refused(2, inAndOut(args("--num-classes", -7)), "not -7");
    }

    private float[] forward(float[] input, long[] shape, Shape expected, List<Object> args) throws IOException {
        write(input, shape);
        Path out = folder.resolve("out.npy");
        boolean again = Files.exists(out);
        Run run = Run.of(inAndOut(args).toArray());
        assertThat(run.status()).isZero();
        assertThat(run.out()).isEmpty();
        assertThat(run.err()).isEqualToIgnoringNewLines(again ? "convzoo: replaced " + out : "");
        Tensor logits = Npy.read(folder.resolve("out.npy"));
        assertThat(logits.type()).isEqualTo(ElementType.F32);
        assertThat(logits.shape()).isEqualTo(expected.getShape());
        return Samples.floats(logits);
    }

    private static float[] direct(String name, LoadOptions options, float[] input, Shape shape, float temperature)
            throws IOException, TranslateException {
        try (ZooModel<NDList, NDList> model = ConvZoo.loadLogits(name, options);
                Predictor<NDList, NDList> predictor = model.newPredictor();
                NDManager manager = model.getNDManager().newSubManager()) {
            if (temperature != 1) {
                assertThat(DynamicConv2d.setTemperature(model.getBlock(), temperature))
                        .isPositive();
            }
            NDArray batch = manager.create(input, shape);
            return predictor.predict(new NDList(batch)).singletonOrThrow().toFloatArray();
        }
    }

    private static float[] input(int samples, int channels, int side) {
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            return Reference.image(manager, "forward", new Shape(samples, channels, side, side))
                    .toFloatArray();
        }
    }

    private static Preprocessing square(int side) {
        return Preprocessing.unresized(side, side, Normalization.IMAGENET);
    }

    private void write(float[] values, long... shape) throws CheckpointException {
        Npy.write(folder.resolve("in.npy"), Samples.tensor("", values, shape));
    }

    private List<Object> inAndOut(List<Object> args) {
        List<Object> all = new ArrayList<>(args);
        all.addAll(List.of("--input", folder.resolve("in.npy"), "--output", folder.resolve("out.npy")));
        return all;
    }

    private static List<Object> args(Object... more) {
        List<Object> args = new ArrayList<>(List.of("forward", "--model", "peleenet", "--weights", Samples.PELEENET));
        args.addAll(List.of(more));
        return args;
    }
}
