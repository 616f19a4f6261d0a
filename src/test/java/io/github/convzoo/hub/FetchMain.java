package io.github.convzoo.hub;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * A process that fetches one file. Its arguments are the endpoint and the cache directory. It says that it has started,
 * waits for a line, fetches, and prints the file's state.
 */
public final class FetchMain {

    private FetchMain() {}

    public static void main(String[] args) throws IOException {
        Path directory = Path.of(args[1]);
        // Loads the classes, so that what follows takes the time of the download alone.
        Path warmUp = directory.resolve("warm-up-" + ProcessHandle.current().pid());
        new FileStore(settings(args[0], warmUp)).fetch(row("warm-up"), null);
        System.out.println("started");
        if (System.in.read() >= 0) {
            System.out.println(new FileStore(settings(args[0], directory))
                    .fetch(row("tiny"), null)
                    .state());
        }
    }

    private static RemoteFile row(String model) {
        return new RemoteFile(model + ".t", model + ".t", "timm/" + model, "main", "model.safetensors", List.of());
    }

    static StoreSettings settings(String endpoint, Path directory) {
        return new StoreSettings(
                List.of(URI.create(endpoint)),
                List.of(),
                null,
                null,
                directory.resolve("hf"),
                directory,
                new TransferSettings(
                        Duration.ofSeconds(10),
                        Duration.ofSeconds(10),
                        2,
                        Duration.ofMillis(10),
                        Duration.ofMillis(10),
                        1 << 20));
    }
}
