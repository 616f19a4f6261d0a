package io.github.convzoo.cli;

import ai.djl.Device;
import io.github.convzoo.checkpoint.TextFile;
import io.github.convzoo.image.ImageDecoder;
import io.github.convzoo.image.Labels;
import io.github.convzoo.serve.ModelServer;
import io.github.convzoo.serve.Offer;
import io.github.convzoo.serve.ServerOptions;
import io.github.convzoo.zoo.LoadOptions;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(
        name = "serve",
        description = "Classify images over HTTP: a web page, the Open Inference Protocol, /predictions, and metrics.",
        footer = {
            "",
            "Ctrl-C or SIGTERM stops the server once it has answered the requests that it accepted.",
            "",
            "Examples:",
            "  convzoo serve --model dpn68b.ra_in1k --compiled",
            "  convzoo serve --model run --model clothes=peleenet.fmnist --port 9000",
            "  convzoo serve --model run --host 0.0.0.0 --api-key-file key.txt",
            "  curl --data-binary @photo.jpg http://127.0.0.1:8080/predictions/run"
        })
final class ServeCommand implements Callable<Integer> {

    /** Above the cameras of phones. Decoding takes up to 12 bytes per pixel, at once on each core. */
    private static final long MAX_PIXELS = 64_000_000;

    /** Ten scans of the largest image, about five seconds. */
    private static final long MAX_DECODED_PIXELS = 10 * MAX_PIXELS;

    private static final String KEY_VARIABLE = "CONVZOO_API_KEY";

    @Spec
    CommandSpec spec = CommandSpec.create();

    @ParentCommand
    Main main = Main.inProcess();

    @Option(
            names = "--model",
            paramLabel = "[NAME=]MODEL",
            required = true,
            description = "A network, network.tag, model folder, or hf-hub:owner/name, served under its own name or"
                    + " NAME. May be repeated.")
    List<String> models = new ArrayList<>();

    @Option(
            names = "--host",
            paramLabel = "HOST",
            defaultValue = "127.0.0.1",
            description = "The address to listen on; 0.0.0.0 for all. Default: 127.0.0.1, this machine only.")
    String host = "127.0.0.1";

    @Option(
            names = "--port",
            paramLabel = "PORT",
            defaultValue = "8080",
            description = "The port to listen on; 0 for any free one. Default: 8080.")
    int port = 8080;

    @Option(
            names = "--api-key",
            paramLabel = "KEY",
            description = "Require this key in requests, except for the page and health checks. Others on this machine"
                    + " see it in the list of processes; better set " + KEY_VARIABLE + ", or use --api-key-file.")
    @Nullable String apiKey;

    @Option(names = "--api-key-file", paramLabel = "FILE", description = "Read the key from the first line of a file.")
    @Nullable Path apiKeyFile;

    @Option(
            names = "--allowed-host",
            paramLabel = "NAME",
            description = "Another name of this server, such as a proxy's, that requests may have in the Host header."
                    + " May be repeated.")
    List<String> allowedHosts = new ArrayList<>();

    @Option(names = "--allow-urls", description = "Fetch images that requests name by URL, from public addresses only.")
    boolean allowUrls;

    @Option(
            names = "--batch-size",
            paramLabel = "N",
            description = "The largest batch. Default: 8 with ONNX Runtime, 32 on a GPU, else 1, because PyTorch's"
                    + " results depend on the batch in the last bits.")
    @Nullable Integer batchSize;

    @Option(
            names = "--batch-delay",
            paramLabel = "MS",
            defaultValue = "0",
            description = "How long an image waits for others to share its batch, in milliseconds. Default: 0, so that"
                    + " batches form only while all workers are busy.")
    long batchDelay;

    @Option(
            names = "--queue",
            paramLabel = "N",
            defaultValue = "128",
            description = "How many images per model may wait; further requests are answered 503. Default: 128.")
    int queue = 128;

    @Option(
            names = "--deadline",
            paramLabel = "S",
            defaultValue = "30",
            description = "Seconds after which a request that is still waiting is answered 503. Default: 30.")
    int deadline = 30;

    @Option(
            names = "--max-request",
            paramLabel = "BYTES",
            defaultValue = "32M",
            description = "The largest body of a request. Default: 32M.")
    String maxRequest = "32M";

