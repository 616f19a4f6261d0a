package io.github.convzoo.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.Blocks;
import ai.djl.nn.LambdaBlock;
import ai.djl.nn.ParallelBlock;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.nn.pooling.Pool;
import ai.djl.training.ParameterStore;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.github.convzoo.network.Reference;
import io.github.convzoo.network.Variant;
import io.github.convzoo.nn.BatchNorm2d;
import io.github.convzoo.nn.DynamicConv2d;
import io.github.convzoo.nn.ForeignNetwork;
import io.github.convzoo.nn.Sequence;
import io.github.convzoo.weights.ModelConfig;
import io.github.convzoo.weights.ModelFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Blocks that nobody here wrote, as files: the same outputs as the block itself, for batches of any size. */
class BlockExportTest {

    private final NDManager manager = NDManager.newBaseManager("PyTorch");

    @TempDir
    Path folder = Path.of("");

    @AfterEach
    void close() {
        manager.close();
    }

    private NDList forward(Block block, NDArray input) {
        return block.forward(new ParameterStore(manager, false), new NDList(input), false);
    }

    private static void assertClose(NDArray actual, NDArray expected) {
        assertThat(actual.getShape()).isEqualTo(expected.getShape());
        float scale = expected.abs().max().getFloat();
        assertThat(scale).isPositive();
        assertThat(expected.sub(actual).abs().max().getFloat()).isLessThanOrEqualTo(1e-5f * scale);
    }

    /** An input of random values on both sides of 0; maps of images, and vectors. */
    private NDArray input(Shape shape) {
        return shape.dimension() == 4
                ? Reference.image(manager, "block/", shape)
                : Reference.image(manager, "block/", new Shape(shape.get(0), 1, 1, shape.get(1)))
                        .reshape(shape);
    }

    private void assertExported(Block block, Shape shape) throws IOException {
        for (ExportOptions options : ExporterTest.files()) {
            ExportReport report = Exporter.of(block, shape).export(folder, options);
            assertThat(report.checks()).hasSize(1).allSatisfy(check -> assertThat(check.difference())
                    .isBetween(0.0, 1e-5));
            try (ExportedModel exported =
                    ExportRuntime.of(options.format()).get(0).open(report.file())) {
                for (int batch : new int[] {1, 2, 5}) {
                    NDArray input = input(new Shape(batch).addAll(shape.slice(1)));
                    NDList expected = forward(block, input);
                    NDList actual = exported.run(new NDList(input));
                    assertThat(actual).hasSameSizeAs(expected);
                    for (int i = 0; i < expected.size(); i++) {
                        assertClose(actual.get(i), expected.get(i));
                    }
                }
            }
        }
        assertThat(folder.toFile().list()).containsExactlyInAnyOrder("model.onnx", "model.pt");
    }

    @ParameterizedTest
    @EnumSource(ForeignNetwork.class)
    void export_ofAForeignNetwork_givesItsOutputs_forAnyBatch(ForeignNetwork network) throws IOException {
        assertExported(network.initialized(manager), network.input());
    }

    private static Arguments operation(String name, Shape shape, UnaryOperator<NDArray> operation) {
        return Arguments.of(name, shape, operation);
    }

