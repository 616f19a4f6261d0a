package io.github.convzoo.zoo;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.modality.Classifications;
import ai.djl.repository.zoo.ZooModel;
import io.github.convzoo.Samples;
import io.github.convzoo.image.Normalization;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.image.RgbImage;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** A short run of what `exec:exec@soak` does at length. */
class SharedModelTest {

    @Test
    void predictors_ofEightThreadsOnOneModel_giveTheBitsOfOneThread() throws Exception {
        LoadOptions options = LoadOptions.of(Samples.PELEENET)
                .withPreprocessing(Preprocessing.unresized(32, 32, Normalization.IMAGENET))
                .withDevice(Device.cpu());
        try (ZooModel<RgbImage, Classifications> model = ConvZoo.load("peleenet", RgbImage.class, options)) {
            SharedPredictions predictions = new SharedPredictions(model, 5, 32);
            assertThat(predictions.distinct()).isEqualTo(10);
            int arrays = model.getNDManager().getManagedArrays().size();
            AtomicInteger last = new AtomicInteger();
            int different = predictions.run(8, 400, done -> last.accumulateAndGet(done, Math::max));

            assertThat(different).isZero();
            assertThat(last).hasValue(400);
            assertThat(model.getNDManager().getManagedArrays()).hasSize(arrays);
        }
    }
}
