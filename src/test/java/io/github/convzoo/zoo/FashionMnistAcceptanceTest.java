package io.github.convzoo.zoo;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.TranslateException;
import com.google.gson.Gson;
import io.github.convzoo.Samples;
import io.github.convzoo.data.BatchLoader;
import io.github.convzoo.data.FashionMnist;
import io.github.convzoo.data.LoaderOptions;
import io.github.convzoo.data.Pipeline;
import io.github.convzoo.image.Normalization;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.image.RgbImage;
import io.github.convzoo.train.Evaluation;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A network trained in PyTorch, its images, and what PyTorch computes for them. */
class FashionMnistAcceptanceTest {

    private static final LoadOptions OPTIONS = LoadOptions.of(Samples.PELEENET)
            .withPreprocessing(Preprocessing.unresized(32, 32, Normalization.IMAGENET))
            .withDevice(Device.cpu());

    private record Expected(long correct, long total, List<List<Float>> logits) {}

    @Test
    void logits_ofRealImages_areThoseOfPyTorch() throws IOException, TranslateException {
        Expected expected = expected();
        FashionMnist images = FashionMnist.test(Samples.FASHION_MNIST, 32);
        List<RgbImage> batch = new ArrayList<>();
        for (int i = 0; i < images.size(); i++) {
            batch.add(images.image(i));
        }
        try (ZooModel<NDList, NDList> model = ConvZoo.loadLogits("peleenet", OPTIONS);
                Predictor<NDList, NDList> predictor = model.newPredictor();
                NDManager manager = model.getNDManager().newSubManager()) {
            NDArray input =
                    Preprocessing.unresized(32, 32, Normalization.IMAGENET).toBatch(manager, batch);
            NDList output = predictor.predict(new NDList(input));
            float[] logits = output.singletonOrThrow().toFloatArray();

            assertThat(logits).hasSize(100 * 10);
            assertThat(expected.logits).hasSize(100);
            for (int image = 0; image < 100; image++) {
                List<Float> row = expected.logits.get(image);
                double largest = row.stream().mapToDouble(Math::abs).max().orElseThrow();
                for (int i = 0; i < 10; i++) {
                    double deviation = Math.abs(logits[10 * image + i] - row.get(i)) / largest;
                    assertThat(deviation).as("image %d, class %d", image, i).isLessThanOrEqualTo(1e-5);
                }
            }
        }
    }

    @Test
    void evaluation_ofRealImages_countsAsPyTorchDoes() throws Exception {
        Expected expected = expected();
        FashionMnist images = FashionMnist.test(Samples.FASHION_MNIST, 32);
        try (ZooModel<NDList, NDList> model = ConvZoo.loadLogits("peleenet", OPTIONS)) {
            BatchLoader batches = new BatchLoader(
                    images,
                    Pipeline.evaluation(Preprocessing.unresized(32, 32, Normalization.IMAGENET)),
                    LoaderOptions.evaluation(32),
                    bad -> {});
            Evaluation evaluation = Evaluation.of(model.getBlock(), model.getNDManager(), batches, done -> {});

            assertThat(evaluation.total()).isEqualTo(expected.total);
            assertThat(evaluation.correct()).isEqualTo(expected.correct);
        }
    }

    private static Expected expected() throws IOException {
        return new Gson()
                .fromJson(Files.readString(Samples.resource("checkpoints/peleenet_fmnist.json")), Expected.class);
    }
}
