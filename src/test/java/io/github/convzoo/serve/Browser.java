package io.github.convzoo.serve;

import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A headless Chromium, driven by its WebDriver (https://www.w3.org/TR/webdriver2/). A dozen requests of JSON are all that
 * the tests need, so no client library is.
 */
final class Browser implements AutoCloseable {

    private static final Pattern PORT = Pattern.compile("started successfully on port (\\d+)");
    private static final Gson GSON = new Gson();

    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final Process driver;
    private final URI session;

    /** The driver on this machine, if both it and Chromium are installed. */
    static Optional<Path> driver() {
        return find("chromedriver").filter(driver -> find("chromium").isPresent());
    }

    private static Optional<Path> find(String program) {
        return Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
                .map(folder -> Path.of(folder, program))
                .filter(Files::isExecutable)
                .findFirst();
    }

    Browser(Path program) throws IOException {
        driver = new ProcessBuilder(program.toString(), "--port=0")
                .redirectErrorStream(true)
                .start();
        BufferedReader out = new BufferedReader(new InputStreamReader(driver.getInputStream(), StandardCharsets.UTF_8));
        Matcher port = PORT.matcher("");
        List<String> lines = new ArrayList<>();
        while (!port.find()) {
            String line = out.readLine();
            if (line == null) {
                throw new IOException("the browser's driver ended: " + lines);
            }
            lines.add(line);
            port.reset(line);
        }
        // It logs little, but must not wait for a reader.
        Thread drain = new Thread(() -> out.lines().forEach(line -> {}), "chromedriver");
        drain.setDaemon(true);
        drain.start();
        URI root = URI.create("http://127.0.0.1:" + port.group(1) + "/");
        List<String> arguments = List.of(
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1100,900");
        Map<String, Object> chrome = Map.of(
                "browserName",
                "chrome",
                "goog:chromeOptions",
                Map.of(
                        "args",
                        arguments,
                        "binary",
                        find("chromium").orElseThrow().toString()));
        JsonObject started = send(
                        root.resolve("session"), "POST", Map.of("capabilities", Map.of("alwaysMatch", chrome)))
                .getAsJsonObject();
        session = root.resolve("session/" + started.get("sessionId").getAsString() + "/");
    }

    private JsonElement send(URI uri, String method, Map<String, ?> body) throws IOException {
        HttpRequest request = HttpRequest.newBuilder(uri)
                .timeout(Duration.ofMinutes(1))
                .header("Content-Type", "application/json")
                .method(
                        method,
                        method.equals("POST")
                                ? HttpRequest.BodyPublishers.ofString(GSON.toJson(body))
                                : HttpRequest.BodyPublishers.noBody())
                .build();
        try {
            HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
            JsonElement value =
                    JsonParser.parseString(response.body()).getAsJsonObject().get("value");
            if (response.statusCode() != 200) {
                throw new IOException(uri + ": " + value);
            }
            return value;
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    void open(URI page) throws IOException {
        send(session.resolve("url"), "POST", Map.of("url", page.toString()));
    }

    /** Runs a script, and returns what it returns. */
    JsonElement run(String script, Object... arguments) throws IOException {
        return send(session.resolve("execute/sync"), "POST", Map.of("script", script, "args", List.of(arguments)));
    }

    String text(String selector) throws IOException {
        return run("return document.querySelector(arguments[0])?.innerText ?? ''", selector)
                .getAsString();
    }

    /** Waits until an expression is true. */
    void await(String expression) throws IOException {
        long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
        while (!run("return Boolean(" + expression + ")").getAsBoolean()) {
            if (System.nanoTime() > end) {
                throw new IOException("never true: " + expression + "\n" + text("body"));
            }
        }
    }

    /** Presses keys of the keyboard, one after the other, wherever the focus is. */
    void press(String... keys) throws IOException {
        List<Map<String, String>> actions = new ArrayList<>();
        for (String key : keys) {
            actions.add(Map.of("type", "keyDown", "value", key));
            actions.add(Map.of("type", "keyUp", "value", key));
        }
        send(
                session.resolve("actions"),
                "POST",
                Map.of("actions", List.of(Map.of("type", "key", "id", "keyboard", "actions", actions))));
    }

    /** Chooses a file in an input. */
    void choose(String selector, Path file) throws IOException {
        JsonObject element = send(
                        session.resolve("element"), "POST", Map.of("using", "css selector", "value", selector))
                .getAsJsonObject();
        String id = element.entrySet().iterator().next().getValue().getAsString();
        send(
                session.resolve("element/" + id + "/value"),
                "POST",
                Map.of("text", file.toAbsolutePath().toString()));
    }

    /** Drops files on an element, as a file manager does. */
    void drop(String selector, Path... files) throws IOException {
        List<Map<String, String>> contents = new ArrayList<>();
        for (Path file : files) {
            contents.add(Map.of(
                    "name", String.valueOf(file.getFileName()),
                    "data", Base64.getEncoder().encodeToString(Files.readAllBytes(file))));
        }
        run(
                """
                const transfer = new DataTransfer();
                for (const each of arguments[1]) {
                  const bytes = Uint8Array.from(atob(each.data), c => c.charCodeAt(0));
                  transfer.items.add(new File([bytes], each.name, {type: 'image/png'}));
                }
                const target = document.querySelector(arguments[0]);
                for (const type of ['dragenter', 'dragover', 'drop']) {
                  const options = {dataTransfer: transfer, bubbles: true, cancelable: true};
                  target.dispatchEvent(new DragEvent(type, options));
                }
                """,
                selector,
                contents);
    }

    /** Sends a command of the DevTools, for what WebDriver has no request. */
    void devTools(String command, Map<String, ?> parameters) throws IOException {
        send(session.resolve("goog/cdp/execute"), "POST", Map.of("cmd", command, "params", parameters));
    }

    /** A picture of the whole page. */
    void screenshot(Path file) throws IOException {
        String data = send(session.resolve("screenshot"), "GET", Map.of()).getAsString();
        Files.write(file, Base64.getDecoder().decode(data));
    }

    @Override
    public void close() throws IOException {
        try {
            send(URI.create(session.toString().replaceFirst("/$", "")), "DELETE", Map.of());
        } finally {
            driver.destroy();
        }
    }
}
