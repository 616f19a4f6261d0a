package io.github.convzoo.serve;

import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A request for inference of the Open Inference Protocol, version 2, with the binary tensor data extension: JSON, and
 * behind it the data of the tensors that have a {@code binary_data_size}.
 *
 * <p>The JSON is read as a stream: a list of numbers takes no more memory than an array of floats, which is taken from
 * the request's share of memory. What the protocol allows but this server would ignore is refused, and whatever the
 * answer repeats or grows with is limited: no output is named twice, and the id is short.
 *
 * @param id the client's name of the request
 * @param input the only input
 * @param outputs what the response contains; empty for all outputs
 * @param binaryOutputs whether outputs that do not say so are binary
 */
record InferRequest(Optional<String> id, Tensor input, List<Output> outputs, boolean binaryOutputs) {

    /** The header with the length of the JSON, if binary data follow. */
    static final String JSON_LENGTH = "Inference-Header-Content-Length";

    /** The longest id in UTF-16 units; the answer repeats it. */
    static final int MAX_ID = 1 << 10;

    private static final String TOP = "id, model_name, model_version, parameters, inputs, outputs";

    /**
     * An output that is asked for.
     *
     * @param name its name
     * @param classification how many classes to return instead of the tensor, as the extension of that name
     * @param binary whether its data are binary; empty for the request's usual
     */
    record Output(String name, OptionalInt classification, Optional<Boolean> binary) {}

    /** An input's elements, in row-major order. */
    sealed interface Data {

        /** Numbers: all of FP32 and UINT8. */
        record Numbers(FloatList values) implements Data {}

        /** UINT8 of a binary tensor. */
        record Pixels(ByteBuffer bytes) implements Data {}

        /** Encoded images. */
        record Files(List<ByteBuffer> files) implements Data {}

        /** Text of a BYTES tensor in JSON: images as base64, or URLs. */
        record Texts(List<String> texts) implements Data {}
    }

    /**
     * An input.
     *
     * @param name its name
     * @param type its datatype
     * @param shape its shape
     * @param data its elements, as many as the shape says
     */
    record Tensor(String name, String type, List<Long> shape, Data data) {}

    /** Floats in an array that grows. */
    static final class FloatList {

        private float[] values = new float[1024];
        private int size;

        /** Adds a value. The array is the request's memory; numbers may be as short as two bytes of JSON. */
        void add(float value, MemoryBudget.Share memory) throws Problem {
            if (size == values.length) {
                memory.take((long) Float.BYTES * 2 * size, "its numbers");
                values = Arrays.copyOf(values, 2 * size);
            }
            values[size++] = value;
        }

        int size() {
            return size;
        }

        /** A part as an array of its own. */
        float[] part(int from, int to) {
            return Arrays.copyOfRange(values, from, to);
        }
    }

    /** An input while it is read. */
    private static final class Draft {
        @Nullable String name;

        @Nullable String type;

        @Nullable List<Long> shape;

        @Nullable Data data;

        OptionalLong binarySize = OptionalLong.empty();
    }

    /**
     * Reads a request.
     *
     * @param body the whole body
     * @param jsonLength the header {@value #JSON_LENGTH}
     * @param maxImages the largest number of images; a list of more strings is not even read
     * @param memory the request's share of memory
     * @throws Problem if it is not as the protocol says, or asks for what this server does not do
     */
    static InferRequest read(byte[] body, Optional<String> jsonLength, int maxImages, MemoryBudget.Share memory)
            throws Problem {
        int length = jsonLength.isEmpty() ? body.length : Call.number(JSON_LENGTH, jsonLength.get(), 0, body.length);
        ByteBuffer binary =
                ByteBuffer.wrap(body, length, body.length - length).slice().order(ByteOrder.LITTLE_ENDIAN);
        try (JsonReader json = Json.reader(body, length)) {
            InferRequest request = new Parser(json, binary, maxImages, memory).request();
            if (json.peek() != JsonToken.END_DOCUMENT) {
                throw bad("there is something behind the JSON of the request");
            }
            if (binary.hasRemaining()) {
                throw bad(binary.remaining() + " bytes behind the JSON belong to no input; give each binary input a"
                        + " binary_data_size, and " + JSON_LENGTH + " the length of the JSON alone");
            }
            return request;
        } catch (IllegalStateException | NumberFormatException | IOException e) {
            throw Json.problem(e);
        }
    }

