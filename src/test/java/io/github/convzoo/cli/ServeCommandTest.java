package io.github.convzoo.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.convzoo.Samples;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class ServeCommandTest {

    private final Path folder;

    ServeCommandTest(@TempDir Path folder) {
        this.folder = folder;
    }

    @Test
    void models_areServedUnderTheirLastPart_orTheGivenName() throws Exception {
        Path run = Files.createDirectories(folder.resolve("runs/third"));

        assertThat(ServeCommand.names(
                        List.of("dla34", "dpn68b.ra_in1k", "hf-hub:timm/dla60.in1k@main", run.toString())))
                .containsExactly(
                        Map.entry("dla34", "dla34"),
                        Map.entry("dpn68b.ra_in1k", "dpn68b.ra_in1k"),
                        Map.entry("dla60.in1k", "hf-hub:timm/dla60.in1k@main"),
                        Map.entry("third", run.toString()));
        assertThat(ServeCommand.names(List.of("shoes=hf-hub:owner/other")))
                .containsEntry("shoes", "hf-hub:owner/other");
        assertThat(ServeCommand.names(List.of(run + "/../third/."))).containsKey("third");
    }

    @Test
    void models_ofOneName_areRefused_namingBoth() {
        assertThatThrownBy(() -> ServeCommand.names(List.of("a/run", "b/run")))
                .hasMessageContaining("a/run and b/run would both be served as run")
                .hasMessageContaining("NAME=b/run");
        assertThatThrownBy(() -> ServeCommand.names(List.of("dla34", "dla34=dla60")))
                .hasMessageContaining("would both be served as dla34");
    }

    @Test
    void model_whoseNameCannotBeInAUrl_needsAnother() {
        assertThatThrownBy(() -> ServeCommand.names(List.of("runs/my run")))
                .hasMessageContaining("my run cannot be part of a URL")
                .hasMessageContaining("NAME=runs/my run");
        assertThat(ServeCommand.names(List.of("mine=runs/my run"))).containsEntry("mine", "runs/my run");
    }

    @Test
    void options_thatContradict_areRefused() throws Exception {
        Path key = Files.writeString(folder.resolve("key"), "\n");
        List<String> serve = List.of("serve", "--model", "peleenet.fmnist", "--port", "0");
        Map<List<String>, List<String>> refused = Map.of(
                List.of("--api-key", "a", "--api-key-file", key.toString()), List.of("--api-key and --api-key-file"),
                List.of("--api-key-file", key.toString()), List.of("API key", "at least 1 character"),
                List.of("--max-request", "lots"), List.of("--max-request", "32M", "lots"),
                List.of("--max-request", "2000M"), List.of("--max-request"),
                List.of("--max-images", "9", "--queue", "8"), List.of("--max-images 9", "--queue 8"),
                List.of("--deadline", "0"), List.of("--deadline"),
                List.of("--batch-delay", "30000"), List.of("batch delay", "30000 ms"),
                List.of("--port", "70000"), List.of("port", "70000"),
                List.of("--batch-size", "0"), List.of("batch size", "0"),
                List.of("--model", "dla34", "--labels", "x"), List.of("--labels is for one --model"));
        refused.forEach((options, parts) -> {
            List<String> all = new ArrayList<>(serve);
            if (options.contains("--port")) {
                all = new ArrayList<>(serve.subList(0, 3));
            }
            all.addAll(options);
            Run.refused(Main.MISUSED, all, parts.toArray(String[]::new));
        });
    }

    @Test
    void serve_withoutAModel_isRefused() {
        Run.refused(Main.MISUSED, List.of("serve"), "--model");
    }

    @Test
    @EnabledOnOs(
            value = {OS.LINUX, OS.MAC},
            disabledReason = "it sends a signal")
    void server_onSigterm_answersAcceptedRequests_andEndsWithSuccess() throws Exception {
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName(),
                "serve",
                "--model",
                "clothes=peleenet.fmnist",
                "--port",
                "0",
                "--batch-size",
                "2",
                "--batch-delay",
                "20000");
        builder.environment().put("CONVZOO_API_KEY", "secret");
        builder.redirectError(folder.resolve("err").toFile());
        Process process = builder.start();
        try (BufferedReader out =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            String line = out.readLine();
            assertThat(line)
                    .as(Files.readString(folder.resolve("err")))
                    .startsWith("serving clothes at http://127.0.0.1:");
            URI root = URI.create(line.substring(line.indexOf("http")));
            HttpClient client = HttpClient.newHttpClient();
            HttpRequest.Builder predict = HttpRequest.newBuilder(root.resolve("predictions/clothes"))
                    .POST(HttpRequest.BodyPublishers.ofFile(Samples.resource("fashion-mnist/trouser.png")));
            assertThat(client.send(predict.build(), HttpResponse.BodyHandlers.ofString())
                            .statusCode())
                    .isEqualTo(401);
            // It waits for another image to share its batch.
            CompletableFuture<HttpResponse<String>> answer = client.sendAsync(
                    predict.header("X-Api-Key", "secret").build(), HttpResponse.BodyHandlers.ofString());
            HttpRequest metrics = HttpRequest.newBuilder(root.resolve("metrics"))
                    .header("Authorization", "Bearer secret")
                    .build();
            while (!client.send(metrics, HttpResponse.BodyHandlers.ofString())
                    .body()
                    .contains("convzoo_queue_images{model=\"clothes\"} 1.0")) {
                assertThat(process.isAlive()).isTrue();
            }
            process.destroy();

            assertThat(answer.get(1, TimeUnit.MINUTES).body()).startsWith("[{\"className\":\"Trouser\"");
            assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
            assertThat(process.exitValue()).isZero();
            assertThat(Files.readString(folder.resolve("err")))
                    .isEqualTo("convzoo: stopping; answering the requests that were accepted" + System.lineSeparator());
        } finally {
            process.destroyForcibly();
        }
    }
}
