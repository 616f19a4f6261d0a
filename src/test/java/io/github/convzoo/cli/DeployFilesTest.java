package io.github.convzoo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.convzoo.serve.ModelServer;
import io.github.convzoo.zoo.PathText;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** The files of docs/deploy use options and paths that exist. */
class DeployFilesTest {

    private static final Pattern QUOTED = Pattern.compile("\"([^\"]*)\"");

    private static String read(String name) throws IOException {
        return Files.readString(Path.of("docs/deploy", name));
    }

    private static List<String> quoted(String text, String line) {
        Matcher found = Pattern.compile("(?m)^\\s*" + line + "\\s*\\[(.*)]$").matcher(text);
        assertThat(found.find()).as(line).isTrue();
        List<String> words = new ArrayList<>();
        QUOTED.matcher(found.group(1)).results().forEach(word -> words.add(word.group(1)));
        return words;
    }

    private static ServeCommand parsed(List<String> arguments) {
        ServeCommand command = new ServeCommand();
        new CommandLine(command)
                .registerConverter(Path.class, PathText::path)
                .parseArgs(arguments.toArray(String[]::new));
        return command;
    }

    @Test
    void dockerfile_startsAServerThatOthersReach() throws IOException {
        String text = read("Dockerfile");
        List<String> start = quoted(text, "ENTRYPOINT");
        assertThat(start).startsWith("/opt/convzoo/bin/convzoo", "serve");
        List<String> arguments = new ArrayList<>(start.subList(2, start.size()));
        arguments.addAll(quoted(text, "CMD"));

        ServeCommand command = parsed(arguments);

        assertThat(command.host).isEqualTo("0.0.0.0");
        assertThat(text).contains("EXPOSE " + command.port);
    }

    @Test
    void unit_startsAServerWithAKey_andWaitsForItToDrain() throws IOException {
        String text = read("convzoo.service").replace("\\\n", "");
        Matcher start = Pattern.compile("(?m)^ExecStart=/opt/convzoo/bin/convzoo serve (.*)$")
                .matcher(text);
        assertThat(start.find()).isTrue();

        ServeCommand command = parsed(List.of(start.group(1).trim().split("\\s+")));

        assertThat(command.apiKeyFile).hasToString("${CREDENTIALS_DIRECTORY}/api-key");
        Matcher stop = Pattern.compile("TimeoutStopSec=(\\d+)").matcher(text);
        assertThat(stop.find()).isTrue();
        assertThat(Integer.parseInt(stop.group(1))).isGreaterThan(2 * command.deadline);
    }

    @Test
    void deployment_probesOpenRoutes_andWaitsForItToDrain() throws IOException {
        String text = read("kubernetes.yaml");
        ServeCommand command = parsed(quoted(text, "args:"));
        assertThat(command.compile.compiled).isTrue();
        JsonObject paths;
        try (InputStream in = Objects.requireNonNull(ModelServer.class.getResourceAsStream("openapi.json"))) {
            paths = JsonParser.parseReader(new InputStreamReader(in, StandardCharsets.UTF_8))
                    .getAsJsonObject()
                    .getAsJsonObject("paths");
        }
        List<String> probes = Pattern.compile("path: (/v2\\S*)")
                .matcher(text)
                .results()
                .map(match -> match.group(1))
                .toList();

        assertThat(probes).hasSize(3).allSatisfy(path -> assertThat(
                        paths.getAsJsonObject(path).getAsJsonObject("get").getAsJsonArray("security"))
                .isEmpty());
        Matcher grace = Pattern.compile("terminationGracePeriodSeconds: (\\d+)").matcher(text);
        assertThat(grace.find()).isTrue();
        assertThat(Integer.parseInt(grace.group(1))).isGreaterThan(2 * command.deadline);
        assertThat(text).contains("containerPort: " + command.port, "CONVZOO_API_KEY");
    }
}
