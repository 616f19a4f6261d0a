package io.github.convzoo.serve;

import ai.djl.modality.Classifications;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.github.convzoo.image.RgbImage;
import io.github.convzoo.zoo.PreparedImage;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletionStage;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/**
 * The Open Inference Protocol, version 2: metadata, and inference.
 *
 * <p>A model has three inputs, of which a request has one, and three outputs:
 *
 * <table>
 * <caption>Tensors</caption>
 * <tr><td>{@code images}</td><td>BYTES [N]</td><td>image files</td></tr>
 * <tr><td>{@code pixels}</td><td>UINT8 [N, height, width, 3]</td><td>images of any size, red, green, blue</td></tr>
 * <tr><td>{@code input}</td><td>FP32 [N, C, H, W]</td><td>the network's input: resized, cropped, normalized</td></tr>
 * <tr><td>{@code probabilities}</td><td>FP32 [N, classes]</td><td></td></tr>
 * <tr><td>{@code class}</td><td>INT64 [N]</td><td>the number of the most probable class</td></tr>
 * <tr><td>{@code label}</td><td>BYTES [N]</td><td>its name</td></tr>
 * </table>
 */
final class Inference {

    /** For messages. */
    static final String INPUTS =
            "images (BYTES [N], image files), pixels (UINT8 [N, height, width, 3]), or input (FP32 [N, C, H, W])";

    /** For messages. */
    static final String OUTPUTS = "probabilities, class, or label";

    static final List<String> OUTPUT_NAMES = List.of("probabilities", "class", "label");

    private final RequestImages requestImages;
    private final int maxImages;

    Inference(RequestImages requestImages, int maxImages) {
        this.requestImages = requestImages;
        this.maxImages = maxImages;
    }

    /** The model's metadata. */
    static Answer metadata(ServedModel model) {
        JsonObject json = new JsonObject();
        json.addProperty("name", model.name());
        JsonArray versions = new JsonArray();
        versions.add(ServedModel.VERSION);
        json.add("versions", versions);
        json.addProperty("platform", model.platform());
        List<Integer> size = model.input();
        JsonArray inputs = new JsonArray();
        inputs.add(tensor("images", "BYTES", -1));
        inputs.add(tensor("pixels", "UINT8", -1, -1, -1, 3));
        inputs.add(tensor("input", "FP32", -1, size.get(0), size.get(1), size.get(2)));
        json.add("inputs", inputs);
        JsonArray outputs = new JsonArray();
        outputs.add(tensor("probabilities", "FP32", -1, model.labels().size()));
        outputs.add(tensor("class", "INT64", -1));
        outputs.add(tensor("label", "BYTES", -1));
        json.add("outputs", outputs);
        return Answer.json(json);
    }

    private static JsonObject tensor(String name, String type, int... shape) {
        JsonObject json = new JsonObject();
        json.addProperty("name", name);
        json.addProperty("datatype", type);
        JsonArray dimensions = new JsonArray();
        IntStream.of(shape).forEach(dimensions::add);
        json.add("shape", dimensions);
        return json;
    }

    /** Answers a request for inference. */
    CompletionStage<Answer> infer(ServedModel model, Call call) throws Problem {
        InferRequest request =
                InferRequest.read(call.body(), call.header(InferRequest.JSON_LENGTH), maxImages, call.memory());
        List<InferRequest.Output> outputs = outputs(request);
        for (InferRequest.Output output : outputs) {
            check(output, model);
        }
        int count = count(request.input());
        call.memory().take(cost(model, count, outputs), "its answer");
        List<PreparedImage> images = images(model, request.input(), count, call.deadline());
        return model.classify(images, call.deadline())
                .thenApply(done -> response(model, request, outputs, done.outputs())
                        .with(Predictions.TIMING, Predictions.timing(done)));
    }

    private static List<InferRequest.Output> outputs(InferRequest request) {
        return request.outputs().isEmpty()
                ? OUTPUT_NAMES.stream()
                        .map(name -> new InferRequest.Output(name, OptionalInt.empty(), Optional.empty()))
                        .toList()
                : request.outputs();
    }

    private static void check(InferRequest.Output output, ServedModel model) throws Problem {
        if (output.classification().isPresent()
                && (!output.name().equals("probabilities")
                        || output.classification().getAsInt() > model.labels().size())) {
            throw new Problem(
                    Problem.Kind.BAD_REQUEST,
                    "classification is for probabilities, and at most "
                            + model.labels().size() + ", not "
                            + output.classification().getAsInt() + " of " + output.name());
        }
    }

    /** What the answer takes at most while it is made. */
    private static long cost(ServedModel model, int images, List<InferRequest.Output> outputs) {
        long cost = AnswerCost.results(model, images);
        for (InferRequest.Output output : outputs) {
            if (output.classification().isPresent()) {
                cost += AnswerCost.texts(model, images, output.classification().getAsInt());
            } else if (output.name().equals("probabilities")) {
                cost += AnswerCost.numbers((long) images * model.labels().size());
            } else {
                cost += AnswerCost.texts(model, images, 1);
            }
        }
        return cost;
    }