    @Option(
            names = "--max-images",
            paramLabel = "N",
            description = "The number of images in one request. Default: 64, or --queue if that is less.")
    @Nullable Integer maxImages;

    @Option(
            names = "--labels",
            paramLabel = "FILE",
            description = "The class names, one per line (one --model only). Default: the model's, else ImageNet's if"
                    + " there are 1000 classes, else class numbers.")
    @Nullable Path labels;

    @Mixin
    ReadingOptions reading = new ReadingOptions();

    @Mixin
    CompileOptions compile = new CompileOptions();

    @Option(
            names = "--device",
            paramLabel = "DEVICE",
            description = "cpu, gpu0, gpu1, ... Default: a GPU if there is one.")
    @Nullable String device;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "The number of threads that compute one batch. Default: 1, with a batch on each core.")
    @Nullable Integer threads;

    @Mixin
    CommonOptions common = new CommonOptions();

    @Override
    public Integer call() throws Exception {
        ComputeOptions compute = new ComputeOptions();
        compute.device = device;
        compute.threads = threads;
        Optional<Device> chosen = compute.applyForMany();
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        ServerOptions options = options();
        List<Offer> offers = offers(chosen, err);
        try (ModelServer server = ModelServer.start(offers, options);
                Termination termination = new Termination(main.ended)) {
            if (options.access().apiKey().isEmpty()
                    && !InetAddress.getByName(host).isLoopbackAddress()) {
                err.println("convzoo: whoever reaches " + host + " can use this server; set " + KEY_VARIABLE
                        + " or --api-key-file to require a key");
            }
            out.println("serving "
                    + String.join(", ", offers.stream().map(Offer::name).toList()) + " at " + server.address());
            out.flush();
            termination.await();
            err.println("convzoo: stopping; answering the requests that were accepted");
        }
        return Main.DONE;
    }

    private ServerOptions options() throws IOException {
        int cores = Runtime.getRuntime().availableProcessors();
        ServerOptions.RequestLimits usual = ServerOptions.RequestLimits.DEFAULT;
        int images = maxImages == null ? Math.min(usual.images(), queue) : maxImages;
        if (images > queue) {
            throw new IllegalArgumentException("--max-images " + images + " never fit into --queue " + queue
                    + "; lower the one or raise the other");
        }
        if (deadline < 1) {
            throw new IllegalArgumentException("--deadline must be at least 1 second, not " + deadline);
        }
        return new ServerOptions(
                host,
                port,
                new ServerOptions.Access(key(), new LinkedHashSet<>(allowedHosts), allowUrls),
                new ServerOptions.Batching(
                        batchSize == null ? OptionalInt.empty() : OptionalInt.of(batchSize),
                        Duration.ofMillis(batchDelay),
                        queue,
                        Duration.ofSeconds(deadline)),
                new ServerOptions.RequestLimits(
                        bytes(maxRequest), images, usual.memory(), usual.readTime(), usual.connections()),
                Math.max(1, cores / (threads == null ? 1 : threads)));
    }

    /** A number of bytes, such as 32M. */
    private static int bytes(String text) {
        String upper = text.toUpperCase(Locale.ROOT);
        int shift = upper.endsWith("K") ? 10 : upper.endsWith("M") ? 20 : 0;
        String digits = shift == 0 ? upper : upper.substring(0, upper.length() - 1);
        if (digits.matches("[0-9]{1,10}")) {
            long value = Long.parseLong(digits) << shift;
            if (value >= 1 && value <= 1 << 30) {
                return (int) value;
            }
        }
        throw new IllegalArgumentException(
                "--max-request must be 1 to 1024M bytes, such as 500000 or 32M, not " + text);
    }

    private Optional<String> key() throws IOException {
        if (apiKey != null && apiKeyFile != null) {
            throw new IllegalArgumentException("--api-key and --api-key-file are mutually exclusive; choose one");
        }
        if (apiKeyFile != null) {
            return Optional.of(
                    TextFile.read(apiKeyFile).lines().findFirst().orElse("").strip());
        }
        return Optional.ofNullable(apiKey == null ? main.environment.apply(KEY_VARIABLE) : apiKey);
    }

    private List<Offer> offers(Optional<Device> chosen, PrintWriter err) throws IOException {
        Map<String, String> named = names(models);
        if (labels != null && named.size() > 1) {
            throw new IllegalArgumentException("--labels is for one --model, and there are " + named.size()
                    + "; put the labels into the models' config.json");
        }
        List<Offer> offers = new ArrayList<>();
        for (Map.Entry<String, String> each : named.entrySet()) {
            ModelOptions model = new ModelOptions();
            model.model = each.getValue();
            model.reading = reading;
            ModelOptions.Opened opened =
                    model.open(model.options(main, common, err), new InputOptions(), null, compile, chosen);
            LoadOptions options =
                    labels == null ? opened.options() : opened.options().withLabels(Labels.read(labels));
            offers.add(new Offer(each.getKey(), opened.model(), options, opened.config(), decoder()));
        }
        return offers;
    }

    /** A decoder with tighter usual limits than for files on this machine. */
    private ImageDecoder decoder() {
        ImageDecoder decoder = reading.decoder();
        if (!limits("imagePixels")) {
            decoder = decoder.withMaxPixels(MAX_PIXELS);
        }
        // Whoever allows larger images expects to decode them.
        return limits("imageDecodedPixels") || limits("imagePixels")
                ? decoder
                : decoder.withMaxDecodedPixels(MAX_DECODED_PIXELS);
    }

    private boolean limits(String name) {
        return reading.limits.stream().anyMatch(limit -> limit.startsWith(name + "="));
    }

    /** The names of models in URLs, in the order of the options. */
    static Map<String, String> names(List<String> models) {
        Map<String, String> named = new LinkedHashMap<>();
        for (String each : models) {
            int sign = each.indexOf('=');
            boolean hasName = sign > 0 && Offer.isName(each.substring(0, sign));
            if (hasName && exists(each)) {
                throw new IllegalArgumentException("--model " + each + " is a name for "
                        + each.substring(sign + 1) + ", and a file; write ./" + each
                        + " for the file, or rename it");
            }
            String model = hasName ? each.substring(sign + 1) : each;
            String name = hasName ? each.substring(0, sign) : lastPart(model);
            if (!Offer.isName(name)) {
                throw new IllegalArgumentException("--model " + each + ": " + name
                        + " cannot be part of a URL; give the model a name of ASCII letters, digits, dots,"
                        + " underscores, and hyphens, as in NAME=" + model);
            }
            String other = named.put(name, model);
            if (other != null) {
                throw new IllegalArgumentException("--model: " + other + " and " + model + " would both be served as "
                        + name + "; give one another name, as in NAME=" + model);
            }
        }
        return named;
    }

    private static boolean exists(String text) {
        try {
            return Files.exists(Path.of(text));
        } catch (InvalidPathException e) {
            return false;
        }
    }

    /** The name of a folder or file, or of a repository without its owner and revision. */
    private static String lastPart(String model) {
        if (model.startsWith("hf-hub:")) {
            return model.substring(model.lastIndexOf('/') + 1).replaceFirst("@.*", "");
        }
        if (!exists(model)) {
            return model.substring(Math.max(model.lastIndexOf('/'), model.lastIndexOf('\\')) + 1);
        }
        // Also of . and .. in it.
        Path name = Path.of(model).toAbsolutePath().normalize().getFileName();
        return name == null ? model : name.toString();
    }

    /** Stops the server on Ctrl-C and SIGTERM, and lets the process end only then, as a success. */
    private static final class Termination implements AutoCloseable {

        private final CountDownLatch asked = new CountDownLatch(1);
        private final Thread hook;

        Termination(CountDownLatch ended) {
            hook = new Thread(() -> {
                asked.countDown();
                try {
                    ended.await();
                    // The JVM would report the signal (143), and a supervisor a failure.
                    Runtime.getRuntime().halt(Main.DONE);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
            Runtime.getRuntime().addShutdownHook(hook);
        }

        void await() throws InterruptedException {
            asked.await();
        }

        @Override
        public void close() {
            try {
                Runtime.getRuntime().removeShutdownHook(hook);
            } catch (IllegalStateException e) {
                // The process is already exiting.
            }
        }
    }
}
