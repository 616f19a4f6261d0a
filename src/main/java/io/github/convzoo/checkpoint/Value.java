package io.github.convzoo.checkpoint;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a checkpoint holds: a tree of mappings and sequences with tensors and plain data as its leaves. It has no cycles, and
 * its depth and size are bounded by {@link Limits}. Nothing in it runs or refers to code.
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
     * <p>A key that is a number, a truth value or None stands as Python prints it: an optimizer's {@code {0: {...}}} has the
     * entry {@code "0"}.
     *
     * @param entries the values by name, not modifiable
     * @param unnamed the values under keys that have no name (a tuple, an object, or a number beside a text that reads the
     *     same); where names matter, such as in a state dict, there should be none
     */
    record Mapping(Map<String, Value> entries, List<Value> unnamed) implements Value {

        /**
         * Creates a mapping of copies of the given map, in its order, and list.
         *
         * @param entries the values by name
         * @param unnamed the values under keys that have no name
         */
        public Mapping {
            // The small maps take a fraction of a LinkedHashMap's heap.
            entries = entries.size() < 2
                    ? Map.copyOf(entries)
                    : Collections.unmodifiableMap(new LinkedHashMap<>(entries));
            unnamed = List.copyOf(unnamed);
        }

        /**
         * Looks a value up.
         *
         * @param name the value's name
         * @return the value, or empty where the mapping has none of this name
         */
        public Optional<Value> get(String name) {
            return Optional.ofNullable(entries.get(name));
        }
    }

    /**
     * A list, tuple or set.
     *
     * @param items its values in the order of the file, not modifiable
     */
    record Sequence(List<Value> items) implements Value {

        /**
         * Creates a sequence of a copy of the given list.
         *
         * @param items its values
         */
        public Sequence {
            items = List.copyOf(items);
        }
    }

    /**
     * Text. A PyTorch device or element type stands as the text that Python prints for it: {@code cuda:0},
     * {@code torch.float16}.
     *
     * @param text the characters
     */
    record Text(String text) implements Value {}

    /**
     * A whole number, of 255 bytes at most.
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
     * A truth value.
     *
     * @param truth the truth value
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

        /**
         * Creates a value that views the given bytes.
         *
         * @param data the bytes, all that remain of the buffer
         */
        public Bytes {
            data = data.slice().asReadOnlyBuffer();
        }

        /**
         * The bytes.
         *
         * @return a read-only view with a position of its own
         */
        @Override
        public ByteBuffer data() {
            return data.duplicate();
        }
    }

    /**
     * Something that this library does not build: an object of someone's class, or a tensor of a kind beyond
     * {@link ElementType} (complex, quantized, sparse, 8-bit float). It is inert. Only who needs what stands here has a
     * reason to fail.
     *
     * @param global the full name of the class, function or element type, such as {@code argparse.Namespace}
     */
    record Placeholder(String global) implements Value {

        /**
         * What kind of tensor this was, and the call in Python that makes a plain one of it.
         *
         * @return such as {@code a sparse tensor; save tensor.to_dense() instead}; empty if it was not a tensor
         */
        public Optional<String> remedy() {
            return Optional.ofNullable(TensorKind.remedy(global));
        }
    }
}