    /** Checks an input's name and type, and the number of its images. */
    private int count(InferRequest.Tensor tensor) throws Problem {
        String expected =
                switch (tensor.name()) {
                    case "images" -> "BYTES";
                    case "pixels" -> "UINT8";
                    case "input" -> "FP32";
                    default ->
                        throw new Problem(
                                Problem.Kind.BAD_REQUEST, "there is no input " + tensor.name() + "; use " + INPUTS);
                };
        if (!tensor.type().equals(expected)) {
            throw new Problem(
                    Problem.Kind.BAD_REQUEST,
                    "the input " + tensor.name() + " has the datatype " + expected + ", not " + tensor.type() + "; use "
                            + INPUTS);
        }
        List<Long> shape = tensor.shape();
        if (shape.isEmpty() || shape.get(0) < 1) {
            throw new Problem(
                    Problem.Kind.BAD_REQUEST,
                    "the shape of the input " + tensor.name() + " must start with at least 1 image, not " + shape);
        }
        if (shape.get(0) > maxImages) {
            throw new Problem(
                    Problem.Kind.TOO_LARGE,
                    "a request may have at most " + maxImages + " images, not " + shape.get(0)
                            + "; send several requests");
        }
        return (int) (long) shape.get(0);
    }

    private List<PreparedImage> images(ServedModel model, InferRequest.Tensor tensor, int count, long deadline)
            throws Problem {
        return switch (tensor.name()) {
            case "images" -> files(model, tensor, count, deadline);
            case "pixels" -> pixels(model, tensor, count, deadline);
            default -> floats(model, tensor, count);
        };
    }

    private List<PreparedImage> files(ServedModel model, InferRequest.Tensor tensor, int count, long deadline)
            throws Problem {
        if (tensor.shape().size() > 2
                || (tensor.shape().size() == 2 && tensor.shape().get(1) != 1)) {
            throw new Problem(
                    Problem.Kind.BAD_REQUEST,
                    "the shape of the input images must be [N] or [N, 1], not " + tensor.shape());
        }
        if (tensor.data() instanceof InferRequest.Data.Files files) {
            return requestImages.prepare(model, count, deadline, i -> {
                ByteBuffer file = files.files().get(i);
                byte[] bytes = new byte[file.remaining()];
                file.duplicate().get(bytes);
                return requestImages.decode(model, bytes, name(i, count));
            });
        }
        if (tensor.data() instanceof InferRequest.Data.Texts texts) {
            return requestImages.prepare(model, count, deadline, i -> {
                String text = texts.texts().get(i);
                return text.indexOf(':') >= 0
                        ? requestImages.linked(model, text, deadline)
                        : requestImages.decode(model, InferRequest.decodeBase64(text), name(i, count));
            });
        }
        throw new Problem(Problem.Kind.BAD_REQUEST, "the data of the input images must be strings: base64, or URLs");
    }

    private static String name(int index, int count) {
        return count == 1 ? "the image" : "image " + index;
    }

    private List<PreparedImage> pixels(ServedModel model, InferRequest.Tensor tensor, int count, long deadline)
            throws Problem {
        List<Long> shape = tensor.shape();
        if (shape.size() != 4 || shape.get(1) < 1 || shape.get(2) < 1 || shape.get(3) != 3) {
            throw new Problem(
                    Problem.Kind.BAD_REQUEST,
                    "the shape of the input pixels must be [N, height, width, 3], not " + shape);
        }
        // The elements were counted, so they fit into an array.
        int height = (int) (long) shape.get(1);
        int width = (int) (long) shape.get(2);
        int size = 3 * width * height;
        IntFunction<byte[]> part;
        if (tensor.data() instanceof InferRequest.Data.Pixels pixels) {
            part = i -> {
                byte[] samples = new byte[size];
                pixels.bytes().duplicate().position(i * size).get(samples);
                return samples;
            };
        } else if (tensor.data() instanceof InferRequest.Data.Numbers numbers) {
            byte[] all = bytes(numbers.values());
            part = i -> Arrays.copyOfRange(all, i * size, (i + 1) * size);
        } else {
            throw new Problem(Problem.Kind.BAD_REQUEST, "the data of the input pixels must be numbers");
        }
        return requestImages.prepare(model, count, deadline, i -> RgbImage.of(width, height, part.apply(i)));
    }

    private static byte[] bytes(InferRequest.FloatList values) throws Problem {
        byte[] bytes = new byte[values.size()];
        float[] all = values.part(0, values.size());
        for (int i = 0; i < bytes.length; i++) {
            if (all[i] != (int) all[i] || all[i] < 0 || all[i] > 255) {
                throw new Problem(
                        Problem.Kind.BAD_REQUEST,
                        "the input pixels must have whole numbers from 0 to 255, not " + all[i]);
            }
            bytes[i] = (byte) (int) all[i];
        }
        return bytes;
    }

