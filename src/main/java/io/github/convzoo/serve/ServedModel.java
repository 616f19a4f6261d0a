package io.github.convzoo.serve;

import ai.djl.Device;
import ai.djl.modality.Classifications;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.TranslateException;
import com.google.gson.JsonArray;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import io.github.convzoo.image.ImageDecoder;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.image.RgbImage;
import io.github.convzoo.nn.GraphBlock;
import io.github.convzoo.weights.ModelConfig;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.Explainer;
import io.github.convzoo.zoo.Explanation;
import io.github.convzoo.zoo.PreparedImage;
import io.github.convzoo.zoo.StagedModel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** A model that the server offers under a name. Thread-safe. */
final class ServedModel implements AutoCloseable {

    /** The only version of every model. */
    static final String VERSION = "1";

    /** Images that wait to be explained are whole, and taken from the memory that requests share. */
    private static final int QUESTIONS = 8;

    private final String name;
    private final ModelConfig config;
    private final ImageDecoder decoder;
    private final ZooModel<RgbImage, Classifications> model;
    private final StagedModel<RgbImage, Classifications> stages;
    private final List<String> labels;
    private final long[] labelBytes;
    private final BatchQueue.Lane<Question, Explanation> questions;
    private final Offer offer;
    private final Executor answers;
    private final Object explaining = new Object();
    private @Nullable Explainer explainer;
    private final BatchPolicy policy;
    private final BatchQueue.Lane<PreparedImage, Classifications> lane;

    /**
     * Loads a model and computes one image, so that whatever is wrong with it shows now, and the first request is as
     * fast as the others.
     *
     * @param answers turns results into responses, off the workers
     * @throws IOException if it cannot be loaded, or does not compute numbers
     */
    static ServedModel load(
            Offer offer, BatchQueue queue, ServerOptions.Batching batching, Metrics metrics, Executor answers)
            throws IOException {
        ZooModel<RgbImage, Classifications> model = ConvZoo.load(offer.model(), RgbImage.class, offer.options());
        try {
            StagedModel<RgbImage, Classifications> stages = StagedModel.of(model);
            Classifications first =
                    stages.run(List.of(stages.prepare(gray(offer.config())))).get(0);
            if (first.getProbabilities().stream().anyMatch(each -> each.isNaN())) {
                throw new IOException(offer.name()
                        + ": the network's output is NaN; the weights are damaged, or were trained for another input");
            }
            return new ServedModel(offer, model, stages, first.getClassNames(), queue, batching, metrics, answers);
        } catch (TranslateException e) {
            model.close();
            throw new IOException(offer.name() + ": the engine failed (" + e.getMessage() + ")", e);
        } catch (IOException | RuntimeException e) {
            model.close();
            throw e;
        }
    }

    private ServedModel(
            Offer offer,
            ZooModel<RgbImage, Classifications> model,
            StagedModel<RgbImage, Classifications> stages,
            List<String> labels,
            BatchQueue queue,
            ServerOptions.Batching batching,
            Metrics metrics,
            Executor answers) {
        this.offer = offer;
        this.answers = answers;
        this.name = offer.name();
        this.config = offer.config();
        this.decoder = offer.decoder().withOrientation(offer.config().upright());
        this.model = model;
        this.stages = stages;
        this.labels = labels;
        labelBytes = labelBytes(labels);
        policy = new BatchPolicy(batching.size().orElseGet(stages::usualBatchSize), batching.delay());
        lane = queue.add(policy, batching.queue(), stages::run, metrics.listener(name, "prediction"));
        questions = queue.add(
                new BatchPolicy(1, Duration.ZERO),
                Math.min(QUESTIONS, batching.queue()),
                each -> List.of(explained(each.get(0))),
                metrics.listener(name, "explanation"));
        metrics.watch(name, () -> lane.waiting() + questions.waiting());
    }

    private static RgbImage gray(ModelConfig config) {
        Preprocessing preprocessing = config.preprocessing();
        byte[] samples = new byte[3 * preprocessing.width() * preprocessing.height()];
        Arrays.fill(samples, (byte) 128);
        return RgbImage.of(preprocessing.width(), preprocessing.height(), samples);
    }

    String name() {
        return name;
    }

    List<String> labels() {
        return labels;
    }

    /** The bytes of so many labels in JSON, at most. */
    long longestLabels(int count) {
        return labelBytes[count];
    }

