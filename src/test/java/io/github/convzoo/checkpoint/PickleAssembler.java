package io.github.convzoo.checkpoint;

import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;

/** Writes pickles opcode by opcode, those that no Python would write among them. */
final class PickleAssembler {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private boolean legacy;

    PickleAssembler() {
        this(0x80, 2);
    }

    /** Begins with other bytes than protocol 2 does. */
    PickleAssembler(int... beginning) {
        op(beginning);
    }

    PickleAssembler op(int... bytes) {
        for (int b : bytes) {
            out.write(b);
        }
        return this;
    }

    PickleAssembler ascii(String text) {
        out.writeBytes(text.getBytes(StandardCharsets.US_ASCII));
        return this;
    }

    PickleAssembler int32(int number) {
        return op(number & 0xff, (number >> 8) & 0xff, (number >> 16) & 0xff, (number >> 24) & 0xff);
    }

    PickleAssembler text(String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        op('X').int32(utf8.length);
        out.writeBytes(utf8);
        return this;
    }

    PickleAssembler whole(long number) {
        byte[] bigEndian = BigInteger.valueOf(number).toByteArray();
        op(0x8a, bigEndian.length);
        for (int i = bigEndian.length - 1; i >= 0; i--) {
            out.write(bigEndian[i]);
        }
        return this;
    }

    PickleAssembler global(String module, String name) {
        return op('c').ascii(module + "\n" + name + "\n");
    }

    PickleAssembler mark() {
        return op('(');
    }

    PickleAssembler tuple() {
        return op('t');
    }

    PickleAssembler tuple(long... numbers) {
        mark();
        for (long number : numbers) {
            whole(number);
        }
        return tuple();
    }

    PickleAssembler dict() {
        return op('}');
    }

    PickleAssembler list() {
        return op(']');
    }

    PickleAssembler setItem() {
        return op('s');
    }

    PickleAssembler reduce() {
        return op('R');
    }

    PickleAssembler put(int index) {
        return op('r').int32(index);
    }

    PickleAssembler get(int index) {
        return op('j').int32(index);
    }

    /** Storages that follow have the sixth item of legacy files: no view. */
    PickleAssembler legacy() {
        legacy = true;
        return this;
    }

    PickleAssembler storage(String type, String key, long elements) {
        mark().text("storage").global("torch", type).text(key).text("cpu").whole(elements);
        return (legacy ? op('N') : this).tuple().op('Q');
    }

    PickleAssembler tensor(String type, String key, long elements, long offset, long[] shape, long[] strides) {
        global("torch._utils", "_rebuild_tensor_v2").mark().storage(type, key, elements);
        whole(offset).tuple(shape).tuple(strides).op(0x89);
        global("collections", "OrderedDict").op(')').reduce();
        return tuple().reduce();
    }

    /** What was written so far, without an end. */
    byte[] bytes() {
        return out.toByteArray();
    }

    byte[] stop() {
        op('.');
        return bytes();
    }
}
