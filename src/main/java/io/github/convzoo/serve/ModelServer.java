package io.github.convzoo.serve;

import io.github.convzoo.message.Reason;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.NetworkConnectionLimit;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.handler.GracefulHandler;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves image classifiers over HTTP.
 *
 * <p>A request passes through three kinds of threads, none of which waits for another or for a client: Jetty's read and
 * write, decoders turn its images into the network's input, and workers compute batches. Queues in between are bounded;
 * a request that finds one full is answered 503 at once.
 *
 * <p>{@link #close} drains: it refuses new requests, answers those that were accepted, and then frees the models.
 */
public final class ModelServer implements AutoCloseable {

    private static final Logger LOGGER = LoggerFactory.getLogger(ModelServer.class);

    /** URLs and headers; larger ones are answered 431. */
    private static final int HEADER_BYTES = 8 << 10;

    /** A connection on which nothing happens is closed. */
    private static final Duration IDLE = Duration.ofSeconds(30);

    /** Jetty's threads read, write, and turn results into text; none of it waits. */
    private static final int HTTP_THREADS = 16;

    /** Requests that name URLs wait for other servers. */
    private static final int URL_THREADS = 8;

    private final BatchQueue queue = new BatchQueue(System::nanoTime);
    private final Map<String, ServedModel> models = new LinkedHashMap<>();
    private final List<Thread> workers = new ArrayList<>();
    private final ServerOptions options;
    private final ThreadPoolExecutor decoders;
    private final Server server;
    private final ServerConnector connector;
    private final ConnectionWatch watch;
    private volatile boolean ready;
    private int port;

    /**
     * Loads models and starts to serve them.
     *
     * @param offers the models, with different names
     * @param options how to serve
     * @return the server, which answers requests already; close it to stop
     * @throws IOException if a model cannot be loaded, or the port cannot be bound
     * @throws IllegalArgumentException if there is no model, two have the same name, or one does not support its
     *     options
     */
    public static ModelServer start(List<Offer> offers, ServerOptions options) throws IOException {
        if (offers.isEmpty()) {
            throw new IllegalArgumentException("there is no model to serve");
        }
        if (offers.stream().map(Offer::name).distinct().count() < offers.size()) {
            throw new IllegalArgumentException("two models have the same name; serve one as NAME=MODEL");
        }
        ModelServer server = new ModelServer(options);
        try {
            server.run(offers);
            return server;
        } catch (IOException | RuntimeException e) {
            server.close();
            throw e;
        }
    }

    private ModelServer(ServerOptions options) {
        this.options = options;
        QueuedThreadPool threads = new QueuedThreadPool(HTTP_THREADS, 4);
        threads.setName("http");
        server = new Server(threads);
        connector = new ServerConnector(server, 1, 1, new HttpConnectionFactory(configuration()));
        connector.setHost(options.host());
        connector.setPort(options.port());
        connector.setIdleTimeout(IDLE.toMillis());
        server.addConnector(connector);
        ServerOptions.ConnectionLimits limits = options.limits().connections();
        watch = new ConnectionWatch(limits, System::nanoTime);
        connector.addBean(watch);
        connector.addBean(new ClientLimit(limits.perClient()));
        server.addBean(new NetworkConnectionLimit(limits.all(), connector));
        server.setErrorHandler(new JsonErrors());
        // Every accepted request is answered before its deadline, or soon after.
        server.setStopTimeout(
                options.batching().deadline().plus(options.limits().readTime()).toMillis());
        AtomicInteger count = new AtomicInteger();
        int size = options.workers() + (options.access().urls() ? URL_THREADS : 0);
        decoders = new ThreadPoolExecutor(
                size,
                size,
                0,
                TimeUnit.SECONDS,
                new ArrayBlockingQueue<>(options.batching().queue()),
                task -> new Thread(task, "decoder-" + count.incrementAndGet()));
    }

    private static HttpConfiguration configuration() {
        HttpConfiguration configuration = new HttpConfiguration();
        configuration.setSendServerVersion(false);
        configuration.setRequestHeaderSize(HEADER_BYTES);
        return configuration;
    }

    private void run(List<Offer> offers) throws IOException {
        Metrics metrics = new Metrics();
        for (Offer offer : offers) {
            models.put(
                    offer.name(), ServedModel.load(offer, queue, options.batching(), metrics, server.getThreadPool()));
        }
        for (int i = 1; i <= options.workers(); i++) {
            Thread worker = new Thread(this::compute, "compute-" + i);
            workers.add(worker);
            worker.start();
        }
        Routes routes = new Routes(models, options, metrics, () -> ready, version());
        server.setHandler(new Draining(new RequestHandler(
                routes.all(),
                new AccessRules(options.host(), options.access(), connector::getLocalPort),
                options,
                metrics,
                decoders,
                watch)));
        ready = true;
        try {
            server.start();
            port = connector.getLocalPort();
            watch.start(connector.getScheduler());
        } catch (IOException e) {
            throw new IOException(
                    "cannot listen on " + options.host() + ", port " + options.port() + " ("
                            + Reason.of(e.getCause() == null ? e : e.getCause()) + "); choose another --port or --host",
                    e);
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IOException("the server does not start (" + Reason.of(e) + ")", e);
        }
    }

    private static String version() {
        String version = ModelServer.class.getPackage().getImplementationVersion();
        return version == null ? "development" : version;
    }

    private void compute() {
        try {
            for (BatchQueue.Batch<?, ?> batch = queue.take(); batch != null; batch = queue.take()) {
                batch.run();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** {@return the address where the server listens, with the port that was chosen} */
    public URI address() {
        String host = options.host().contains(":") ? "[" + options.host() + "]" : options.host();
        return URI.create("http://" + host + ":" + port + "/");
    }

    /** Refuses new requests, answers those that were accepted, and frees the models. */
    @Override
    public void close() {
        ready = false;
        queue.hurry();
        try {
            server.stop();
        } catch (Exception e) {
            LOGGER.warn("the server did not stop in order", e);
        }
        decoders.shutdown();
        queue.close();
        try {
            for (Thread worker : workers) {
                worker.join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return;
        }
        models.values().forEach(ServedModel::close);
    }

    /** Answers accepted requests while the server stops, and refuses others in the shape of all errors. */
    private static final class Draining extends GracefulHandler {

        Draining(RequestHandler handler) {
            super(handler);
        }

        @Override
        protected void handleShutdownRejection(Request request, Response response, Callback callback) {
            RequestHandler.write(
                    Answer.of(new Problem(Problem.Kind.STOPPING, "the server is stopping; try another one"))
                            .with("Connection", "close"),
                    response,
                    callback);
        }
    }
}
