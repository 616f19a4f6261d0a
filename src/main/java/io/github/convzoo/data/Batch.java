package io.github.convzoo.data;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/**
 * Images for one step, with their classes. Its memory is used again for a later batch once this one is closed. Not safe for
 * use by several threads.
 */
public final class Batch implements AutoCloseable {

    private final BatchLoader loader;
    private final ByteBuffer buffer;
    private final int epoch;
    private final int number;
    private final int[] indices;
    private final int[] labels;
    private final double lambda;
    private boolean closed;

    Batch(BatchLoader loader, ByteBuffer buffer, int epoch, int number, int[] indices, int[] labels, double lambda) {
        this.loader = loader;
        this.buffer = buffer;
        this.epoch = epoch;
        this.number = number;
        this.indices = indices;
        this.labels = labels;
        this.lambda = lambda;
    }

    /**
     * The epoch that the batch belongs to.
     *
     * @return its number
     */
    public int epoch() {
        return epoch;
    }

    /**
     * The batch's number in its epoch.
     *
     * @return from 0
     */
    public int number() {
        return number;
    }

    /**
     * The number of images.
     *
     * @return at least 1
     */
    public int size() {
        return labels.length;
    }

    /**
     * The shape of all samples together.
     *
     * @return (N, 3, H, W) of images
     */
    public Shape shape() {
        return loader.shape(size());
    }

    /**
     * The images, normalised and mixed if that was asked for.
     *
     * @return N x 3 x H x W values of images, valid until the batch is closed
     */
    public FloatBuffer values() {
        return bytes().asFloatBuffer().asReadOnlyBuffer();
    }

    /**
     * The images as an array. On a CPU it shares the batch's memory: close the batch when the step is done, and not
     * before.
     *
     * @param manager the manager that the array belongs to, and whose device it lies on
     * @return float32 of shape (N, 3, H, W) of images
     */
    public NDArray toArray(NDManager manager) {
        return manager.create(bytes(), shape(), DataType.FLOAT32);
    }

    private ByteBuffer bytes() {
        if (closed) {
            throw new IllegalStateException("batch " + number + " is closed, and its memory used for another one");
        }
        // A slice begins in native order only if it is told to.
        return buffer.slice(0, size() * loader.sampleFloats() * Float.BYTES).order(ByteOrder.nativeOrder());
    }

    /**
     * The images' places in the data set.
     *
     * @return N indices
     */
    public int[] indices() {
        return indices.clone();
    }

    /**
     * The images' classes; of mixed images those whose share is {@link #lambda}.
     *
     * @return N class numbers
     */
    public int[] labels() {
        return labels.clone();
    }

    /**
     * The classes of the images that were mixed in, whose share is 1 - {@link #lambda}.
     *
     * @return N class numbers
     */
    public int[] partnerLabels() {
        int[] partners = new int[labels.length];
        for (int i = 0; i < partners.length; i++) {
            partners[i] = labels[Math.floorMod(i - 1, labels.length)];
        }
        return partners;
    }

    /**
     * An image's own share of its target.
     *
     * @return 0 to 1; 1 where nothing was mixed
     */
    public double lambda() {
        return lambda;
    }

    /** Gives the memory back. Arrays that share it must not be used any more. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            loader.giveBack(buffer);
        }
    }
}
