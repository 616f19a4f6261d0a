package io.github.convzoo.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Processes that train, are killed at random moments, even while saving, and are resumed. */
@Timeout(300)
class KilledRunTest {

    private static final int EPOCHS = 20;
    private static final int KILLS = 8;

    /** How long a process may live, in milliseconds: some steps, and in most of that time it saves. */
    private static final int SPAN = 400;

    private final Path directory;

    KilledRunTest(@TempDir Path directory) {
        this.directory = directory;
    }

    @ParameterizedTest
    @ValueSource(strings = {"sgd", "adamw"})
    void run_killedAtRandomMoments_endsAtTheBitsOfAnUnbrokenOne(String optimizer) throws Exception {
        Path unbroken = directory.resolve("unbroken");
        Process whole = start(unbroken, optimizer);
        letGo(whole);
        assertThat(whole.inputReader().readLine()).isEqualTo("done");

        Path killed = directory.resolve("killed");
        Random random = new Random(optimizer.hashCode());
        Process next = start(killed, optimizer);
        int underWay = 0;
        for (int i = 0; i < KILLS; i++) {
            Process process = next;
            // Started now, let go later: starting a JVM takes longest.
            next = start(killed, optimizer);
            letGo(process);
            Thread.sleep(1 + random.nextInt(SPAN));
            underWay += process.isAlive() ? 1 : 0;
            process.destroyForcibly().waitFor();
        }
        assertThat(underWay).isGreaterThan(KILLS / 2);
        letGo(next);
        assertThat(next.inputReader().readLine()).isEqualTo("done");

        for (String file : List.of("model.safetensors", "last/model.safetensors", "last/state.safetensors")) {
            assertThat(Files.mismatch(unbroken.resolve(file), killed.resolve(file)))
                    .as(file)
                    .isEqualTo(-1);
        }
        for (String file : List.of("labels.txt", "confusion.csv", "per-class.csv")) {
            assertThat(killed.resolve(file)).hasSameTextualContentAs(unbroken.resolve(file));
        }
        assertThat(withoutTimes(killed)).isEqualTo(withoutTimes(unbroken)).hasSize(EPOCHS);
        try (Stream<Path> files = Files.walk(killed)) {
            assertThat(files.filter(Files::isRegularFile))
                    .noneMatch(file -> file.toString().endsWith(".tmp"));
        }
    }

    private static List<EpochMetrics> withoutTimes(Path folder) throws IOException {
        return new RunFolder(folder)
                .metrics().stream().map(TrainingRunTest::withoutTimes).toList();
    }

    private static Process start(Path folder, String optimizer) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-Dai.djl.pytorch.num_threads=1",
                        "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
                        "-cp",
                        System.getProperty("java.class.path"),
                        RunMain.class.getName(),
                        folder.toString(),
                        optimizer,
                        Integer.toString(EPOCHS))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    private static void letGo(Process process) throws IOException {
        assertThat(process.inputReader().readLine()).isEqualTo("started");
        try (OutputStream in = process.getOutputStream()) {
            in.write('\n');
        }
    }
}
