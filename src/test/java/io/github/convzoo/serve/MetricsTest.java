package io.github.convzoo.serve;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class MetricsTest {

    private static List<String> found(String pattern, String text) {
        return Pattern.compile(pattern)
                .matcher(text)
                .results()
                .map(match -> match.group(1))
                .toList();
    }

    @Test
    void metrics_areThoseOfTheDocumentation() throws IOException {
        Metrics metrics = new Metrics();
        metrics.watch("clothes", () -> 0);
        metrics.watchMemory(() -> 0);
        metrics.answered("/ping", "GET", 200, 1);
        BatchQueue.Listener listener = metrics.listener("clothes", "prediction");
        listener.computed(1, 1);
        listener.waited(1);
        listener.expired();

        String shown = StandardCharsets.UTF_8
                .decode(metrics.answer("text/plain").body())
                .toString();
        String page = Files.readString(Path.of("docs/reference/serving.md"));
        assertThat(found("# TYPE (\\S+) ", shown))
                .containsExactlyInAnyOrderElementsOf(found("`(convzoo_[a-z_]+)`", page));
    }
}
