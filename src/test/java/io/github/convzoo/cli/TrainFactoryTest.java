package io.github.convzoo.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import ai.djl.Device;
import io.github.convzoo.network.AlexNetVariant;
import io.github.convzoo.network.Network;
import io.github.convzoo.train.Annealing;
import io.github.convzoo.train.Precision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class TrainFactoryTest {

    private static final Network DYNAMIC = AlexNetVariant.ALEXNET_DY.build();

    private static Optional<Annealing> usual(int epochs) {
        TrainOptions plan = new TrainOptions();
        plan.model = "alexnet_dy";
        plan.epochs = epochs;
        return new TrainFactory(plan).recipe(DYNAMIC, 100, new int[] {1}).annealing();
    }

    private static TrainOptions parsed(String... args) {
        TrainOptions options = new TrainOptions();
        new CommandLine(options).setCaseInsensitiveEnumValuesAllowed(true).parseArgs(args);
        return options;
    }

    @Test
    void recipe_withAmp_isInFloat16AlsoWhenResumed(@TempDir Path folder) throws IOException {
        String[] start = {"--model", "peleenet", "--data", "images"};
        for (String[] amp : new String[][] {{"--amp"}, {"--amp", "fp16"}, {"--amp=float16"}, {}}) {
            String[] args = Stream.of(amp, start).flatMap(Stream::of).toArray(String[]::new);
            Precision expected = amp.length == 0 ? Precision.FP32 : Precision.FP16;
            TrainOptions options = parsed(args);
            assertThat(new TrainFactory(options).recipe(1).precision()).isEqualTo(expected);
            Path file = Files.writeString(folder.resolve("train.json"), options.toJson());
            assertThat(new TrainFactory(TrainOptions.read(file)).recipe(1).precision())
                    .isEqualTo(expected);
        }
    }

    @Test
    void devices_forMixedPrecision_areGpusWithoutException() {
        TrainOptions amp = parsed("--amp");
        TrainChecks.devices(amp, List.of(Device.gpu(0), Device.gpu(1)));
        TrainChecks.devices(new TrainOptions(), List.of(Device.cpu()));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> TrainChecks.devices(amp, List.of(Device.gpu(0), Device.cpu())))
                .withMessageStartingWith("--amp needs a GPU");
    }

    @Test
    void annealing_unlessItIsGiven_reachesOneHalfWay() {
        assertThat(usual(1)).isEmpty();
        for (int epochs = 2; epochs < 50; epochs++) {
            Annealing annealing = usual(epochs).orElseThrow();
            assertThat(annealing.at(0)).as("%d epochs", epochs).isEqualTo(30);
            assertThat(annealing.at((epochs + 1) / 2)).as("%d epochs", epochs).isEqualTo(1);
        }
        assertThat(usual(10)).contains(new Annealing(30, 1, 5));
        assertThat(usual(20)).contains(Annealing.PAPER);
        assertThat(usual(200)).contains(Annealing.PAPER);
    }
}