    private static Problem bad(String message) {
        return new Problem(Problem.Kind.BAD_REQUEST, message);
    }

    private static final class Parser {

        private final JsonReader json;
        private final ByteBuffer binary;
        private final int maxImages;
        private final MemoryBudget.Share memory;

        Parser(JsonReader json, ByteBuffer binary, int maxImages, MemoryBudget.Share memory) {
            this.json = json;
            this.binary = binary;
            this.maxImages = maxImages;
            this.memory = memory;
        }

        InferRequest request() throws IOException, Problem {
            Optional<String> id = Optional.empty();
            List<Draft> inputs = new ArrayList<>();
            List<Output> outputs = new ArrayList<>();
            boolean binaryOutputs = false;
            Set<String> keys = new HashSet<>();
            json.beginObject();
            while (json.hasNext()) {
                String key = key(keys);
                switch (key) {
                    case "id" -> id = Optional.of(id(json.nextString()));
                    // The path has them.
                    case "model_name", "model_version" -> json.skipValue();
                    case "parameters" -> binaryOutputs = requestParameters();
                    case "inputs" -> {
                        json.beginArray();
                        while (json.hasNext()) {
                            inputs.add(draft());
                            requireOne(inputs);
                        }
                        json.endArray();
                    }
                    case "outputs" -> {
                        json.beginArray();
                        while (json.hasNext()) {
                            outputs.add(output(outputs));
                        }
                        json.endArray();
                    }
                    default -> throw bad("unknown field " + key + " of the request; use " + TOP);
                }
            }
            json.endObject();
            requireOne(inputs);
            return new InferRequest(id, tensor(inputs.get(0)), List.copyOf(outputs), binaryOutputs);
        }

        private static String id(String id) throws Problem {
            if (id.length() > MAX_ID) {
                throw bad("the id of the request has " + id.length() + " characters; it may have at most " + MAX_ID);
            }
            return id;
        }

        private static void requireOne(List<Draft> inputs) throws Problem {
            if (inputs.size() == 2
                    && inputs.get(0).name != null
                    && Objects.equals(inputs.get(0).name, inputs.get(1).name)) {
                throw bad("the input " + inputs.get(0).name + " comes twice; give it once");
            }
            if (inputs.size() != 1) {
                throw bad("the request must have exactly one input: " + Inference.INPUTS);
            }
        }

        /** The next key of an object; a key that comes twice could be read in two ways. */
        private String key(Set<String> keys) throws IOException, Problem {
            String key = json.nextName();
            if (!keys.add(key)) {
                throw bad("the field " + key + " comes twice in one object; give it once");
            }
            return key;
        }

        private boolean requestParameters() throws IOException, Problem {
            boolean binaryOutputs = false;
            Set<String> keys = new HashSet<>();
            json.beginObject();
            while (json.hasNext()) {
                String key = key(keys);
                if (!key.equals("binary_data_output")) {
                    throw bad("unknown parameter " + key + " of the request; use binary_data_output");
                }
                binaryOutputs = json.nextBoolean();
            }
            json.endObject();
            return binaryOutputs;
        }

        private Draft draft() throws IOException, Problem {
            Draft draft = new Draft();
            Set<String> keys = new HashSet<>();
            json.beginObject();
            while (json.hasNext()) {
                String key = key(keys);
                switch (key) {
                    case "name" -> draft.name = json.nextString();
                    case "datatype" -> draft.type = json.nextString();
                    case "shape" -> draft.shape = shape();
                    case "data" -> draft.data = data();
                    case "parameters" -> draft.binarySize = inputParameters();
                    default ->
                        throw bad("unknown field " + key + " of an input; use name, datatype, shape, parameters, data");
                }
            }
            json.endObject();
            return draft;
        }

        private OptionalLong inputParameters() throws IOException, Problem {
            OptionalLong size = OptionalLong.empty();
            Set<String> keys = new HashSet<>();
            json.beginObject();
            while (json.hasNext()) {
                String key = key(keys);
                if (!key.equals("binary_data_size")) {
                    throw bad("unknown parameter " + key + " of an input; use binary_data_size");
                }
                size = OptionalLong.of(json.nextLong());
            }
            json.endObject();
            return size;
        }

