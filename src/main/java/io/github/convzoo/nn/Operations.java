package io.github.convzoo.nn;

import ai.djl.nn.Block;
import ai.djl.nn.convolutional.Conv2d;
import java.util.List;

/**
 * The operations that a {@link FlowBlock} is written in: on arrays they compute, on shapes they measure.
 *
 * <p>Every operation uses up its operands, the block's own inputs included: their memory is given back as soon as nobody
 * needs it. An operand that the block needs again is wrapped in {@link #keep}.
 *
 * @param <T> what flows: an array or a shape, (N, C, H, W) unless an operation says otherwise
 */
public interface Operations<T> {

    /**
     * Runs a block of one input.
     *
     * @param block the block
     * @param input its input
     * @return its only output
     */
    default T run(Block block, T input) {
        return run(block, List.of(input));
    }

    /**
     * Runs a block.
     *
     * @param block the block
     * @param inputs its inputs
     * @return its only output
     */
    T run(Block block, List<T> inputs);

    /**
     * Runs a convolution and its normalisation, as one where {@link FlowBlock#foldNorms} made them one.
     *
     * @param conv the convolution
     * @param norm what normalises its output, and nothing else
     * @param input the convolution's input
     * @return the normalised output
     */
    default T convNorm(Conv2d conv, BatchNorm2d norm, T input) {
        return run(norm, run(conv, input));
    }

    /**
     * Keeps an operand: the next operation leaves it usable.
     *
     * @param value the operand
     * @return the operand
     */
    T keep(T value);

    /**
     * Gives back a kept operand that no operation will use up.
     *
     * @param value the operand, of no use afterwards
     */
    void discard(T value);

    /**
     * Rectified linear unit, max(x, 0).
     *
     * @param x of any shape
     * @return of the same shape
     */
    T relu(T x);

    /**
     * Exponential linear unit with alpha 1: x where positive, exp(x) - 1 elsewhere.
     *
     * @param x of any shape
     * @return of the same shape
     */
    T elu(T x);

    /**
     * Adds element by element.
     *
     * @param a of any shape
     * @param b of the same shape
     * @return of the same shape
     */
    T add(T a, T b);

    /**
     * Concatenates along the channels.
     *
     * @param parts of equal N, H and W
     * @return all channels in the order of the parts
     */
    T concat(List<T> parts);

    /**
     * Splits along the channels.
     *
     * @param x the whole
     * @param channels where each part but the first begins, in ascending order
     * @return the parts in order
     */
    List<T> splitAt(T x, long... channels);

    /**
     * Square max pooling; the padding never wins.
     *
     * @param x the input
     * @param kernel the window's side
     * @param stride the step
     * @param padding what is added on each side
     * @return of size floor((size + 2 * padding - kernel) / stride) + 1
     */
    T maxPool(T x, int kernel, int stride, int padding);

    /**
     * Square average pooling; the padding counts as zeros, so the divisor is always kernel * kernel.
     *
     * @param x the input
     * @param kernel the window's side
     * @param stride the step
     * @param padding what is added on each side
     * @return of size floor((size + 2 * padding - kernel) / stride) + 1
     */
    T averagePool(T x, int kernel, int stride, int padding);

    /**
     * Averages each channel.
     *
     * @param x the input
     * @return of shape (N, C)
     */
    T globalAveragePool(T x);

    /**
     * The mean of each channel's average and maximum.
     *
     * @param x the input
     * @return of shape (N, C)
     */
    T globalAverageMaxPool(T x);

    /**
     * Lines up each sample's elements.
     *
     * @param x the input
     * @return of shape (N, C * H * W)
     */
    T flatten(T x);

    /**
     * Turns each sample's features into a map of one pixel.
     *
     * @param x of shape (N, C)
     * @return of shape (N, C, 1, 1)
     */
    T toPixel(T x);
}
