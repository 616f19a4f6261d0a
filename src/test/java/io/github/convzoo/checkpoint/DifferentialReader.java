package io.github.convzoo.checkpoint;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.StringJoiner;
import java.util.zip.CRC32;

/**
 * The Java side of src/test/python/differential_fuzz.py: reads files from standard input, each as its length in 32 bits
 * and its bytes, and answers each with a line: what it refused, or all values by their paths.
 */
public final class DifferentialReader {
    private static final HexFormat HEX = HexFormat.of();

    private final StringJoiner lines = new StringJoiner(" ");

    private DifferentialReader() {}

    /** Arguments: an empty file to stand for the inputs; and whether they are single arrays of NumPy. */
    public static void main(String[] arguments) throws IOException {
        Path file = Files.createTempFile("differential", ".bin");
        DataInputStream in = new DataInputStream(System.in);
        DataOutputStream out = new DataOutputStream(System.out);
        try (MappedFile place = MappedFile.open(file)) {
            while (true) {
                int length;
                try {
                    length = in.readInt();
                } catch (EOFException e) {
                    break;
                }
                byte[] line = answer(place.inflated(-1, in.readNBytes(length)), arguments[0].equals("npy"));
                out.writeInt(line.length);
                out.write(line);
                out.flush();
            }
        } finally {
            Files.delete(file);
        }
    }

    private static byte[] answer(MappedFile file, boolean npy) {
        DifferentialReader reader = new DifferentialReader();
        String answer;
        try {
            Value root = npy
                    ? Npy.read(file, 0, file.size(), "", Limits.DEFAULT)
                    : Checkpoint.read(file, Limits.DEFAULT).root();
            reader.add("", root);
            answer = "read " + reader.lines;
        } catch (CheckpointException e) {
            answer = "refused " + e.getMessage();
        }
        return answer.getBytes(StandardCharsets.UTF_8);
    }

    private void add(String path, Value value) {
        if (value instanceof Value.Mapping mapping) {
            mapping.entries()
                    .forEach((name, each) ->
                            add(path + "/" + HEX.formatHex(name.getBytes(StandardCharsets.UTF_8)), each));
        } else if (value instanceof Value.Sequence sequence) {
            for (int i = 0; i < sequence.items().size(); i++) {
                add(
                        path + "/" + HEX.formatHex(Integer.toString(i).getBytes(StandardCharsets.UTF_8)),
                        sequence.items().get(i));
            }
        } else {
            lines.add(path + "=" + shown(value));
        }
    }

    private static String shown(Value value) {
        if (value instanceof Tensor tensor) {
            if (tensor.size() > 1 << 16) {
                return "large";
            }
            CRC32 crc = new CRC32();
            ByteBuffer bytes = tensor.bytes();
            crc.update(bytes);
            StringJoiner shape = new StringJoiner(",");
            for (long dimension : tensor.shape()) {
                shape.add(Long.toString(dimension));
            }
            return tensor.type() + ":" + shape + ":" + Long.toHexString(crc.getValue());
        }
        if (value instanceof Value.Text text) {
            return "text:" + HEX.formatHex(text.text().getBytes(StandardCharsets.UTF_8));
        }
        if (value instanceof Value.Whole whole) {
            return "whole:" + whole.number();
        }
        if (value instanceof Value.Real real) {
            return Double.isNaN(real.number())
                    ? "nan"
                    : "real:" + Long.toHexString(Double.doubleToRawLongBits(real.number()));
        }
        if (value instanceof Value.Bool bool) {
            return bool.truth() ? "True" : "False";
        }
        return value instanceof Value.None ? "None" : "other";
    }
}
