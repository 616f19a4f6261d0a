package io.github.convzoo.checkpoint;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The content of a checkpoint: a tree of mappings and sequences with tensors and plain data as its leaves. It has no
 * cycles, and its depth and size are bounded by {@link Limits}. Nothing in it runs or refers to code.
 */
public sealed interface Value
        permits Tensor,
                Value.Mapping,
                Value.Sequence,
                Value.Text,
                Value.Whole,
                Value.Real,
                Value.Bool,
                Value.None,
                Value.Bytes,
                Value.Placeholder {

    /**
     * Named values in the order of the file, such as a state dict.
     *
     * <p>A key that is a number, a boolean or None appears as Python prints it: an optimizer's {@code {0: {...}}} has
     * the entry {@code "0"}.
     *
     * @param entries the values by name, unmodifiable
     * @param unnamed the values under keys without a name (a tuple, an object, or a number next to equal text); where
     *     names matter, such as in a state dict, there should be none
     */
    record Mapping(Map<String, Value> entries, List<Value> unnamed) implements Value {

        /** Copies the map, in its order, and the list. */
        public Mapping {
            // The small maps take a fraction of a LinkedHashMap's heap.
            entries = entries.size() < 2
                    ? Map.copyOf(entries)
                    : Collections.unmodifiableMap(new LinkedHashMap<>(entries));
            unnamed = List.copyOf(unnamed);
        }

        /**
         * Looks up a value.
         *
         * @param name the value's name
         * @return the value; empty if the mapping has none with this name
         */
        public Optional<Value> get(String name) {
            return Optional.ofNullable(entries.get(name));
        }
    }

    /**
     * A list, tuple or set.
     *
     * @param items its values in the order of the file, unmodifiable
     */
    record Sequence(List<Value> items) implements Value {

        /** Copies the list. */
        public Sequence {
            items = List.copyOf(items);
        }
    }

    /**
     * Text. A PyTorch device or element type appears as text, as Python prints it: {@code cuda:0}, {@code
     * torch.float16}.
     *
     * @param text the characters
     */
    record Text(String text) implements Value {}

    /**
     * A whole number of at most 255 bytes.
     *
     * @param number the number
     */
    record Whole(BigInteger number) implements Value {}

    /**
     * A floating-point number.
     *
     * @param number the number
     */
    record Real(double number) implements Value {}

    /**
     * A boolean.
     *
     * @param truth the boolean
     */
    record Bool(boolean truth) implements Value {}

    /** Python's None. */
    record None() implements Value {}

    /**
     * Uninterpreted bytes.
     *
     * @param data the bytes, read-only
     */
    record Bytes(ByteBuffer data) implements Value {

        /** Creates a value that is a view of the buffer's remaining bytes. */
        public Bytes {
            data = data.slice().asReadOnlyBuffer();
        }

        /** {@return a read-only view of the bytes with its own position} */
        @Override
        public ByteBuffer data() {
            return data.duplicate();
        }
    }

    /**
     * An object that this library does not build: an object of a custom class, or a tensor of a kind that {@link
     * ElementType} lacks (complex, quantized, sparse, 8-bit float). It is inert. Reading fails only if this object is
     * needed.
     *
     * @param global the full name of the class, function or element type, such as {@code argparse.Namespace}
     */
    record Placeholder(String global) implements Value {

        /**
         * {@return the kind of tensor, and the Python call that converts it to a plain one, for example {@code a sparse
         * tensor; save tensor.to_dense() instead}; empty if it was not a tensor}
         */
        public Optional<String> remedy() {
            return Optional.ofNullable(TensorKind.remedy(global));
        }
    }
}
