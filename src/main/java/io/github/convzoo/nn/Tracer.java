package io.github.convzoo.nn;

import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import io.github.convzoo.graph.Graph;
import io.github.convzoo.graph.Type;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongBinaryOperator;
import java.util.function.UnaryOperator;

/**
 * Converts any DJL block to a graph, including blocks of DJL, other libraries, or ConvZoo inside it.
 *
 * <p>The block runs in inference mode on arrays that record operations instead of computing them. It runs for several
 * batch sizes, and every run must record the same graph; this detects a hard-coded batch size, random numbers, and
 * decisions that depend on the batch size.
 *
 * <p>A parameter stays a parameter, named by {@link CanonicalNames}. Any other array that is combined with a recorded
 * one, and anything that the block computes from parameters alone, becomes a literal with its current values. It cannot
 * depend on the input's values, because a recorded array's values cannot be read, and it must be equal in every run, so
 * it does not depend on the batch size. It may depend on height and width, though: {@link Traced#isForAnySize} says
 * whether the graph is for inputs of the traced size only.
 *
 * <p>Everything else is refused with the operation, the block, and the reason. The block is the innermost one that the
 * tracer runs itself: children of a {@code SequentialBlock} at the top level or in another one, and ConvZoo's blocks
 * anywhere. Inside other blocks, such as a {@code ParallelBlock}, DJL does not reveal which child runs; the message
 * then also names the block whose parameters were read last.
 */
public final class Tracer {

    /**
     * The first is the graph's; 1 detects arrays that lose their batch axis; no network has 31 channels by chance where
     * it has 1 or 2; few blocks treat batches larger than the last differently.
     */
    private static final long[] BATCHES = {2, 1, 31, 4099};

    /** Strides divide it, so that maps of other sizes are not cut differently. */
    private static final long MORE = 32;

    /** Other sizes that a block may treat differently: odd, small, large, portrait. It may also refuse them. */
    private static final List<UnaryOperator<Type>> SIZES = List.of(
            input -> resized(input, (size, axis) -> size + 2 * axis - 3),
            input -> resized(input, (size, axis) -> Math.max(1, size / 2)),
            input -> resized(input, (size, axis) -> 8 * size),
            input -> resized(input, (size, axis) -> size + MORE * (input.rank() - axis)));

    private Tracer() {}

    /**
     * Traces a block.
     *
     * @param block any block with one input, initialized; it is not changed
     * @param input the input's shape, such as (1, 3, 224, 224); the first axis is the batch and may have any size
     * @return the graph, for batches of any size, and its parameters
     * @throws IllegalArgumentException if something in the block cannot be traced; the message says what, where, and
     *     why
     */
    public static Traced trace(Block block, Shape input) {
        long[] sizes = input.getShape().clone();
        if (sizes.length < 2 || Arrays.stream(sizes).skip(1).anyMatch(size -> size < 1)) {
            throw new IllegalArgumentException(
                    "the traced input must have a batch and other axes of known size, not " + input);
        }
        sizes[0] = Type.ANY;
        Type type = Type.of(sizes);
        Literals literals = new Literals();
        Trace.Run first = Trace.run(block, type.with(0, BATCHES[0]), literals);
        for (int i = 1; i < BATCHES.length; i++) {
            Trace.Run other = Trace.run(block, type.with(0, BATCHES[i]), literals);
            requireSame(block, first.graph(), other.graph(), BATCHES[i]);
        }
        return new Traced(
                first.recording(), type, !first.roundsUp() && isForAnySize(block, type, first.graph(), literals));
    }

    private static boolean isForAnySize(Block block, Type input, Graph graph, Literals literals) {
        Type batch = input.with(0, BATCHES[0]);
        try {
            if (!isSame(graph, block, resized(batch, (size, axis) -> size + axis * MORE), literals)) {
                return false;
            }
            for (UnaryOperator<Type> other : SIZES) {
                try {
                    if (!isSame(graph, block, other.apply(batch), literals)) {
                        return false;
                    }
                } catch (Trace.UnfitInputException e) {
                    // Such as a map that is too small for a kernel, or a size that the network checks.
                }
            }
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    private static boolean isSame(Graph graph, Block block, Type input, Literals literals) {
        Graph other = Trace.run(block, input, literals).graph();
        return other.nodes().equals(graph.nodes()) && other.outputs().equals(graph.outputs());
    }

    /** A type with other height and width; the function gets the size and the axis, from 2. */
    private static Type resized(Type input, LongBinaryOperator size) {
        Type result = input;
        for (int axis = 2; axis < input.rank(); axis++) {
            result = result.with(axis, size.applyAsLong(input.get(axis), axis));
        }
        return result;
    }

    private static void requireSame(Block block, Graph first, Graph other, long batch) {
        int nodes = Math.min(first.nodes().size(), other.nodes().size());
        for (int i = 0; i < nodes; i++) {
            if (!first.nodes().get(i).equals(other.nodes().get(i))) {
                throw new IllegalArgumentException(
                        ("%s cannot be traced (in %s): for a batch of %d it does %s, for %d %s; make it independent"
                                        + " of the batch size and deterministic")
                                .formatted(
                                        first.nodes().get(i).op().kind(),
                                        first.nodes().get(i).name().isEmpty()
                                                ? CanonicalNames.kind(block)
                                                : first.nodes().get(i).name(),
                                        BATCHES[0],
                                        first.nodes().get(i),
                                        batch,
                                        other.nodes().get(i)));
            }
        }
        if (first.nodes().size() != other.nodes().size() || !first.outputs().equals(other.outputs())) {
            throw new IllegalArgumentException(
                    ("a %s cannot be traced: for a batch of %d it has %d steps and the outputs %s, for %d %d and %s;"
                                    + " make it independent of the batch size")
                            .formatted(
                                    CanonicalNames.kind(block),
                                    BATCHES[0],
                                    first.nodes().size(),
                                    first.outputs(),
                                    batch,
                                    other.nodes().size(),
                                    other.outputs()));
        }
    }
}
