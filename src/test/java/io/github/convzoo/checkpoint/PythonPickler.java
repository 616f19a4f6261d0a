package io.github.convzoo.checkpoint;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;

/**
 * Writes pickles byte for byte as Python's pickler does, in protocol 2 or 4: what was written once is memoised and then
 * referred to, by identity as Python does it, and protocol 4 puts it all into frames.
 */
final class PythonPickler {
    private static final int FRAME = 1 << 16;

    private final int protocol;
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream frame = new ByteArrayOutputStream();
    private final IdentityHashMap<Object, Integer> memo = new IdentityHashMap<>();
    private final Map<String, Integer> globals = new HashMap<>();
    private int memoised;

    PythonPickler(int protocol) {
        this.protocol = protocol;
        out.write(0x80);
        out.write(protocol);
    }

    PythonPickler op(int... bytes) {
        for (int b : bytes) {
            frame.write(b);
        }
        return this;
    }

    private PythonPickler little(int bytes, long number) {
        for (int i = 0; i < bytes; i++) {
            frame.write((int) (number >> (8 * i)));
        }
        return this;
    }

    /** Memoises what stands on the stack, under a number that nothing refers to. */
    PythonPickler put() {
        int index = memoised++;
        if (protocol >= 4) {
            op(0x94);
        } else if (index < 256) {
            op('q', index);
        } else {
            op('r').little(4, index);
        }
        return end();
    }

    /** Memoises what stands on the stack, as something to refer to. */
    PythonPickler put(Object object) {
        memo.put(object, memoised);
        return put();
    }

    /** Refers to what was memoised, if it was. */
    boolean refersTo(Object object) {
        Integer known = memo.get(object);
        if (known != null) {
            get(known);
        }
        return known != null;
    }

    private PythonPickler get(int index) {
        return (index < 256 ? op('h', index) : op('j').little(4, index)).end();
    }

    /** An object is complete, which is where a frame may end. */
    private PythonPickler end() {
        if (frame.size() >= FRAME) {
            closeFrame();
        }
        return this;
    }

    private void closeFrame() {
        if (protocol >= 4 && frame.size() >= 4) {
            out.write(0x95);
            ByteBuffer length = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
            out.writeBytes(length.putLong(frame.size()).array());
        }
        out.writeBytes(frame.toByteArray());
        frame.reset();
    }

    /** Text; the same string a second time is a reference. */
    PythonPickler text(String text) {
        if (refersTo(text)) {
            return this;
        }
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        if (protocol >= 4 && utf8.length < 256) {
            op(0x8c, utf8.length);
        } else {
            op('X').little(4, utf8.length);
        }
        frame.writeBytes(utf8);
        return put(text);
    }

    /** Bytes; the same array a second time is a reference. Large ones stand outside of frames. */
    PythonPickler bytes(byte[] bytes) {
        if (refersTo(bytes)) {
            return this;
        }
        if (protocol >= 4 && bytes.length >= FRAME) {
            closeFrame();
            op('B').little(4, bytes.length);
            out.writeBytes(frame.toByteArray());
            frame.reset();
            out.writeBytes(bytes);
        } else {
            PythonPickler header = bytes.length < 256 ? op('C', bytes.length) : op('B').little(4, bytes.length);
            header.frame.writeBytes(bytes);
        }
        return put(bytes);
    }

    PythonPickler whole(long number) {
        if (number >= 0 && number < 1 << 8) {
            return op('K', (int) number);
        }
        if (number >= 0 && number < 1 << 16) {
            return op('M').little(2, number);
        }
        if (number != (int) number) {
            throw new IllegalArgumentException(number + " is more than a dimension has here");
        }
        return op('J').little(4, number);
    }

    /** A class or function; a second time it is a reference. */
    PythonPickler global(String module, String name) {
        Integer known = globals.get(module + " " + name);
        if (known != null) {
            return get(known);
        }
        if (protocol >= 4) {
            text(module).text(name).op(0x93);
        } else {
            op('c');
            frame.writeBytes((module + "\n" + name + "\n").getBytes(StandardCharsets.US_ASCII));
        }
        globals.put(module + " " + name, memoised);
        return put();
    }

    /** A new tuple of numbers. */
    PythonPickler tuple(long... numbers) {
        if (numbers.length == 0) {
            return op(')');
        }
        if (numbers.length > 3) {
            op('(');
        }
        for (long number : numbers) {
            whole(number);
        }
        return op(numbers.length > 3 ? 't' : 0x84 + numbers.length).put();
    }

    byte[] stop() {
        op('.');
        closeFrame();
        return out.toByteArray();
    }
}
