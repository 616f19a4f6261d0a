package io.github.convzoo.export;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * An ONNX file, read without any library: its operators, what they read, and their text attributes; and the names of
 * its initializers, as often as they are there.
 */
public record OnnxFile(List<Node> nodes, List<String> initializers) {

    /** The numbers of the fields that are read, from onnx.proto. */
    private static final int MODEL_GRAPH = 7;

    private static final int GRAPH_NODE = 1;
    private static final int GRAPH_INITIALIZER = 5;
    private static final int TENSOR_NAME = 8;
    private static final int NODE_INPUT = 1;
    private static final int NODE_OPERATOR = 4;
    private static final int NODE_ATTRIBUTE = 5;
    private static final int ATTRIBUTE_TEXT = 4;

    /** An operator. */
    public record Node(String operator, List<String> inputs, List<String> texts) {}

    /** A field of a message; only those that are bytes have any. */
    private record Field(int number, ByteBuffer bytes) {

        String text() {
            return StandardCharsets.UTF_8.decode(bytes.duplicate()).toString();
        }
    }

    /** What ONNX Runtime makes of a file; it writes it next to it. */
    public static OnnxFile optimized(Path file) throws IOException, OrtException {
        Path optimized = file.resolveSibling("optimized.onnx");
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
            options.setOptimizedModelFilePath(optimized.toString());
            OrtEnvironment.getEnvironment()
                    .createSession(file.toString(), options)
                    .close();
        }
        return read(optimized);
    }

    public static OnnxFile read(Path file) throws IOException {
        List<Node> nodes = new ArrayList<>();
        List<String> initializers = new ArrayList<>();
        for (Field graph : fields(ByteBuffer.wrap(Files.readAllBytes(file)), MODEL_GRAPH)) {
            for (Field node : fields(graph.bytes, GRAPH_NODE)) {
                nodes.add(new Node(
                        fields(node.bytes, NODE_OPERATOR).get(0).text(),
                        fields(node.bytes, NODE_INPUT).stream().map(Field::text).toList(),
                        fields(node.bytes, NODE_ATTRIBUTE).stream()
                                .flatMap(attribute -> fields(attribute.bytes, ATTRIBUTE_TEXT).stream())
                                .map(Field::text)
                                .toList()));
            }
            for (Field initializer : fields(graph.bytes, GRAPH_INITIALIZER)) {
                initializers.add(fields(initializer.bytes, TENSOR_NAME).get(0).text());
            }
        }
        return new OnnxFile(nodes, initializers);
    }

    public List<String> operators() {
        return nodes.stream().map(Node::operator).toList();
    }

    public long count(String operator) {
        return operators().stream().filter(operator::equals).count();
    }

    private static List<Field> fields(ByteBuffer message, int number) {
        ByteBuffer rest = message.duplicate();
        List<Field> fields = new ArrayList<>();
        while (rest.hasRemaining()) {
            long tag = varint(rest);
            int length =
                    switch ((int) tag & 7) {
                        case 0 -> {
                            varint(rest);
                            yield 0;
                        }
                        case 1 -> Long.BYTES;
                        case 2 -> Math.toIntExact(varint(rest));
                        case 5 -> Integer.BYTES;
                        default -> throw new IllegalStateException("not a protobuf message");
                    };
            if (tag >>> 3 == number) {
                fields.add(new Field(number, rest.slice(rest.position(), length)));
            }
            rest.position(rest.position() + length);
        }
        return fields;
    }

    private static long varint(ByteBuffer from) {
        long value = 0;
        for (int shift = 0; ; shift += 7) {
            byte next = from.get();
            value |= (long) (next & 0x7f) << shift;
            if (next >= 0) {
                return value;
            }
        }
    }
}