    private static long[] labelBytes(List<String> labels) {
        int[] longestFirst = labels.stream()
                .map(JsonPrimitive::new)
                .mapToInt(label -> -Json.line(label).getBytes(StandardCharsets.UTF_8).length)
                .sorted()
                .toArray();
        long[] sums = new long[longestFirst.length + 1];
        for (int i = 0; i < longestFirst.length; i++) {
            sums[i + 1] = sums[i] - longestFirst[i];
        }
        return sums;
    }

    /** The network's input: channels, height, width. */
    List<Integer> input() {
        Preprocessing preprocessing = config.preprocessing();
        return List.of(preprocessing.normalization().channels(), preprocessing.height(), preprocessing.width());
    }

    /** Decodes the images of requests. */
    ImageDecoder decoder() {
        return decoder;
    }

    /** The first stage of a prediction, on the caller's thread. */
    PreparedImage prepare(RgbImage image) throws IOException {
        return stages.prepare(image);
    }

    /** An image that the client has preprocessed. */
    PreparedImage prepared(float[] values) {
        return stages.prepared(values);
    }

    /** The runtime that computes. */
    String platform() {
        return model.getBlock() instanceof GraphBlock block && block.isBatchInvariant() ? "onnxruntime" : "pytorch";
    }

    /** The second stage: probabilities, class by class, for each image. */
    CompletableFuture<BatchQueue.Done<Classifications>> classify(List<PreparedImage> images, long deadline)
            throws Problem {
        return lane.submit(images, deadline).thenApplyAsync(ServedModel::numbers, answers);
    }

    /**
     * An image to explain.
     *
     * @param image the image
     * @param className the number or name of the class; empty for the predicted class
     */
    record Question(RgbImage image, Optional<String> className) {}

    /** Where an image has evidence for a class. */
    CompletableFuture<BatchQueue.Done<Explanation>> explain(Question question, long deadline) throws Problem {
        return questions.submit(List.of(question), deadline).thenApplyAsync(done -> done, answers);
    }

    private Explanation explained(Question question) throws Problem, IOException {
        Explainer ready = explainer();
        try {
            return question.className.isEmpty()
                    ? ready.explain(question.image)
                    : ready.explain(question.image, ready.classNumber(question.className.get()));
        } catch (IllegalArgumentException e) {
            // No such class, or no maps for this network.
            throw new Problem(Problem.Kind.BAD_REQUEST, String.valueOf(e.getMessage()), e);
        }
    }

    /** Loads what explains, for the first explanation: it has weights of its own, which not every server needs. */
    private Explainer explainer() throws Problem, IOException {
        synchronized (explaining) {
            if (explainer == null) {
                try {
                    explainer = ConvZoo.loadExplainer(offer.model(), offer.options());
                } catch (IllegalArgumentException e) {
                    throw new Problem(Problem.Kind.NOT_IMPLEMENTED, String.valueOf(e.getMessage()), e);
                }
            }
            return explainer;
        }
    }

    private static BatchQueue.Done<Classifications> numbers(BatchQueue.Done<Classifications> done) {
        for (Classifications each : done.outputs()) {
            if (each.getProbabilities().stream().anyMatch(value -> value.isNaN())) {
                throw new CompletionException(new Problem(
                        Problem.Kind.BAD_REQUEST,
                        "the network's output for this input is NaN; the input's values are too large, or the"
                                + " model's weights are damaged"));
            }
        }
        return done;
    }

    /** What people want to know about the model. */
    JsonObject card() {
        Preprocessing preprocessing = config.preprocessing();
        JsonObject card = new JsonObject();
        card.addProperty("name", name);
        card.addProperty("version", VERSION);
        card.addProperty("network", config.variant().modelName());
        card.addProperty("classes", labels.size());
        JsonArray input = new JsonArray();
        input().forEach(input::add);
        card.add("input", input);
        card.addProperty("resize", preprocessing.resampling().toString());
        card.addProperty("cropMode", preprocessing.cropMode().toString());
        card.addProperty("cropFraction", preprocessing.cropFraction());
        if (config.license().isPresent()) {
            card.addProperty("license", config.license().get());
        } else {
            card.add("license", JsonNull.INSTANCE);
        }
        card.addProperty("runtime", platform());
        card.addProperty("device", deviceName());
        card.addProperty("batchSize", policy.size());
        return card;
    }

    /** As in the option --device. */
    private String deviceName() {
        Device device = model.getNDManager().getDevice();
        return device.isGpu() ? device.getDeviceType() + device.getDeviceId() : device.getDeviceType();
    }

    /** Frees the model; nothing may wait in its lane. */
    @Override
    public void close() {
        synchronized (explaining) {
            if (explainer != null) {
                explainer.close();
            }
        }
        stages.close();
        model.close();
    }
}