    private static List<PreparedImage> floats(ServedModel model, InferRequest.Tensor tensor, int count) throws Problem {
        List<Integer> size = model.input();
        List<Long> expected = List.of((long) count, (long) size.get(0), (long) size.get(1), (long) size.get(2));
        if (!tensor.shape().equals(expected)) {
            throw new Problem(
                    Problem.Kind.BAD_REQUEST,
                    "the shape of the input must be [N, %d, %d, %d], not %s; it is the network's own, normalized"
                                    .formatted(size.get(0), size.get(1), size.get(2), tensor.shape())
                            + " input: send images or pixels to have them preprocessed");
        }
        if (!(tensor.data() instanceof InferRequest.Data.Numbers numbers)) {
            throw new Problem(Problem.Kind.BAD_REQUEST, "the data of the input must be numbers");
        }
        int length = size.get(0) * size.get(1) * size.get(2);
        List<PreparedImage> images = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            images.add(model.prepared(numbers.values().part(i * length, (i + 1) * length)));
        }
        return images;
    }

    private static Answer response(
            ServedModel model, InferRequest request, List<InferRequest.Output> outputs, List<Classifications> results) {
        JsonObject json = new JsonObject();
        json.addProperty("model_name", model.name());
        json.addProperty("model_version", ServedModel.VERSION);
        request.id().ifPresent(id -> json.addProperty("id", id));
        JsonArray tensors = new JsonArray();
        ByteArrayOutputStream binary = new ByteArrayOutputStream();
        boolean anyBinary = false;
        for (InferRequest.Output output : outputs) {
            boolean isBinary = output.binary().orElse(request.binaryOutputs());
            anyBinary |= isBinary;
            tensors.add(output(output, results, isBinary, binary));
        }
        json.add("outputs", tensors);
        if (!anyBinary) {
            return Answer.json(json);
        }
        byte[] header = Json.line(json).getBytes(StandardCharsets.UTF_8);
        byte[] data = binary.toByteArray();
        ByteBuffer whole = ByteBuffer.allocate(header.length + data.length)
                .put(header)
                .put(data)
                .flip();
        return new Answer(200, "application/octet-stream", List.of(), whole)
                .with(InferRequest.JSON_LENGTH, Integer.toString(header.length));
    }

    private static JsonObject output(
            InferRequest.Output output, List<Classifications> results, boolean isBinary, ByteArrayOutputStream binary) {
        int count = results.size();
        if (output.classification().isPresent()) {
            int classes = output.classification().getAsInt();
            List<String> texts = new ArrayList<>();
            for (Classifications result : results) {
                for (int index : Predictions.best(result, classes)) {
                    texts.add(result.getProbabilities().get(index).floatValue() + ":" + index + ":"
                            + result.getClassNames().get(index));
                }
            }
            return strings(tensor(output.name(), "BYTES", count, classes), texts, isBinary, binary);
        }
        if (output.name().equals("label")) {
            List<String> texts = results.stream()
                    .map(result -> result.getClassNames()
                            .get(Predictions.best(result, 1).get(0)))
                    .toList();
            return strings(tensor("label", "BYTES", count), texts, isBinary, binary);
        }
        if (output.name().equals("class")) {
            List<Integer> numbers = results.stream()
                    .map(result -> Predictions.best(result, 1).get(0))
                    .toList();
            ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES * count).order(ByteOrder.LITTLE_ENDIAN);
            JsonArray data = new JsonArray();
            for (int number : numbers) {
                bytes.putLong(number);
                data.add(number);
            }
            return numbers(tensor("class", "INT64", count), data, bytes.array(), isBinary, binary);
        }
        int classes = results.get(0).getProbabilities().size();
        ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES * count * classes).order(ByteOrder.LITTLE_ENDIAN);
        JsonArray data = new JsonArray();
        for (Classifications result : results) {
            for (double probability : result.getProbabilities()) {
                bytes.putFloat((float) probability);
                data.add(probability);
            }
        }
        return numbers(tensor("probabilities", "FP32", count, classes), data, bytes.array(), isBinary, binary);
    }

    private static JsonObject numbers(
            JsonObject tensor, JsonArray data, byte[] bytes, boolean isBinary, ByteArrayOutputStream binary) {
        if (!isBinary) {
            tensor.add("data", data);
            return tensor;
        }
        binary.write(bytes, 0, bytes.length);
        return sized(tensor, bytes.length);
    }

    private static JsonObject strings(
            JsonObject tensor, List<String> texts, boolean isBinary, ByteArrayOutputStream binary) {
        if (!isBinary) {
            JsonArray data = new JsonArray();
            texts.forEach(data::add);
            tensor.add("data", data);
            return tensor;
        }
        int before = binary.size();
        for (String text : texts) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            byte[] length = ByteBuffer.allocate(Integer.BYTES)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putInt(bytes.length)
                    .array();
            binary.write(length, 0, length.length);
            binary.write(bytes, 0, bytes.length);
        }
        return sized(tensor, binary.size() - before);
    }

    private static JsonObject sized(JsonObject tensor, int size) {
        JsonObject parameters = new JsonObject();
        parameters.addProperty("binary_data_size", size);
        tensor.add("parameters", parameters);
        return tensor;
    }
}