        private List<Long> shape() throws IOException {
            List<Long> shape = new ArrayList<>();
            json.beginArray();
            while (json.hasNext() && shape.size() <= 8) {
                shape.add(json.nextLong());
            }
            json.endArray();
            return shape;
        }

        /** A flat list, or lists in lists; the shape counts, not the brackets. */
        private Data data() throws IOException, Problem {
            FloatList numbers = new FloatList();
            List<String> texts = new ArrayList<>();
            int depth = 0;
            do {
                switch (json.peek()) {
                    case BEGIN_ARRAY -> {
                        json.beginArray();
                        depth++;
                    }
                    case END_ARRAY -> {
                        json.endArray();
                        depth--;
                    }
                    case NUMBER -> {
                        requireArray(depth);
                        numbers.add(number(json.nextString()), memory);
                    }
                    case STRING -> {
                        requireArray(depth);
                        requireRoom(texts.size(), maxImages);
                        texts.add(json.nextString());
                    }
                    case BEGIN_OBJECT, END_OBJECT, NAME, BOOLEAN, NULL, END_DOCUMENT ->
                        throw bad("the data of an input must be a list of numbers or strings");
                }
            } while (depth > 0);
            if (numbers.size() > 0 && !texts.isEmpty()) {
                throw bad("the data of an input must be all numbers or all strings");
            }
            return texts.isEmpty() ? new Data.Numbers(numbers) : new Data.Texts(texts);
        }

        /** Only images are strings or have lengths. An empty one takes more memory than its bytes in the request. */
        private static void requireRoom(int elements, int maxImages) throws Problem {
            if (elements == maxImages) {
                throw new Problem(
                        Problem.Kind.TOO_LARGE,
                        "a request may have at most " + maxImages + " images; send several requests");
            }
        }

        private static void requireArray(int depth) throws Problem {
            if (depth == 0) {
                throw bad("the data of an input must be a list");
            }
        }

        private static float number(String text) throws Problem {
            float value = Float.parseFloat(text);
            if (Float.isInfinite(value)) {
                throw bad("the number " + text + " is beyond the range of float32");
            }
            return value;
        }

        private Output output(List<Output> others) throws IOException, Problem {
            String name = null;
            OptionalInt classification = OptionalInt.empty();
            Optional<Boolean> binaryData = Optional.empty();
            Set<String> keys = new HashSet<>();
            json.beginObject();
            while (json.hasNext()) {
                String key = key(keys);
                switch (key) {
                    case "name" -> name = outputName(json.nextString(), others);
                    case "parameters" -> {
                        Set<String> inner = new HashSet<>();
                        json.beginObject();
                        while (json.hasNext()) {
                            String parameter = key(inner);
                            switch (parameter) {
                                case "classification" ->
                                    classification = OptionalInt.of(
                                            Call.number("classification", json.nextString(), 0, Integer.MAX_VALUE));
                                case "binary_data" -> binaryData = Optional.of(json.nextBoolean());
                                default ->
                                    throw bad("unknown parameter " + parameter
                                            + " of an output; use classification, binary_data");
                            }
                        }
                        json.endObject();
                    }
                    default -> throw bad("unknown field " + key + " of an output; use name, parameters");
                }
            }
            json.endObject();
            if (name == null) {
                throw bad("an output has no name; use " + Inference.OUTPUTS);
            }
            // As in Triton, no class at all means the tensor itself.
            return new Output(name, classification.orElse(0) == 0 ? OptionalInt.empty() : classification, binaryData);
        }

        /** An output would cost its whole tensor each time that it is named. */
        private static String outputName(String name, List<Output> others) throws Problem {
            if (!Inference.OUTPUT_NAMES.contains(name)) {
                throw bad("there is no output " + name + "; use " + Inference.OUTPUTS);
            }
            if (others.stream().anyMatch(other -> other.name.equals(name))) {
                throw bad("the output " + name + " comes twice; give it once");
            }
            return name;
        }