    static Stream<Arguments> operations() {
        Shape map = new Shape(1, 4, 6, 5);
        Shape vector = new Shape(1, 6);
        return Stream.of(
                operation("softplus", map, Activation::softPlus),
                operation("selu", map, Activation::selu),
                operation("gelu", map, Activation::gelu),
                operation("gelu of a vector", vector, Activation::gelu),
                operation("elu", map, x -> Activation.elu(x, 0.5f)),
                operation("leaky relu", map, x -> Activation.leakyRelu(x, 0.2f)),
                operation("swish", map, x -> Activation.swish(x, 1)),
                operation("swish with a factor", map, x -> Activation.swish(x, 1.7f)),
                operation("relu6", map, Activation::relu6),
                operation("hard sigmoid", map, x -> Activation.relu6(x.add(3)).div(6)),
                operation("clip", map, x -> x.clip(-1, 2)),
                operation("lower bound", map, x -> x.maximum(-0.5)),
                operation(
                        "average pool, padding counted",
                        map,
                        x -> Pool.avgPool2d(x, new Shape(3, 3), new Shape(2, 1), new Shape(1, 1), false, true)),
                operation("number added to a vector", vector, x -> x.mul(2).add(0.5)),
                operation("vector scaled and shifted", vector, x -> x.mul(
                                x.getManager().create(new float[] {1, 2, 3, 4, 5, 6}))
                        .sub(x.getManager().create(new float[] {6, 5, 4, 3, 2, 1}))),
                operation("map scaled and shifted", map, x -> x.sub(
                                x.getManager().create(new float[] {1, 2, 3, 4}, new Shape(4, 1, 1)))
                        .div(x.getManager().create(new float[] {1, 2, 3, 4}, new Shape(1, 4, 1, 1)))),
                operation("square and negation", map, x -> x.mul(x).neg()),
                operation("range of channels", map, x -> x.get(":, 1:3").add(x.get(":, 2:"))),
                // A map as wide as it has channels: wrong sizes of a constant would be broadcast.
                operation(
                        "same numbers for a map and a vector",
                        new Shape(1, 5, 6, 5),
                        x -> Activation.sigmoid(Pool.globalAvgPool2d(
                                        Activation.tanh(Activation.relu(x).add(1)))
                                .add(1))),
                operation("same numbers for a vector and a map", new Shape(1, 5, 6, 5), x -> Activation.relu(
                                x.mul(Activation.sigmoid(Pool.globalAvgPool2d(x).add(1))
                                        .expandDims(-1)
                                        .expandDims(-1)))
                        .add(1)),
                operation("same vector for a map and a vector", new Shape(1, 5, 6, 5), x -> {
                    NDArray factors = x.getManager().create(new float[] {1, 2, 3, 4, 5});
                    return Pool.globalAvgPool2d(Activation.relu(x.mul(factors.reshape(5, 1, 1))))
                            .mul(factors);
                }),
                operation(
                        "gate by means",
                        map,
                        x -> x.mul(Pool.globalAvgPool2d(x).expandDims(-1).expandDims(-1))));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("operations")
    void export_ofAnOperation_computesIt(String name, Shape shape, UnaryOperator<NDArray> operation)
            throws IOException {
        assertExported(LambdaBlock.singleton(operation), shape);
    }

    private static Arguments chain(String name, String written, UnaryOperator<NDArray> operations) {
        return Arguments.of(name, written, operations);
    }

    static Stream<Arguments> chains() {
        return Stream.of(
                chain("relu6", "Clip", Activation::relu6),
                chain("bounds", "Clip", x -> Activation.relu(x.maximum(-1).clip(-3, 0.5))),
                chain("disjoint bounds", "Clip", x -> x.clip(-0.5, 0.5).clip(1, 2)),
                chain("factors", "Mul", x -> x.mul(2).div(3).neg()),
                chain("offsets", "Add", x -> x.add(2).sub(3)),
                chain(
                        "factors and offsets",
                        "Mul Add",
                        x -> x.mul(2).add(1).div(3).sub(4)),
                chain("factors per channel", "Mul Add", x -> x.mul(
                                x.getManager().create(new float[] {1, -2, 3, 4}, new Shape(1, 4, 1, 1)))
                        .add(0.25)
                        .mul(x.getManager().create(new float[] {5, 6, 7, -8}, new Shape(4, 1, 1)))),
                chain(
                        "no effect in between",
                        "Relu",
                        x -> Activation.relu(
                                Activation.relu(x.add(0).mul(1).sub(0).div(1)))),
                chain("reshapes", "Reshape", x -> x.reshape(x.getShape().get(0), 8, 15, 1)
                        .reshape(x.getShape().get(0), 2, 10, 6)),
                chain(
                        "reshapes to a vector and back",
                        "Relu",
                        x -> Activation.relu(x.flatten(1, 3).reshape(x.getShape()))),
                chain(
                        "concats",
                        "Concat",
                        x -> NDArrays.concat(
                                new NDList(
                                        x, NDArrays.concat(new NDList(x, x), 1), NDArrays.concat(new NDList(x, x), 1)),
                                1)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("chains")
    void export_ofAChain_writesOneOperation(String name, String written, UnaryOperator<NDArray> operations)
            throws IOException {
        Shape shape = new Shape(1, 4, 6, 5);
        assertExported(LambdaBlock.singleton(operations), shape);
        assertThat(OnnxFile.read(folder.resolve("model.onnx")).operators()).containsExactly(written.split(" ", -1));
    }

    @Test
    void export_ofABlockThatUsesItsSize_refusesOthers() throws IOException {
        Block block = LambdaBlock.singleton(x -> x.div(x.getShape().get(2)));
        Shape shape = new Shape(1, 4, 6, 5);
        assertExported(block, shape);
        for (ExportOptions options : ExporterTest.files()) {
            Exporter.of(block, shape).export(folder, options);
            try (ExportedModel exported = ExportRuntime.of(options.format())
                    .get(0)
                    .open(folder.resolve(options.format().file()))) {
                for (Shape other : List.of(new Shape(1, 4, 5, 6), new Shape(1, 4, 12, 5), new Shape(2, 4, 3, 5))) {
                    NDList input = new NDList(input(other));
                    assertThatExceptionOfType(RuntimeException.class).isThrownBy(() -> exported.run(input));
                }
            }
        }
    }

    @Test
    void export_ofABlockThatChangesItsInput_givesItsOutputs() throws IOException {
        Block block = LambdaBlock.singleton(x -> x.addi(1).mul(2));
        for (ExportOptions options : ExporterTest.files()) {
            assertThat(Exporter.of(block, new Shape(1, 4))
                            .export(folder, options)
                            .checks())
                    .allSatisfy(check -> assertThat(check.difference()).isLessThan(1e-5));
        }
    }

    private Path foreign(int type) throws IOException {
        ProtobufMessage sizes = new ProtobufMessage()
                .message(1, new ProtobufMessage().text(2, "N"))
                .message(1, new ProtobufMessage().integer(1, 2));
        ProtobufMessage graph = new ProtobufMessage()
                .message(
                        1,
                        new ProtobufMessage()
                                .text(1, "input")
                                .text(2, "output")
                                .text(4, "Cast")
                                .message(
                                        5,
                                        new ProtobufMessage()
                                                .text(1, "to")
                                                .integer(3, type)
                                                .integer(20, 2)))
                .text(2, "graph")
                .message(11, value("input", 1, sizes))
                .message(12, value("output", type, sizes));
        return Files.write(
                folder.resolve("foreign" + type + ".onnx"),
                new ProtobufMessage()
                        .integer(1, 8)
                        .message(8, new ProtobufMessage().integer(2, 13))
                        .message(7, graph)
                        .toBytes());
    }

    private static ProtobufMessage value(String name, int type, ProtobufMessage sizes) {
        ProtobufMessage tensor = new ProtobufMessage().integer(1, type).message(2, sizes);
        return new ProtobufMessage().text(1, name).message(2, new ProtobufMessage().message(1, tensor));
    }

    @ParameterizedTest(name = "ONNX type {0}")
    @ValueSource(ints = {1, 10, 11})
    void foreignFile_ofAnyFloatingPointType_givesItsValues(int type) throws IOException {
        try (ExportedModel model = ExportRuntime.ONNX_RUNTIME.open(foreign(type))) {
            NDArray input = manager.create(new float[] {0.5f, -2, 3, 1000}, new Shape(2, 2));
            NDArray output = model.run(new NDList(input)).singletonOrThrow();
            assertThat(output.getDataType()).isEqualTo(DataType.FLOAT32);
            assertThat(output.getShape()).isEqualTo(new Shape(2, 2));
            assertThat(output.toFloatArray()).containsExactly(0.5f, -2, 3, 1000);
        }
    }

    @ParameterizedTest(name = "ONNX type {0}")
    @ValueSource(ints = {6, 7, 9})
    void foreignFile_ofOtherTypes_isRefused(int type) throws IOException {
        Path file = foreign(type);
        assertThatIOException()
                .isThrownBy(() -> ExportRuntime.ONNX_RUNTIME.open(file))
                .withMessage(
                        file + ": the output output must be a tensor of one of the types [FLOAT, DOUBLE, FLOAT16]");
    }

    @Test
    void export_ofFactorsAfterLayers_foldsThem() throws IOException {
        Block block = new SequentialBlock()
                .add(conv(4, 3, 1))
                .add(BatchNorm.builder().build())
                .add(LambdaBlock.singleton(x -> x.mul(0.5).add(1)))
                .add(Blocks.batchFlattenBlock())
                .add(Linear.builder().setUnits(5).build())
                .add(LambdaBlock.singleton(x -> x.sub(3).div(2)));
        Reference.initialize(block, manager, "folded/", new Shape(1, 4, 6, 5));
        assertExported(block, new Shape(1, 4, 6, 5));
        assertThat(OnnxFile.read(folder.resolve("model.onnx")).operators()).containsExactly("Conv", "Flatten", "Gemm");
    }

    @Test
    void numbers_thatAreUsedTwice_areWrittenOnce() throws IOException {
        Path file = Exporter.of(LambdaBlock.singleton(x -> Activation.gelu(Activation.gelu(x))), new Shape(1, 6))
                .export(folder, ExportOptions.onnx())
                .file();
        OnnxFile written = OnnxFile.read(file);
        assertThat(written.count("Erf")).isEqualTo(2);
        assertThat(written.initializers()).isNotEmpty().doesNotHaveDuplicates();
    }

    @Test
    void pooledMap_thatOnlyConvolutionsRead_isNotFlattened() throws IOException {
        Block block = new SequentialBlock().add(new DynamicConv2d(DynamicConv2d.Spec.of(6, 8, 3, 3)));
        Reference.initialize(block, manager, "pooled/", new Shape(1, 6, 8, 8));
        Path file = Exporter.of(block, new Shape(1, 6, 8, 8))
                .export(folder, ExportOptions.onnx())
                .file();
        OnnxFile written = OnnxFile.read(file);
        assertThat(written.count("GlobalAveragePool")).isEqualTo(1);
        assertThat(written.count("Flatten")).isZero();
    }

    @Test
    void export_ofASequenceWithPartsOfConvZoo_givesItsOutputs() throws IOException {
        Block branch = new SequentialBlock()
                .add(new DynamicConv2d(DynamicConv2d.Spec.of(6, 8, 3, 3)))
                .add(new BatchNorm2d())
                .add(Activation.leakyReluBlock(0.1f));
        Block flow = new Sequence()
                .add("conv", conv(8, 3, 1))
                .add("pool", Pool.maxPool2dBlock(new Shape(3, 3), new Shape(1, 1), new Shape(1, 1)));
        Block block = new SequentialBlock()
                .add(conv(6, 3, 2))
                .add(BatchNorm.builder().optEpsilon(1e-3f).build())
                .add(new ParallelBlock(
                        parts -> new NDList(parts.get(0).head().add(parts.get(1).head())), List.of(branch, flow)))
                .add(Pool.globalAvgPool2dBlock())
                .add(Linear.builder().setUnits(5).build());
        Reference.initialize(block, manager, "parts/", new Shape(1, 3, 17, 21));
        assertExported(block, new Shape(1, 3, 17, 21));
    }

    private static Block conv(int filters, int kernel, int stride) {
        return Conv2d.builder()
                .setFilters(filters)
                .setKernelShape(new Shape(kernel, kernel))
                .optStride(new Shape(stride, stride))
                .optPadding(new Shape(1, 1))
                .build();
    }

    @Test
    void export_ofABlockOfSeveralOutputs_namesEach() throws IOException, OrtException {
        Block block = new SequentialBlock()
                .add(conv(4, 3, 1))
                .add(Activation.reluBlock())
                .setReturnIntermediate(true);
        Reference.initialize(block, manager, "outputs/", new Shape(1, 3, 8, 8));
        assertExported(block, new Shape(1, 3, 8, 8));
        try (OrtSession session = OrtEnvironment.getEnvironment()
                .createSession(folder.resolve("model.onnx").toString())) {
            assertThat(session.getOutputNames()).containsExactly("output_0", "output_1");
            assertThat(session.getMetadata().getCustomMetadata()).containsEntry("model", "SequentialBlock");
        }
    }

    @Test
    void export_ofOptionsThatNeedAConfiguration_isRefused() {
        Exporter exporter = Exporter.of(Activation.reluBlock(), new Shape(1, 3, 8, 8));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> exporter.export(folder, ExportOptions.onnx().withPreprocess(true)))
                .withMessage("a LambdaBlock has no known preprocessing, feature maps, or classifier;"
                        + " export it without these options");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> exporter.export(folder, ExportOptions.onnx().withFeatures(true)))
                .withMessageContaining("no known preprocessing, feature maps, or classifier");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> exporter.export(folder, ExportOptions.onnx().withClassMaps(true)))
                .withMessageContaining("no known preprocessing, feature maps, or classifier");
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void export_ofABlockThatDoesNothing_isRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Exporter.of(Blocks.identityBlock(), new Shape(1, 3, 8, 8))
                        .export(folder, ExportOptions.onnx()))
                .withMessage("the outputs are the input, so there is nothing to export");
    }

    @Test
    void export_ofABlock_intoTheFolderOfANetwork_isRefused() throws IOException {
        Variant variant = Variant.of("dla46_c");
        ModelConfig config = ModelConfig.usual(variant);
        ModelFolder.writeConfig(folder, config);
        assertThatIOException()
                .isThrownBy(() -> Exporter.of(Activation.reluBlock(), new Shape(1, 3, 8, 8))
                        .export(folder, ExportOptions.onnx()))
                .withMessageContaining("has another model (dla46_c)");
        assertThat(folder.resolve("model.onnx")).doesNotExist();
    }

    @Test
    void export_ofANetworkWithAForeignBlock_looksInside() throws IOException {
        Sequence flow = new Sequence()
                .add("stem", conv(8, 3, 2))
                .add("foreign", new SequentialBlock().add(conv(6, 3, 1)).add(Activation.reluBlock()));
        Reference.initialize(flow, manager, "inside/", new Shape(1, 3, 16, 16));
        assertExported(flow, new Shape(1, 3, 16, 16));
        assertThat(Files.size(folder.resolve("model.onnx"))).isGreaterThan(4L * (8 * 27 + 6 * 72));
    }
}
