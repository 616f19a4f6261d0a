package io.github.convzoo.checkpoint;

import io.github.convzoo.checkpoint.PickleGlobals.Global;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The inert objects that a pickle builds, besides plain values: containers under construction, and descriptions of
 * bytes, storages, tensors, and arrays. {@link PickleValues} finishes them.
 */
final class PickleObjects {

    private PickleObjects() {}

    /** The operations that Python allows on a sequence. */
    enum SequenceKind {
        /** A list or deque: may be appended to, and cannot be a key. */
        LIST,
        /** A set: may be added to, and cannot be a key. */
        SET,
        /** A tuple, which may be a key or the arguments of a call. */
        TUPLE,
        /** A frozen set, which may be a key. */
        FROZEN_SET
    }

    /** A list, tuple or set under construction. */
    static final class Items {
        final SequenceKind kind;
        final List<Object> items;
        /** Set when the value is finished; null before. */
        @Nullable Built built;

        boolean open;

        Items(SequenceKind kind, List<Object> items) {
            this.kind = kind;
            this.items = items;
        }
    }

    /** A mapping under construction: alternating keys and values. */
    static final class Pairs {
        final List<Object> pairs;
        /** Whether they are attributes, which an object gets after its creation. */
        final boolean attributes;
        /** Whether objects of the mapping's class may have attributes, which are dropped. */
        final boolean mayHaveAttributes;

        @Nullable Built built;

        boolean open;

        Pairs(List<Object> pairs, boolean attributes, boolean mayHaveAttributes) {
            this.pairs = pairs;
            this.attributes = attributes;
            this.mayHaveAttributes = mayHaveAttributes;
        }
    }

    /**
     * A finished value, with the quantities that limits apply to.
     *
     * @param height its nesting depth
     * @param values the number of values that it expands to
     * @param tensors the number of these values that are tensors
     * @param paths the total length of the paths from it to the tensors, in UTF-16 units
     */
    record Built(Value value, int height, int values, int tensors, long paths) {}

    /**
     * A storage: bytes elsewhere in the file.
     *
     * @param type its class
     * @param elements the number of its elements
     * @param view the part of it that is meant; null for all of it
     * @param inside the location of its bytes if they are in the pickle itself; null if they are elsewhere in the file
     * @param at the file offset of its name
     */
    record Storage(
            Global type,
            String key,
            long elements,
            @Nullable View view,
            PickleValues.@Nullable Region inside,
            long at) {

        /** The class without its module: the same on every device. */
        String shortName() {
            return type.shortName();
        }

        /** The same storage, with its bytes inside the pickle. */
        Storage inside(PickleValues.Region region) {
            return new Storage(type, key, elements, view, region, at);
        }
    }

    /** A part of a storage: its key, its offset and its length in elements. */
    record View(String key, long offset, long elements) {}

    /** Text too long for a name, in UTF-8 as in the file: usually arrays' bytes under protocol 2. */
    record LongText(PickleValues.Region utf8) {}

    /** Bytes at their location in the file. */
    static final class Data {
        final PickleValues.Region region;
        /** Set when the value is finished; null before. */
        @Nullable Value built;

        Data(PickleValues.Region region) {
            this.region = region;
        }
    }

    /** A tensor. The only checks so far are that shape and strides have the same length and are not negative. */
    static final class StridedTensor {
        final Storage storage;
        /** Its storage's class, or its element type. */
        final Global type;
        /** Its offset in the storage, in elements. */
        final long offset;

        final long[] shape;
        final long[] strides;
        /** The file offset of its description. */
        final long at;

        /** Set when the value is finished; null before. */
        @Nullable Value built;

        StridedTensor(Storage storage, Global type, long offset, long[] shape, long[] strides, long at) {
            this.storage = storage;
            this.type = type;
            this.offset = offset;
            this.shape = shape;
            this.strides = strides;
            this.at = at;
        }
    }

    /** The element type of a NumPy array: its kind and width, and its byte order. */
    static final class NumpyType {
        final String code;
        String order = "|";
        /** Whether it is a plain number, not a record or a number with special handling in NumPy. */
        boolean plain = true;

        NumpyType(String code) {
            this.code = code;
        }
    }

    /** A NumPy array. It has no type and data until its state is set, or if they are unsupported. */
    static final class NumpyArray {
        /** The file offset of its description. */
        final long at;

        @Nullable NumpyType type;

        long[] shape = {};
        boolean fortranOrder;

        PickleValues.@Nullable Region data;

        /** Set when the value is finished; null before. */
        @Nullable Value built;

        NumpyArray(long at) {
            this.at = at;
        }
    }
}
