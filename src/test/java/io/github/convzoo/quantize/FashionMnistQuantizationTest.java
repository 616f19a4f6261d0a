package io.github.convzoo.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.within;

import ai.djl.inference.Predictor;
import ai.djl.modality.Classifications;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.repository.zoo.ZooModel;
import io.github.convzoo.data.Batch;
import io.github.convzoo.data.BatchLoader;
import io.github.convzoo.data.Epoch;
import io.github.convzoo.data.FashionMnist;
import io.github.convzoo.data.LabeledImages;
import io.github.convzoo.data.LoaderOptions;
import io.github.convzoo.data.Pipeline;
import io.github.convzoo.data.Subset;
import io.github.convzoo.export.ExportOptions;
import io.github.convzoo.export.ExportRuntime;
import io.github.convzoo.export.ExportedModel;
import io.github.convzoo.graph.IntegerSimulation;
import io.github.convzoo.image.ImageDecoder;
import io.github.convzoo.image.RgbImage;
import io.github.convzoo.network.Network;
import io.github.convzoo.weights.ModelConfig;
import io.github.convzoo.weights.ModelFolder;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.Explainer;
import io.github.convzoo.zoo.LoadOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The bundled network on real images. -Dconvzoo.fashion-mnist=DIR takes the whole test set instead of its first 100.
 */
@EnabledIfSystemProperty(named = "os.arch", matches = "amd64|x86_64", disabledReason = "TorchScript needs x86")
class FashionMnistQuantizationTest {

    private static final String MODEL = "peleenet.fmnist";

    @TempDir
    Path folder = Path.of("");

    private static LabeledImages images() throws Exception {
        String whole = System.getProperty("convzoo.fashion-mnist", "src/test/resources/fashion-mnist");
        return FashionMnist.test(Path.of(whole), FashionMnist.SIDE);
    }

    private static BatchLoader batches(LabeledImages images, ModelConfig config) {
        return new BatchLoader(
                images, Pipeline.evaluation(config.preprocessing()), LoaderOptions.evaluation(10), bad -> {});
    }

    @ParameterizedTest
    @EnumSource(
            value = ExportOptions.Format.class,
            names = {"ONNX", "TORCHSCRIPT"})
    void quantized_agreesWithTheNetwork_andWithASimulation(ExportOptions.Format format) throws Exception {
        // 7 bits are exact on every x86 processor.
        QuantizeOptions options = new QuantizeOptions(format, Calibration.MSE, List.of(), 7);
        Subset chosen = Subset.first(images(), 40);
        LabeledImages rest = chosen.rest().orElseThrow();
        ModelConfig config = ConvZoo.configuration(MODEL, LoadOptions.published());
        try (ZooModel<NDList, NDList> model = ConvZoo.loadLogits(MODEL, LoadOptions.published())) {
            QuantizedNetwork network = new Quantizer((Network) model.getBlock(), config)
                    .calibrate(options, batches(chosen, config), done -> {});
            QuantizationReport report = network.write(folder);
            Agreement agreement = network.compare(report, batches(rest, config), done -> {});
            assertThat(agreement.images()).isEqualTo(rest.size());
            assertThat(agreement.share()).isGreaterThanOrEqualTo(0.98);
            assertThat(agreement.quantizedAccuracy()).isGreaterThan(agreement.floatAccuracy() - 0.02);

            // The simulation takes a tenth of a second for each image.
            LabeledImages simulated = Subset.first(rest, rest.size() / 2);
            assertThat(sameAsSimulation(network, report.written().file(), format, batches(simulated, config)))
                    .isGreaterThanOrEqualTo(0.99);
        }
    }

    private static double sameAsSimulation(
            QuantizedNetwork network, Path file, ExportOptions.Format format, BatchLoader images) throws Exception {
        IntegerSimulation simulation = new IntegerSimulation(network.graph(), network.parameters());
        int same = 0;
        int all = 0;
        try (ExportedModel model = ExportRuntime.of(format).get(0).open(file);
                NDManager manager = NDManager.newBaseManager("PyTorch");
                Epoch epoch = images.epoch(0, 0)) {
            for (Batch next = epoch.next(); next != null; next = epoch.next()) {
                try (Batch batch = next) {
                    long[] classes = model.run(new NDList(batch.toArray(manager)))
                            .singletonOrThrow()
                            .argMax(1)
                            .toLongArray();
                    Shape sample = batch.shape().slice(1);
                    for (int i = 0; i < batch.size(); i++) {
                        float[] image = new float[(int) sample.size()];
                        batch.values().get(i * image.length, image);
                        same += classes[i] == best(simulation.run(image, sample.getShape())) ? 1 : 0;
                        all++;
                    }
                }
            }
        }
        return (double) same / all;
    }

