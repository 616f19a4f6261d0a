package io.github.convzoo.serve;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Measures a server from another process: {@code java -cp ... io.github.convzoo.serve.LoadTest
 * http://127.0.0.1:8080/predictions/MODEL FOLDER CONNECTIONS SECONDS}. Each connection sends the folder's images one
 * after the other, each as soon as the last is answered; the first fifth of the time does not count.
 * docs/reference/serving.md says how to read the line that it prints.
 */
final class LoadTest {

    private LoadTest() {}

    /** What one connection saw. */
    private static final class Connection implements Runnable {

        private final HttpClient client =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        private final URI target;
        private final List<byte[]> images;
        private final int first;
        private final long begin;
        private final long end;
        private final Map<String, Integer> outcomes = new TreeMap<>();
        private long[] nanos = new long[1024];
        private int count;

        Connection(URI target, List<byte[]> images, int first, long begin, long end) {
            this.target = target;
            this.images = images;
            this.first = first;
            this.begin = begin;
            this.end = end;
        }

        @Override
        public void run() {
            for (int i = first; ; i++) {
                long start = System.nanoTime();
                if (start - end >= 0) {
                    return;
                }
                String outcome = send(images.get(i % images.size()));
                if (start - begin >= 0) {
                    outcomes.merge(outcome, 1, Integer::sum);
                    if (outcome.equals("200")) {
                        add(System.nanoTime() - start);
                    }
                }
            }
        }

        private String send(byte[] image) {
            HttpRequest request = HttpRequest.newBuilder(target)
                    .timeout(Duration.ofMinutes(2))
                    .header("Content-Type", "application/octet-stream")
                    .POST(HttpRequest.BodyPublishers.ofByteArray(image))
                    .build();
            try {
                return Integer.toString(client.send(request, HttpResponse.BodyHandlers.ofByteArray())
                        .statusCode());
            } catch (IOException e) {
                return e.getClass().getSimpleName();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return "interrupted";
            }
        }

        private void add(long value) {
            if (count == nanos.length) {
                nanos = Arrays.copyOf(nanos, 2 * count);
            }
            nanos[count++] = value;
        }
    }

    public static void main(String[] args) throws Exception {
        URI target = URI.create(args[0]);
        List<byte[]> images = new ArrayList<>();
        try (Stream<Path> files = Files.list(Path.of(args[1]))) {
            for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
                images.add(Files.readAllBytes(file));
            }
        }
        int connections = Integer.parseInt(args[2]);
        double seconds = Double.parseDouble(args[3]);
        long start = System.nanoTime();
        long begin = start + (long) (seconds * 0.2e9);
        long end = start + (long) (seconds * 1e9);
        List<Connection> all = new ArrayList<>();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < connections; i++) {
            Connection connection = new Connection(target, images, i, begin, end);
            all.add(connection);
            Thread thread = new Thread(connection, "connection-" + i);
            threads.add(thread);
            thread.start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        print(all, connections, 0.8 * seconds, cpuSeconds() / (System.nanoTime() - start) * 1e9);
    }

    /** The processor time of this process: what the client itself took from a server on the same machine. */
    private static double cpuSeconds() {
        return ManagementFactory.getOperatingSystemMXBean() instanceof com.sun.management.OperatingSystemMXBean system
                ? system.getProcessCpuTime() / 1e9
                : Double.NaN;
    }

    private static void print(List<Connection> all, int connections, double seconds, double cores) {
        Map<String, Integer> outcomes = new TreeMap<>();
        all.forEach(each -> each.outcomes.forEach((outcome, count) -> outcomes.merge(outcome, count, Integer::sum)));
        long[] nanos = all.stream()
                .flatMapToLong(each -> Arrays.stream(each.nanos, 0, each.count))
                .sorted()
                .toArray();
        System.out.printf(
                Locale.ROOT,
                "%d connections: %.1f images/s, p50 %.1f ms, p90 %.1f ms, p99 %.1f ms, %s, client %.2f cores%n",
                connections,
                nanos.length / seconds,
                percentile(nanos, 0.5),
                percentile(nanos, 0.9),
                percentile(nanos, 0.99),
                outcomes,
                cores);
    }

    private static double percentile(long[] sorted, double share) {
        return sorted.length == 0
                ? Double.NaN
                : sorted[(int) Math.min(sorted.length - 1L, (long) (share * sorted.length))] / 1e6;
    }
}
