package io.github.convzoo.spark;

import static io.github.convzoo.spark.TestImages.MODEL;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import ai.djl.modality.Classifications;
import ai.djl.repository.zoo.ZooModel;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.LoadOptions;
import io.github.convzoo.zoo.PreparedImage;
import io.github.convzoo.zoo.StagedModel;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** The models of a JVM, without Spark. */
class SharedModelsTest {

    private final AtomicInteger loads = new AtomicInteger();
    private final SharedModels<Classifications> models = new SharedModels<>(this::load);

    private ZooModel<byte[], Classifications> load(ShippedModel model) throws IOException {
        loads.incrementAndGet();
        return ConvZoo.load(model.key().name(), byte[].class, LoadOptions.published());
    }

    private static ShippedModel model(String hash) {
        return new ShippedModel(new ModelKey(MODEL, hash, null, false), null);
    }

    private static List<Classifications> run(StagedModel<byte[], Classifications> stages) throws Exception {
        PreparedImage image =
                stages.prepare(Files.readAllBytes(TestImages.clothes().get(0)));
        return stages.run(List.of(image));
    }

    @Test
    void lease_ofTheSameModel_loadsItOnce_evenAfterItsLastUse() throws Exception {
        try (SharedModels<Classifications>.Lease first = models.lease(model("a"));
                SharedModels<Classifications>.Lease second = models.lease(model("a"))) {
            assertThat(second.stages()).isSameAs(first.stages());
        }
        try (SharedModels<Classifications>.Lease third = models.lease(model("a"))) {
            assertThat(run(third.stages())).hasSize(1);
        }
        assertThat(loads).hasValue(1);
    }

    @Test
    void lease_byManyThreads_loadsOnce() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            List<Future<StagedModel<byte[], Classifications>>> found = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                found.add(threads.submit(() -> models.lease(model("a")).stages()));
            }
            for (Future<StagedModel<byte[], Classifications>> each : found) {
                assertThat(each.get()).isSameAs(found.get(0).get());
            }
        } finally {
            threads.shutdownNow();
        }
        assertThat(loads).hasValue(1);
    }

    @Test
    void lease_ofAnotherModel_closesOnlyWhatNobodyUses() throws Exception {
        SharedModels<Classifications>.Lease used = models.lease(model("used"));
        SharedModels<Classifications>.Lease unused = models.lease(model("unused"));
        unused.close();

        try (SharedModels<Classifications>.Lease another = models.lease(model("another"))) {
            assertThat(run(another.stages())).hasSize(1);
            assertThat(run(used.stages())).hasSize(1);
            assertThatIllegalStateException().isThrownBy(() -> run(unused.stages()));
        }
        models.lease(model("unused"));
        assertThat(loads).hasValue(4);
    }

    @Test
    void lease_ofAModelThatFails_triesAgainNextTime() throws Exception {
        AtomicInteger tries = new AtomicInteger();
        SharedModels<Classifications> failing = new SharedModels<>(model -> {
            if (tries.incrementAndGet() == 1) {
                throw new IOException("no disk");
            }
            return load(model);
        });

        assertThatIOException().isThrownBy(() -> failing.lease(model("a"))).withMessage("no disk");
        assertThat(run(failing.lease(model("a")).stages())).hasSize(1);
    }
}
