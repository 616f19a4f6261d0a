package io.github.convzoo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.types.Shape;
import io.github.convzoo.data.BatchLoader;
import io.github.convzoo.data.LoaderOptions;
import io.github.convzoo.data.Samples;
import io.github.convzoo.train.Precision;
import io.github.convzoo.train.RunFolder;
import io.github.convzoo.train.StepResult;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainLogTest {

    private record Nothing(int size) implements Samples {

        @Override
        public List<String> classes() {
            return List.of("one");
        }

        @Override
        public int label(int index) {
            return 0;
        }

        @Override
        public String name(int index) {
            return "nothing";
        }

        @Override
        public Shape shape() {
            return new Shape(1);
        }

        @Override
        public void read(int index, RandomGenerator random, float[] target) {}
    }

    @Test
    void log_withoutATerminal_hasALineAtTheStartAndOnePerMinute(@TempDir Path folder) throws Exception {
        StringWriter err = new StringWriter();
        AtomicLong seconds = new AtomicLong();
        TrainOptions options = new TrainOptions();
        options.model = "dla34";
        options.epochs = 2;
        options.batchSize = 10;
        BatchLoader batches = new BatchLoader(new Nothing(1000), LoaderOptions.training(10, 0), bad -> {});
        TrainCommand.Loaders loaders = new TrainCommand.Loaders(batches, Optional.of(batches), List.of(batches));
        try (TrainLog log = new TrainLog(
                new RunFolder(folder),
                new PrintWriter(err, true),
                options,
                loaders,
                () -> TimeUnit.SECONDS.toNanos(seconds.get()))) {
            log.begins(0, Device.cpu());
            for (int batch = 1; batch <= 50; batch++) {
                seconds.addAndGet(3);
                log.stepped(1, batch, 100, new StepResult(batch, 0.5, 0.01, 1, 5, 10));
            }
        }
        // A step takes 3 s; after 20 of 200 there are 180 left, which is 9 minutes.
        assertThat(err.toString().lines())
                .containsExactly(
                        "training dla34 on cpu: 2 epochs of 100 steps",
                        "epoch 1/2  step 20/100  loss 0.5000  accuracy 50.00 %  rate 0.0100  9 min left",
                        "epoch 1/2  step 40/100  loss 0.5000  accuracy 50.00 %  rate 0.0100  8 min left");
        assertThat(Files.readAllLines(folder.resolve("log.txt"))).hasSize(3);
    }

    @Test
    void log_ofASkippedStep_saysSoAtOnce(@TempDir Path folder) throws Exception {
        StringWriter err = new StringWriter();
        TrainOptions options = new TrainOptions();
        options.model = "dla34";
        options.epochs = 2;
        options.batchSize = 10;
        options.precision = Precision.FP16;
        BatchLoader batches = new BatchLoader(new Nothing(1000), LoaderOptions.training(10, 0), bad -> {});
        TrainCommand.Loaders loaders = new TrainCommand.Loaders(batches, Optional.of(batches), List.of(batches));
        try (TrainLog log =
                new TrainLog(new RunFolder(folder), new PrintWriter(err, true), options, loaders, () -> 0)) {
            log.begins(0, Device.gpu());
            log.stepped(1, 1, 100, new StepResult(0, 0.5, 0.01, Double.POSITIVE_INFINITY, 5, 10));
            log.stepped(1, 2, 100, new StepResult(1, 0.5, 0.01, 1, 5, 10));
        }
        assertThat(err.toString().lines())
                .containsExactly(
                        "training dla34 on gpu in mixed precision (fp16): 2 epochs of 100 steps",
                        "epoch 1/2  step 1/100  skipped: gradients overflowed float16; loss scale halved");
        assertThat(Files.readAllLines(folder.resolve("log.txt"))).hasSize(2);
    }

    @Test
    void duration_ofAnyLength_isReadable() {
        assertThat(TrainLog.duration(40)).isEqualTo("40 s");
        assertThat(TrainLog.duration(100)).isEqualTo("2 min");
        assertThat(TrainLog.duration(3600)).isEqualTo("60 min");
        assertThat(TrainLog.duration(7500)).isEqualTo("2 h 05 min");
    }
}