        private Tensor tensor(Draft draft) throws Problem {
            if (draft.name == null || draft.type == null || draft.shape == null) {
                throw bad("an input must have a name, a datatype, and a shape; use " + Inference.INPUTS);
            }
            String type = draft.type.toUpperCase(Locale.ROOT);
            long count = count(draft.shape);
            if (draft.binarySize.isPresent()) {
                if (draft.data != null) {
                    throw bad("the input " + draft.name + " has both data and a binary_data_size; give one of them");
                }
                long size = draft.binarySize.getAsLong();
                if (size < 0 || size > binary.remaining()) {
                    throw bad("the input " + draft.name + " has a binary_data_size of " + size + ", but "
                            + binary.remaining() + " bytes are behind the JSON; also check " + JSON_LENGTH);
                }
                ByteBuffer bytes = binary.slice().order(ByteOrder.LITTLE_ENDIAN).limit((int) size);
                binary.position(binary.position() + (int) size);
                return new Tensor(draft.name, type, draft.shape, binaryData(draft.name, type, count, bytes));
            }
            if (draft.data == null) {
                throw bad("the input " + draft.name + " has neither data nor a binary_data_size");
            }
            Tensor tensor = new Tensor(draft.name, type, draft.shape, draft.data);
            long given = draft.data instanceof Data.Numbers numbers
                    ? numbers.values.size()
                    : ((Data.Texts) draft.data).texts.size();
            requireCount(draft.name, count, given);
            return tensor;
        }

        private static long count(List<Long> shape) throws Problem {
            long count = 1;
            for (long each : shape) {
                if (each < 0) {
                    throw bad("the shape " + shape + " has a negative dimension");
                }
                try {
                    count = Math.multiplyExact(count, each);
                } catch (ArithmeticException e) {
                    throw new Problem(Problem.Kind.BAD_REQUEST, "the shape " + shape + " has too many elements", e);
                }
            }
            return count;
        }

        private static void requireCount(String name, long count, long given) throws Problem {
            if (count != given) {
                throw bad("the input " + name + " has " + given + " elements, but its shape says " + count);
            }
        }

        private Data binaryData(String name, String type, long count, ByteBuffer bytes) throws Problem {
            switch (type) {
                case "FP32" -> {
                    if (bytes.remaining() % Float.BYTES != 0) {
                        throw bad("the input " + name + " has " + bytes.remaining()
                                + " bytes, but an element of FP32 has 4");
                    }
                    requireCount(name, count, bytes.remaining() / Float.BYTES);
                    FloatList values = new FloatList();
                    while (bytes.hasRemaining()) {
                        float value = bytes.getFloat();
                        if (!Float.isFinite(value)) {
                            throw bad("the input " + name + " contains " + value);
                        }
                        values.add(value, memory);
                    }
                    return new Data.Numbers(values);
                }
                case "UINT8" -> {
                    requireCount(name, count, bytes.remaining());
                    return new Data.Pixels(bytes);
                }
                case "BYTES" -> {
                    List<ByteBuffer> files = new ArrayList<>();
                    while (bytes.hasRemaining()) {
                        int length = bytes.remaining() < Integer.BYTES ? -1 : bytes.getInt();
                        if (length < 0 || length > bytes.remaining()) {
                            throw bad("element " + files.size() + " of the input " + name
                                    + " is not 4 bytes of its length, little-endian, and that many bytes");
                        }
                        requireRoom(files.size(), maxImages);
                        files.add(bytes.slice().limit(length));
                        bytes.position(bytes.position() + length);
                    }
                    requireCount(name, count, files.size());
                    return new Data.Files(files);
                }
                default -> throw bad("the input " + name + " has the datatype " + type + "; use " + Inference.INPUTS);
            }
        }
    }

    /** The bytes of an image in a BYTES element: base64, as JSON holds no bytes. */
    static byte[] decodeBase64(String text) throws Problem {
        try {
            return Base64.getDecoder().decode(text);
        } catch (IllegalArgumentException e) {
            throw new Problem(
                    Problem.Kind.BAD_REQUEST,
                    "an element of BYTES in JSON must be an image as base64, or its URL; send files as they are in"
                            + " binary data",
                    e);
        }
    }
}
