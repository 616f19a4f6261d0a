package io.github.convzoo.hub;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Several processes on one cache, and processes that are killed. */
@Timeout(120)
class ProcessesTest {

    private static final byte[] CONTENT = Hubs.bytes(256 * 1024, 3);
    private static final int PIECE = 4096;
    private static final int KILLS = 25;
    private static final String WARM_UP = "/timm/warm-up/";

    /** About as long as one process takes from its request to its end, in milliseconds. */
    private static final int SPAN = 150;

    private final Path directory;

    private final Semaphore requested = new Semaphore(0);

    ProcessesTest(@TempDir Path directory) {
        this.directory = directory;
    }

    @Test
    void fetch_twoProcesses_downloadOnce() throws Exception {
        CountDownLatch answer = new CountDownLatch(1);
        try (LoopbackServer hub = hub((request, out) -> {
            requested.release();
            answer.await();
            Hubs.file(CONTENT).answer(request, out);
        })) {
            Process first = start(hub);
            Process second = start(hub);
            for (Process process : List.of(first, second)) {
                assertThat(process.inputReader().readLine()).isEqualTo("started");
                letGo(process);
            }
            assertThat(requested.tryAcquire(30, TimeUnit.SECONDS)).isTrue();
            // Time enough for the other to ask as well, if it did not wait.
            assertThat(requested.tryAcquire(500, TimeUnit.MILLISECONDS)).isFalse();
            answer.countDown();
            for (Process process : List.of(first, second)) {
                assertThat(process.inputReader().readLine()).isEqualTo("VERIFIED");
            }
            assertThat(requests(hub)).hasSize(1);
        }
        assertThat(file()).hasBinaryContent(CONTENT);
    }

    @Test
    void fetch_killedAgainAndAgain_leavesNoCorruptFileAndResumes() throws Exception {
        Random random = new Random(4);
        int underWay = 0;
        try (LoopbackServer hub = hub(this::trickle)) {
            Process next = start(hub);
            for (int i = 0; i < KILLS || partSize() == 0; i++) {
                assertThat(i).isLessThan(2 * KILLS);
                Process process = next;
                // Started now, let go later: starting a JVM takes longest.
                next = start(hub);
                letGo(process);
                assertThat(requested.tryAcquire(30, TimeUnit.SECONDS)).isTrue();
                Thread.sleep(random.nextInt(SPAN));
                process.destroyForcibly().waitFor();
                if (partSize() > 0) {
                    underWay++;
                    assertThat(part()).hasBinaryContent(Arrays.copyOf(CONTENT, (int) partSize()));
                }
                if (Files.exists(file())) {
                    assertThat(file()).hasBinaryContent(CONTENT);
                    Files.delete(file());
                }
            }
            int before = requests(hub).size();
            long size = partSize();
            letGo(next);
            assertThat(output(next)).isEqualTo("started VERIFIED");
            assertThat(requests(hub).get(before).from()).isEqualTo((int) size);
        }
        assertThat(file()).hasBinaryContent(CONTENT);
        assertThat(new FileStore(FetchMain.settings("http://127.0.0.1", directory)).verify())
                .extracting(StoredFile::state)
                .containsExactly(StoredFile.State.VERIFIED);
        assertThat(underWay).isGreaterThan(KILLS / 4);
    }

    private static LoopbackServer hub(LoopbackServer.Handler handler) throws IOException {
        LoopbackServer.Handler warmUp = Hubs.file(Hubs.bytes(20_000, 5));
        return new LoopbackServer(
                (request, out) -> (request.target().startsWith(WARM_UP) ? warmUp : handler).answer(request, out));
    }

    private static List<LoopbackServer.Request> requests(LoopbackServer hub) {
        return hub.requests().stream()
                .filter(request -> !request.target().startsWith(WARM_UP))
                .toList();
    }

    /** Sends the file slowly enough to be killed in between. */
    private void trickle(LoopbackServer.Request request, OutputStream out) throws IOException, InterruptedException {
        requested.release();
        Hubs.send(request, out, CONTENT, 0, "X-Linked-ETag", Hubs.quoted(CONTENT));
        for (int at = request.from(); at < CONTENT.length; at += PIECE) {
            out.write(CONTENT, at, Math.min(PIECE, CONTENT.length - at));
            out.flush();
            Thread.sleep(1);
        }
    }

    private Process start(LoopbackServer hub) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xshare:auto",
                        "-XX:TieredStopAtLevel=1",
                        "-XX:+UseSerialGC",
                        "-Xmx64m",
                        // Starting takes longest, and half of it goes into checking classes and trusted certificates.
                        "-XX:+UnlockDiagnosticVMOptions",
                        "-XX:-BytecodeVerificationRemote",
                        "-Djavax.net.ssl.trustStore=NONE",
                        "-cp",
                        System.getProperty("java.class.path"),
                        FetchMain.class.getName(),
                        hub.url(),
                        directory.toString())
                .redirectErrorStream(true)
                .start();
    }

    private static void letGo(Process process) throws IOException {
        process.getOutputStream().write('\n');
        process.getOutputStream().flush();
    }

    private static String output(Process process) throws IOException {
        return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                .strip()
                .replaceAll("\\R", " ");
    }

    private Path file() {
        return directory.resolve("cache/convzoo/tiny.t/model.safetensors");
    }

    private Path part() {
        return file().resolveSibling("model.safetensors.part");
    }

    private long partSize() throws IOException {
        return Files.exists(part()) ? Files.size(part()) : 0;
    }
}
