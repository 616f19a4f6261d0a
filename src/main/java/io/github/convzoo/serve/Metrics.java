package io.github.convzoo.serve;

import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.expositionformats.ExpositionFormatWriter;
import io.prometheus.metrics.expositionformats.ExpositionFormats;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryMXBean;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;

/** What Prometheus collects. Labels have few values: never a client's text. */
final class Metrics {

    private static final double SECOND = 1e9;

    /** Upper bounds in seconds, from a cache hit to the usual deadline. */
    private static final double[] SECONDS = {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30};

    private final PrometheusRegistry registry = new PrometheusRegistry();
    private final ExpositionFormats formats = ExpositionFormats.init();
    private final Map<String, IntSupplier> queues = new ConcurrentSkipListMap<>();

    private final Counter requests = Counter.builder()
            .name("convzoo_requests_total")
            .help("Answered requests by route, method, and status.")
            .labelNames("route", "method", "status")
            .register(registry);

    private final Histogram requestSeconds = Histogram.builder()
            .name("convzoo_request_seconds")
            .help("Time from a request's headers to its answer.")
            .labelNames("route")
            .classicOnly()
            .classicUpperBounds(SECONDS)
            .register(registry);

    private final Counter images = Counter.builder()
            .name("convzoo_images_total")
            .help("Computed images.")
            .labelNames("model", "work")
            .register(registry);

    private final Counter expired = Counter.builder()
            .name("convzoo_expired_requests_total")
            .help("Requests whose deadline passed before all their images were computed.")
            .labelNames("model", "work")
            .register(registry);

    private final Histogram batchImages = Histogram.builder()
            .name("convzoo_batch_images")
            .help("Images per batch.")
            .labelNames("model", "work")
            .classicOnly()
            .classicUpperBounds(1, 2, 4, 8, 16, 32, 64)
            .register(registry);

    private final Histogram batchSeconds = Histogram.builder()
            .name("convzoo_batch_seconds")
            .help("Time to compute a batch.")
            .labelNames("model", "work")
            .classicOnly()
            .classicUpperBounds(SECONDS)
            .register(registry);

    private final Histogram queueSeconds = Histogram.builder()
            .name("convzoo_queue_seconds")
            .help("Time that an image waited for a worker.")
            .labelNames("model", "work")
            .classicOnly()
            .classicUpperBounds(SECONDS)
            .register(registry);

    Metrics() {
        GaugeWithCallback.builder()
                .name("convzoo_queue_images")
                .help("Images that wait for a worker.")
                .labelNames("model")
                .callback(gauge -> queues.forEach((model, size) -> gauge.call(size.getAsInt(), model)))
                .register(registry);
        MemoryMXBean memory = ManagementFactory.getMemoryMXBean();
        GaugeWithCallback.builder()
                .name("convzoo_heap_bytes")
                .help("Used bytes of the Java heap. The engines' memory is outside of it.")
                .callback(
                        gauge -> gauge.call((double) memory.getHeapMemoryUsage().getUsed()))
                .register(registry);
    }

    void answered(String route, String method, int status, long nanos) {
        requests.labelValues(route, method, Integer.toString(status)).inc();
        requestSeconds.labelValues(route).observe(nanos / SECOND);
    }

    /** Shows the length of a model's queue. */
    void watch(String model, IntSupplier waiting) {
        queues.put(model, waiting);
    }

    /** Shows the bytes that all requests hold. */
    void watchMemory(LongSupplier taken) {
        GaugeWithCallback.builder()
                .name("convzoo_request_memory_bytes")
                .help("Bytes that requests hold of the memory that they share.")
                .callback(gauge -> gauge.call((double) taken.getAsLong()))
                .register(registry);
    }

    /** Counts what happens in a lane. */
    BatchQueue.Listener listener(String model, String work) {
        return new BatchQueue.Listener() {
            @Override
            public void computed(int count, long nanos) {
                images.labelValues(model, work).inc(count);
                batchImages.labelValues(model, work).observe(count);
                batchSeconds.labelValues(model, work).observe(nanos / SECOND);
            }

            @Override
            public void waited(long nanos) {
                queueSeconds.labelValues(model, work).observe(nanos / SECOND);
            }

            @Override
            public void expired() {
                expired.labelValues(model, work).inc();
            }
        };
    }

    /**
     * All metrics as text.
     *
     * @param accept the formats that the client accepts: OpenMetrics, or else Prometheus' own
     */
    Answer answer(String accept) throws IOException {
        ExpositionFormatWriter writer = accept.contains("application/openmetrics-text")
                ? formats.getOpenMetricsTextFormatWriter()
                : formats.getPrometheusTextFormatWriter();
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        writer.write(text, registry.scrape());
        return Answer.bytes(writer.getContentType(), text.toByteArray());
    }
}
