package io.github.convzoo.checkpoint;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Writes MXNet's lists of arrays field by field, in any of their versions. */
public final class MxnetAssembler {
    static final int V1 = 0xf993fac8;
    static final int V2 = 0xf993fac9;
    static final int V3 = 0xf993faca;

    private final ByteArrayOutputStream arrays = new ByteArrayOutputStream();
    private final ByteArrayOutputStream names = new ByteArrayOutputStream();
    private int arrayCount;
    private int nameCount;
    long magic = 0x112;
    long reserved;
    long announcedArrays = -1;
    long announcedNames = -1;

    private static void put(ByteArrayOutputStream out, int bytes, long number) {
        for (int i = 0; i < bytes; i++) {
            out.write((int) (number >> (8 * i)));
        }
    }

    MxnetAssembler int32(int... numbers) {
        for (int number : numbers) {
            put(arrays, 4, number);
        }
        return this;
    }

    MxnetAssembler int64(long... numbers) {
        for (long number : numbers) {
            put(arrays, 8, number);
        }
        return this;
    }

    /** Ends an array: the device, the type and the elements. */
    MxnetAssembler data(int flag, byte[] data) {
        int32(1, 0, flag);
        arrays.writeBytes(data);
        arrayCount++;
        return this;
    }

    /** Ends an array that is none. */
    MxnetAssembler none() {
        arrayCount++;
        return this;
    }

    MxnetAssembler name(String name) {
        byte[] utf8 = name.getBytes(StandardCharsets.UTF_8);
        return name(utf8.length, utf8);
    }

    MxnetAssembler name(long length, byte[] utf8) {
        put(names, 8, length);
        names.writeBytes(utf8);
        nameCount++;
        return this;
    }

    /** A dense array of floats and its name, as MXNet 1 writes them. */
    public MxnetAssembler floats(String name, long[] shape, ByteBuffer littleEndian) {
        byte[] data = new byte[littleEndian.remaining()];
        littleEndian.duplicate().order(ByteOrder.LITTLE_ENDIAN).get(data);
        return int32(V2, 0, shape.length).int64(shape).data(0, data).name(name);
    }

    public byte[] bytes() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        put(out, 8, magic);
        put(out, 8, reserved);
        put(out, 8, announcedArrays < 0 ? arrayCount : announcedArrays);
        out.writeBytes(arrays.toByteArray());
        put(out, 8, announcedNames < 0 ? nameCount : announcedNames);
        out.writeBytes(names.toByteArray());
        return out.toByteArray();
    }
}
