package io.github.convzoo.export;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * The few pickle opcodes that a TorchScript archive needs, protocol 2.
 *
 * <p>Source: https://github.com/python/cpython/blob/main/Lib/pickletools.py, and PyTorch's
 * torch/csrc/jit/serialization/pickler.cpp.
 */
final class PickleWriter {

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    PickleWriter() {
        opcode(0x80);
        bytes.write(2);
    }

    /** An object of a class without arguments; its state follows, then {@link #build}. */
    PickleWriter object(String module, String name) {
        return global(module, name).opcode(')').opcode(0x81);
    }

    PickleWriter startDictionary() {
        return opcode('}').opcode('(');
    }

    PickleWriter endDictionary() {
        return opcode('u');
    }

    /** A list with its element type, which newer readers need. */
    PickleWriter startTensorList() {
        return global("torch.jit._pickle", "build_tensorlist")
                .opcode('(')
                .opcode(']')
                .opcode('(');
    }

    PickleWriter endTensorList() {
        return opcode('e').opcode('t').opcode('R');
    }

    /** Sets the object's state. */
    PickleWriter build() {
        return opcode('b');
    }

    PickleWriter text(String value) {
        byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
        opcode('X').fixed(utf8.length);
        bytes.writeBytes(utf8);
        return this;
    }

    PickleWriter truth(boolean value) {
        return opcode(value ? 0x88 : 0x89);
    }

    PickleWriter emptyTuple() {
        return opcode(')');
    }

    /**
     * A tensor on the CPU with its own storage.
     *
     * @param storage such as {@code FloatStorage}
     * @param key the storage's key in the archive
     */
    PickleWriter tensor(String storage, String key, List<Long> sizes, List<Long> strides) {
        long elements = sizes.stream().reduce(1L, (a, b) -> a * b);
        global("torch._utils", "_rebuild_tensor_v2").opcode('(').opcode('(').text("storage");
        global("torch", storage)
                .text(key)
                .text("cpu")
                .integer(elements)
                .opcode('t')
                .opcode('Q');
        return integer(0)
                .tuple(sizes)
                .tuple(strides)
                .truth(false)
                .global("collections", "OrderedDict")
                .opcode(')')
                .opcode('R')
                .opcode('t')
                .opcode('R');
    }

    byte[] finish() {
        opcode('.');
        return bytes.toByteArray();
    }

    private PickleWriter tuple(List<Long> values) {
        opcode('(');
        values.forEach(this::integer);
        return opcode('t');
    }

    private PickleWriter integer(long value) {
        return opcode('J').fixed(Math.toIntExact(value));
    }

    private PickleWriter global(String module, String name) {
        opcode('c');
        bytes.writeBytes((module + "\n" + name + "\n").getBytes(StandardCharsets.UTF_8));
        return this;
    }

    private PickleWriter opcode(int code) {
        bytes.write(code);
        return this;
    }

    private PickleWriter fixed(int value) {
        bytes.writeBytes(ByteBuffer.allocate(Integer.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(value)
                .array());
        return this;
    }
}
