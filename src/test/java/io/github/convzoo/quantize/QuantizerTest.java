package io.github.convzoo.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Blocks;
import ai.djl.nn.Parameter;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.pooling.Pool;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.NormalInitializer;
import io.github.convzoo.data.BatchLoader;
import io.github.convzoo.data.LoaderOptions;
import io.github.convzoo.data.Samples;
import io.github.convzoo.export.ExportRuntime;
import io.github.convzoo.export.ExportedModel;
import io.github.convzoo.graph.Constant;
import io.github.convzoo.graph.Graph;
import io.github.convzoo.graph.Node;
import io.github.convzoo.graph.Op;
import io.github.convzoo.graph.Quantize;
import io.github.convzoo.graph.Value;
import io.github.convzoo.graph.Window;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QuantizerTest {

    private static final Shape IMAGE = new Shape(3, 16, 16);

    @TempDir
    Path folder = Path.of("");

    private final NDManager manager = NDManager.newBaseManager("PyTorch");
    private final SequentialBlock block = new SequentialBlock();

    @BeforeEach
    void makeBlock() {
        manager.getEngine().setRandomSeed(3);
        block.add(conv(32, 1))
                .add(Activation.reluBlock())
                .add(conv(32, 8))
                .add(Activation.reluBlock())
                .add(Pool.maxPool2dBlock(new Shape(2, 2), new Shape(2, 2)))
                .add(Pool.globalAvgPool2dBlock())
                .add(Blocks.batchFlattenBlock())
                .add(Linear.builder().setUnits(5).build());
        block.setInitializer(new NormalInitializer(0.3f), Parameter.Type.WEIGHT);
        block.initialize(manager, DataType.FLOAT32, new Shape(1).addAll(IMAGE));
    }

    private static Conv2d conv(int filters, int groups) {
        return Conv2d.builder()
                .setKernelShape(new Shape(3, 3))
                .optPadding(new Shape(1, 1))
                .setFilters(filters)
                .optGroups(groups)
                .build();
    }

    @AfterEach
    void close() {
        manager.close();
    }

    private Quantizer quantizer() {
        return Quantizer.of(block, new Shape(1).addAll(IMAGE));
    }

    private QuantizationReport quantize(QuantizeOptions options, BatchLoader images) throws Exception {
        return quantizer().quantize(folder, options, images, done -> {});
    }

    /** Samples of given values. */
    private static BatchLoader samples(int count, int classes, IntFunction<float[]> values) {
        Samples samples = new Samples() {
            @Override
            public int size() {
                return count;
            }

            @Override
            public List<String> classes() {
                return List.of("a", "b");
            }

            @Override
            public int label(int index) {
                return index % classes;
            }

            @Override
            public String name(int index) {
                return "sample";
            }

            @Override
            public Shape shape() {
                return IMAGE;
            }

            @Override
            public void read(int index, RandomGenerator random, float[] target) {
                System.arraycopy(values.apply(index), 0, target, 0, target.length);
            }
        };
        return new BatchLoader(samples, LoaderOptions.evaluation(4), bad -> {});
    }

    private static float[] noise(int index) {
        float[] target = new float[(int) IMAGE.size()];
        new Noise(1, IMAGE).read(index, RandomGenerator.getDefault(), target);
        return target;
    }

    @Test
    void quantize_ofAnyBlock_givesAFileThatAgrees() throws Exception {
        List<Integer> progress = new ArrayList<>();
        QuantizedNetwork network =
                quantizer().calibrate(QuantizeOptions.onnx(), Noise.batches(20, 8, IMAGE), progress::add);
        QuantizationReport report = network.write(folder);
        assertThat(progress).containsExactly(8, 16, 20);
        assertThat(report.images()).isEqualTo(20);
        assertThat(report.layers()).isEqualTo(3);
        assertThat(report.floats()).isEmpty();
        assertThat(report.notes()).isEmpty();
        assertThat(report.written().checks().get(0).difference()).isLessThan(0.02);
        Agreement agreement = network.compare(report, Noise.batches(100, 8, IMAGE), done -> {});
        assertThat(agreement.images()).isEqualTo(100);
        assertThat(agreement.share()).isGreaterThan(0.9);
        assertThat(new String(
                        Files.readAllBytes(report.written().file()), java.nio.charset.StandardCharsets.ISO_8859_1))
                .contains("quantization", "8-bit weights, mse, 20 images");
    }

    @Test
    void compare_countsClassesAndLabels() throws Exception {
        // Calibrated with images of little contrast, it takes others for other classes.
        QuantizedNetwork network = quantizer()
                .calibrate(
                        QuantizeOptions.onnx(),
                        samples(16, 2, index -> {
                            float[] image = noise(index);
                            for (int i = 0; i < image.length; i++) {
                                image[i] *= 0.05f;
                            }
                            return image;
                        }),
                        done -> {});
        QuantizationReport report = network.write(folder);
        int same = 0;
        int correct = 0;
        int quantizedCorrect = 0;
        try (ExportedModel model =
                ExportRuntime.ONNX_RUNTIME.open(report.written().file())) {
            for (int i = 0; i < 50; i++) {
                NDList input = new NDList(manager.create(noise(i), new Shape(1).addAll(IMAGE)));
                long expected = best(block.forward(new ParameterStore(manager, false), input, false));
                long actual = best(model.run(input));
                same += expected == actual ? 1 : 0;
                correct += expected == i % 2 ? 1 : 0;
                quantizedCorrect += actual == i % 2 ? 1 : 0;
            }
        }
        // So that none of the counts can stand for another.
        assertThat(same).isBetween(1, 49);
        assertThat(correct).isNotEqualTo(quantizedCorrect);
        assertThat(network.compare(report, Noise.batches(50, 7, IMAGE), done -> {}))
                .isEqualTo(new Agreement(50, same, correct, quantizedCorrect));
        assertThat(new Agreement(10, 9, 8, 7)).satisfies(agreement -> {
            assertThat(agreement.share()).isEqualTo(0.9);
            assertThat(agreement.floatAccuracy()).isEqualTo(0.8);
            assertThat(agreement.quantizedAccuracy()).isEqualTo(0.7);
        });
    }

    private static long best(NDList outputs) {
        return outputs.get(0).argMax(1).toLongArray()[0];
    }

    @Test
    void layerErrors_nameEveryLayer_theWorstFirst() throws Exception {
        List<LayerError> errors = quantizer()
                .calibrate(QuantizeOptions.onnx(), Noise.batches(16, 8, IMAGE), done -> {})
                .layerErrors(done -> {});
        assertThat(errors).hasSize(3).extracting(LayerError::error).isSortedAccordingTo((a, b) -> Double.compare(b, a));
        assertThat(errors).extracting(LayerError::error).allMatch(error -> error > 0 && error < 0.1);
        assertThat(errors).extracting(LayerError::layer).doesNotHaveDuplicates();
    }

    @Test
    void keptLayers_areInFloats_andTheirErrorsAreGone() throws Exception {
        List<String> names = quantizer()
                .calibrate(QuantizeOptions.onnx(), Noise.batches(16, 8, IMAGE), done -> {})
                .layerErrors(done -> {})
                .stream()
                .map(LayerError::layer)
                .sorted()
                .toList();
        QuantizeOptions options = QuantizeOptions.onnx().withFloats(List.of(names.get(0), "*Linear"));
        QuantizedNetwork network = quantizer().calibrate(options, Noise.batches(16, 8, IMAGE), done -> {});
        assertThat(network.layerErrors(done -> {}))
                .extracting(LayerError::layer)
                .containsExactly(names.get(1));
        QuantizationReport report = network.write(folder);
        assertThat(report.layers()).isEqualTo(1);
        assertThat(report.floats()).containsExactly(names.get(0), names.get(2));
    }

    @Test
    void keptName_standsForWhatIsBelowIt() {
        Graph.Builder builder = new Graph.Builder();
        Value x = builder.input();
        for (String name : List.of("stem.a", "stem.b", "stemmed", "fc")) {
            x = builder.add(
                            name,
                            new Op.Convolution(new Constant.Parameter(name), null, 8, Window.square(1, 1, 0), 1),
                            List.of(x))
                    .output();
        }
        Graph graph = builder.build(List.of(x));
        assertThat(Quantize.layers(graph).stream()
                        .filter(LayerNames.of(List.of("stem", "f*"), graph))
                        .map(Node::name))
                .containsExactly("stem.a", "stem.b", "fc");
    }

    @Test
    void keptLayer_thatIsNone_isRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(
                        () -> quantize(QuantizeOptions.onnx().withFloats(List.of("head")), Noise.batches(16, 8, IMAGE)))
                .withMessageContaining("head matches no layer; choose from ");
        assertThat(folder.toFile().list()).isEmpty();
    }

    @Test
    void weightsOf7Bits_areSaid_andLessExact() throws Exception {
        double eight = total(QuantizeOptions.onnx());
        double seven = total(QuantizeOptions.onnx().withWeightBits(7));
        assertThat(seven).isGreaterThan(eight);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> QuantizeOptions.onnx().withWeightBits(6));
    }

    private double total(QuantizeOptions options) throws Exception {
        return quantizer().calibrate(options, Noise.batches(16, 8, IMAGE), done -> {}).layerErrors(done -> {}).stream()
                .mapToDouble(LayerError::error)
                .sum();
    }

    @Test
    void images_thatAreFew_orOfOneClass_orPlain_areNamed() throws Exception {
        assertThat(quantize(QuantizeOptions.onnx(), samples(15, 2, QuantizerTest::noise))
                        .notes())
                .containsExactly("calibrated with only 15 images; use at least 16, better a few hundred");
        assertThat(quantize(QuantizeOptions.onnx(), samples(16, 1, QuantizerTest::noise))
                        .notes())
                .containsExactly("all calibration images are of one class; include every class");
        assertThat(quantize(
                                QuantizeOptions.onnx(),
                                samples(16, 2, i -> i < 3 ? new float[(int) IMAGE.size()] : noise(i)))
                        .notes())
                .containsExactly("3 of 16 calibration images have a single color");
    }

    @Test
    void images_thatAreAllPlain_areRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> quantize(QuantizeOptions.onnx(), samples(16, 2, i -> {
                    float[] color = new float[(int) IMAGE.size()];
                    java.util.Arrays.fill(color, 0, 256, i);
                    return color;
                })))
                .withMessageContaining("every image has a single color");
        assertThat(folder.toFile().list()).isEmpty();
    }

    @Test
    void images_withNan_areRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> quantize(QuantizeOptions.onnx(), samples(16, 2, i -> {
                    float[] image = noise(i);
                    image[5] = Float.NaN;
                    return image;
                })))
                .withMessageContaining("not finite");
    }

    @Test
    void block_withoutLayers_isRefused() {
        SequentialBlock empty = new SequentialBlock().add(Activation.reluBlock());
        empty.initialize(manager, DataType.FLOAT32, new Shape(1).addAll(IMAGE));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Quantizer.of(empty, new Shape(1).addAll(IMAGE))
                        .quantize(folder, QuantizeOptions.onnx(), Noise.batches(16, 8, IMAGE), done -> {}))
                .withMessage("no layer to quantize; keep fewer layers in float");
    }

    @Test
    void folder_thatCannotBeWritten_isNamed() throws Exception {
        Path file = Files.writeString(folder.resolve("file"), "");
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() ->
                        quantizer().quantize(file, QuantizeOptions.onnx(), Noise.batches(16, 8, IMAGE), done -> {}))
                .withMessageContaining("file: is a file; pass a folder");
    }
}