    private static int best(double[] logits) {
        int best = 0;
        for (int i = 1; i < logits.length; i++) {
            best = logits[i] > logits[best] ? i : best;
        }
        return best;
    }

    @ParameterizedTest
    @EnumSource(
            value = ExportOptions.Format.class,
            names = {"ONNX", "TORCHSCRIPT"})
    void folder_ofAQuantizedNetwork_isAModelFolder_andExplainsImages(ExportOptions.Format format) throws Exception {
        QuantizeOptions options = new QuantizeOptions(format, Calibration.MSE, List.of(), 7).withClassMaps(true);
        Path out = folder.resolve("out");
        ModelConfig config = ConvZoo.configuration(MODEL, LoadOptions.published());
        try (ZooModel<NDList, NDList> model = ConvZoo.loadLogits(MODEL, LoadOptions.published())) {
            new Quantizer((Network) model.getBlock(), config)
                    .quantize(out, options, batches(Subset.first(images(), 40), config), done -> {});
        }
        LabeledImages images = images();
        try (ZooModel<Path, Classifications> model = ConvZoo.load(out);
                Predictor<Path, Classifications> predictor = model.newPredictor()) {
            Classifications boot = predictor.predict(Path.of("src/test/resources/fashion-mnist/ankle-boot.png"));
            assertThat(boot.best().getClassName()).isEqualTo(images.classes().get(9));
        }
        RgbImage boot = new ImageDecoder().decode(Path.of("src/test/resources/fashion-mnist/ankle-boot.png"));
        try (Explainer floats = ConvZoo.loadExplainer(MODEL, LoadOptions.published());
                Explainer integers = ConvZoo.loadExplainer(out, LoadOptions.published())) {
            float[] expected = floats.explain(boot).map().values();
            float[] actual = integers.explain(boot).map().values();
            float largest = floats.explain(boot).map().max();
            for (int i = 0; i < expected.length; i++) {
                assertThat(actual[i]).isCloseTo(expected[i], within(0.1f * largest));
            }
        }
    }

    @Test
    void folder_whereTheProcessorHasNoSuchOperators_runsTheFloats() throws Exception {
        QuantizeOptions options = QuantizeOptions.torchScript().withWeightBits(7);
        ModelConfig config = ConvZoo.configuration(MODEL, LoadOptions.published());
        try (ZooModel<NDList, NDList> model = ConvZoo.loadLogits(MODEL, LoadOptions.published());
                NDManager manager = NDManager.newBaseManager("PyTorch")) {
            Path file = new Quantizer((Network) model.getBlock(), config)
                    .quantize(folder, options, batches(Subset.first(images(), 40), config), done -> {})
                    .written()
                    .file();
            NDList image = new NDList(manager.randomNormal(new Shape(1, 3, 32, 32)));
            float[] floats = model.newPredictor().predict(image).get(0).toFloatArray();
            String architecture = System.getProperty("os.arch");
            System.setProperty("os.arch", "aarch64");
            try (ExportedModel other = ExportRuntime.TORCHSCRIPT.open(file)) {
                assertThat(distance(other.run(image).get(0).toFloatArray(), floats))
                        .isLessThan(1e-4);
                Files.delete(folder.resolve(ModelFolder.TORCHSCRIPT_FLOATS));
                assertThatIOException()
                        .isThrownBy(() -> ExportRuntime.TORCHSCRIPT.open(file))
                        .withMessageContaining(
                                "model.pt: computes with 8-bit integers, but the processor is not x86; put"
                                        + " model-float.pt next to it");
            } finally {
                System.setProperty("os.arch", architecture);
            }
            try (ExportedModel own = ExportRuntime.TORCHSCRIPT.open(file)) {
                assertThat(distance(own.run(image).get(0).toFloatArray(), floats))
                        .isBetween(1e-4, 0.3);
            }
        }
    }

    /** The largest difference, relative to the largest number. */
    private static double distance(float[] actual, float[] expected) {
        double difference = 0;
        double largest = 0;
        for (int i = 0; i < expected.length; i++) {
            difference = Math.max(difference, Math.abs(actual[i] - expected[i]));
            largest = Math.max(largest, Math.abs(expected[i]));
        }
        return difference / largest;
    }
}
