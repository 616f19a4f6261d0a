package io.github.convzoo.data;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/**
 * The images and classes of one step. Its memory is reused by a later batch once this one is closed. Not thread-safe.
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

    /** {@return the number of the batch's epoch} */
    public int epoch() {
        return epoch;
    }

    /** {@return the batch's number in its epoch, from 0} */
    public int number() {
        return number;
    }

    /** {@return the number of images, at least 1} */
    public int size() {
        return labels.length;
    }

    /** {@return the shape of the whole batch: (N, 3, H, W) for images} */
    public Shape shape() {
        return loader.shape(size());
    }

    /**
     * {@return the images, normalized, and mixed if the options say so: N x 3 x H x W values for images, valid until
     * the batch is closed}
     */
    public FloatBuffer values() {
        return bytes().asFloatBuffer().asReadOnlyBuffer();
    }

    /**
     * {@return the images as an array: float32 of shape (N, 3, H, W) for images} On a CPU, it shares the batch's
     * memory, so close the batch only after the step is done.
     *
     * @param manager the manager of the array, which determines its device
     */
    public NDArray toArray(NDManager manager) {
        return manager.create(bytes(), shape(), DataType.FLOAT32);
    }

    private ByteBuffer bytes() {
        if (closed) {
            throw new IllegalStateException(
                    "batch " + number + " is closed, and its memory is reused by another batch");
        }
        // A slice is in native order only if set so.
        return buffer.slice(0, size() * loader.sampleFloats() * Float.BYTES).order(ByteOrder.nativeOrder());
    }

    /** {@return the images' N indices in the data set} */
    public int[] indices() {
        return indices.clone();
    }

    /** {@return the images' N class numbers; for mixed images, the ones with weight {@link #lambda}} */
    public int[] labels() {
        return labels.clone();
    }

    /** {@return the N class numbers of the images that were mixed in, with weight 1 - {@link #lambda}} */
    public int[] partnerLabels() {
        int[] partners = new int[labels.length];
        for (int i = 0; i < partners.length; i++) {
            partners[i] = labels[Math.floorMod(i - 1, labels.length)];
        }
        return partners;
    }

    /** {@return the weight of an image's own class in its target, from 0 to 1; 1 if nothing was mixed} */
    public double lambda() {
        return lambda;
    }

    /** Releases the memory. Arrays that share it must no longer be used. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            loader.giveBack(buffer);
        }
    }
}
