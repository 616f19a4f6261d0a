package io.github.convzoo.data;

import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Assembles samples, usually images, into batches, epoch by epoch, on its own threads, which work ahead of the
 * consumer.
 *
 * <p>The content of a batch depends only on the samples, the seed, the epoch, and the batch's number, not on the number
 * of threads or the batch that an epoch starts with, so a resumed run continues exactly as if it had not been
 * interrupted.
 */
public final class BatchLoader {

    private static final int ALIGNMENT = 64;

    private final Samples samples;
    private final LoaderOptions options;
    private final Consumer<IOException> badImage;
    private final Set<Integer> bad = ConcurrentHashMap.newKeySet();
    private final Queue<ByteBuffer> free = new ArrayDeque<>();
    private final int sampleFloats;
    private final int bufferBytes;

    /**
     * Creates a loader of images; nothing is read yet.
     *
     * @param images the data set
     * @param pipeline from image to input
     * @param options how to form batches
     * @param badImage if bad images are skipped, receives each one's error once, which names the image; called by the
     *     thread that takes the batches, in their order
     * @throws IllegalArgumentException if a batch would take more than 2 GiB, or incomplete batches are dropped and the
     *     data set does not fill one
     */
    public BatchLoader(LabeledImages images, Pipeline pipeline, LoaderOptions options, Consumer<IOException> badImage) {
        this(new ImageSamples(images, pipeline), options, badImage);
    }

    /**
     * Creates a loader of any samples; nothing is read yet.
     *
     * @param samples the samples
     * @param options how to form batches
     * @param bad if samples that cannot be read are skipped, receives each one's error once, which names the sample;
     *     called by the thread that takes the batches, in their order
     * @throws IllegalArgumentException if a batch would take more than 2 GiB, or incomplete batches are dropped and the
     *     samples do not fill one, or mixing is requested for samples that are not images
     */
    public BatchLoader(Samples samples, LoaderOptions options, Consumer<IOException> bad) {
        this.samples = samples;
        this.options = options;
        this.badImage = bad;
        long floats = samples.shape().size();
        long bytes = floats * Float.BYTES;
        if (bytes * options.batchSize() > Integer.MAX_VALUE - 2 * ALIGNMENT) {
            throw new IllegalArgumentException("%d samples of shape %s take more than 2 GiB; use batches of at most %d"
                    .formatted(options.batchSize(), samples.shape(), Integer.MAX_VALUE / bytes));
        }
        if (options.mixing().isPresent() && samples.shape().dimension() != 3) {
            throw new IllegalArgumentException(
                    "samples of shape %s are not images, so they cannot be mixed".formatted(samples.shape()));
        }
        this.sampleFloats = (int) floats;
        this.bufferBytes = (int) bytes * options.batchSize();
        if (batches() == 0) {
            throw new IllegalArgumentException(
                    "%d images do not fill a batch of %d; use smaller batches or keep the last batch"
                            .formatted(samples.size(), options.batchSize()));
        }
    }

    /** {@return the samples} */
    public Samples samples() {
        return samples;
    }

    /** {@return the number of samples of a complete batch, at least 1} */
    public int batchSize() {
        return options.batchSize();
    }

    /** {@return the number of batches of an epoch, at least 1} */
    public int batches() {
        int full = samples.size() / options.batchSize();
        return options.dropLast() || samples.size() % options.batchSize() == 0 ? full : full + 1;
    }

    /** {@return the number of different images that could not be read in the batches taken so far, at least 0} */
    public int badImages() {
        return bad.size();
    }

    /**
     * Starts an epoch. Its threads run until it is closed.
     *
     * @param epoch the epoch's number, which determines its order and augmentations
     * @param firstBatch the batch to start with, 0 to {@link #batches()}; nonzero to resume an epoch
     * @return the batches
     * @throws IllegalArgumentException if there is no such batch
     */
    public Epoch epoch(int epoch, int firstBatch) {
        if (firstBatch < 0 || firstBatch > batches()) {
            throw new IllegalArgumentException(
                    "an epoch has batches 0 to %d; it cannot start with %d".formatted(batches() - 1, firstBatch));
        }
        return new Epoch(this, epoch, firstBatch);
    }

    LoaderOptions options() {
        return options;
    }

    int sampleFloats() {
        return sampleFloats;
    }

    Shape shape(int count) {
        return new Shape(count).addAll(samples.shape());
    }

    /** The epoch's images, as indices into the data set. */
    int[] order(int epoch) {
        int[] order = new int[samples.size()];
        Arrays.setAll(order, i -> i);
        if (options.balanced()) {
            order = balanced(order, epoch);
        }
        if (options.shuffled()) {
            Randomness.shuffle(order, Randomness.of(options.seed(), Randomness.Purpose.ORDER, epoch, 0));
        }
        return order;
    }

    /** The same number of images, equally many of every class: each class's images repeat in random orders. */
    private int[] balanced(int[] all, int epoch) {
        Map<Integer, List<Integer>> byClass = new TreeMap<>();
        Randomness.shuffle(all, Randomness.of(options.seed(), Randomness.Purpose.BALANCE, epoch, 0));
        for (int index : all) {
            byClass.computeIfAbsent(samples.label(index), label -> new ArrayList<>())
                    .add(index);
        }
        List<List<Integer>> classes = new ArrayList<>(byClass.values());
        // The remainder goes to different classes in each epoch.
        int[] turns = new int[classes.size()];
        Arrays.setAll(turns, i -> i);
        Randomness.shuffle(turns, Randomness.of(options.seed(), Randomness.Purpose.BALANCE, epoch, 1));
        int[] order = new int[all.length];
        for (int i = 0; i < order.length; i++) {
            List<Integer> images = classes.get(turns[i % turns.length]);
            order[i] = images.get(i / turns.length % images.size());
        }
        return order;
    }

    void report(int index, IOException problem) {
        if (bad.add(index)) {
            badImage.accept(problem);
        }
    }

    /** Direct memory, which the engine's arrays can share, for the images of one batch. */
    ByteBuffer takeBuffer() {
        synchronized (free) {
            @Nullable ByteBuffer buffer = free.poll();
            if (buffer != null) {
                return buffer;
            }
        }
        // An array's alignment affects the order of the engine's sums, so it always starts at a cache line. The length
        // of a slice is also a multiple of it.
        int whole = (bufferBytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        return ByteBuffer.allocateDirect(whole + ALIGNMENT)
                .alignedSlice(ALIGNMENT)
                .order(ByteOrder.nativeOrder());
    }

    void giveBack(ByteBuffer buffer) {
        synchronized (free) {
            free.add(buffer);
        }
    }
}
