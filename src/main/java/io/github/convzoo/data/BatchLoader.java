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
 * Makes samples, images most often, into batches, epoch by epoch, in threads of its own that work ahead of whoever takes
 * them.
 *
 * <p>What is in a batch follows from the samples, the seed, the epoch and the batch's number alone, not from the number of
 * threads or from where an epoch is begun, so that a run that is resumed goes on as it would have.
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
     * Prepares the loading of images; nothing is read yet.
     *
     * @param images the data set
     * @param pipeline from image to input
     * @param options how batches are made
     * @param badImage where bad images are skipped, is told each one's error once, which names the image; called by the
     *     thread that takes the batches, in their order
     * @throws IllegalArgumentException if a batch would take more than 2 GiB, or incomplete batches are dropped and the data
     *     set does not fill one
     */
    public BatchLoader(LabeledImages images, Pipeline pipeline, LoaderOptions options, Consumer<IOException> badImage) {
        this(new ImageSamples(images, pipeline), options, badImage);
    }

    /**
     * Prepares the loading of any samples; nothing is read yet.
     *
     * @param samples what batches are made of
     * @param options how they are made
     * @param bad where samples that cannot be read are skipped, is told each one's error once, which names it; called by
     *     the thread that takes the batches, in their order
     * @throws IllegalArgumentException if a batch would take more than 2 GiB, or incomplete batches are dropped and the
     *     samples do not fill one, or what are no images shall be mixed
     */
    public BatchLoader(Samples samples, LoaderOptions options, Consumer<IOException> bad) {
        this.samples = samples;
        this.options = options;
        this.badImage = bad;
        long floats = samples.shape().size();
        long bytes = floats * Float.BYTES;
        if (bytes * options.batchSize() > Integer.MAX_VALUE - 2 * ALIGNMENT) {
            throw new IllegalArgumentException("%d samples of shape %s take more than 2 GiB; %d make a batch"
                    .formatted(options.batchSize(), samples.shape(), Integer.MAX_VALUE / bytes));
        }
        if (options.mixing().isPresent() && samples.shape().dimension() != 3) {
            throw new IllegalArgumentException(
                    "samples of shape %s are no images, which alone can be mixed".formatted(samples.shape()));
        }
        this.sampleFloats = (int) floats;
        this.bufferBytes = (int) bytes * options.batchSize();
        if (batches() == 0) {
            throw new IllegalArgumentException(
                    "%d images do not fill a batch of %d; take smaller batches or do not drop the last one"
                            .formatted(samples.size(), options.batchSize()));
        }
    }

    /**
     * What batches are made of.
     *
     * @return the samples
     */
    public Samples samples() {
        return samples;
    }

    /**
     * The number of samples of a whole batch.
     *
     * @return at least 1
     */
    public int batchSize() {
        return options.batchSize();
    }

    /**
     * The number of batches of an epoch.
     *
     * @return at least 1
     */
    public int batches() {
        int full = samples.size() / options.batchSize();
        return options.dropLast() || samples.size() % options.batchSize() == 0 ? full : full + 1;
    }

    /**
     * The number of different images that could not be read, in all batches that were taken so far.
     *
     * @return 0 or more
     */
    public int badImages() {
        return bad.size();
    }

    /**
     * Starts an epoch. Its threads run until it is closed.
     *
     * @param epoch the epoch's number, which its order and its augmentations depend on
     * @param firstBatch the batch to begin with, 0 to {@link #batches()}; another than 0 to go on with an epoch
     * @return the batches
     * @throws IllegalArgumentException if there is no such batch
     */
    public Epoch epoch(int epoch, int firstBatch) {
        if (firstBatch < 0 || firstBatch > batches()) {
            throw new IllegalArgumentException(
                    "an epoch has batches 0 to %d; it cannot begin with %d".formatted(batches() - 1, firstBatch));
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

    /** As many images, equally many of every class: each class's are gone through in a random order, again and again. */
    private int[] balanced(int[] all, int epoch) {
        Map<Integer, List<Integer>> byClass = new TreeMap<>();
        Randomness.shuffle(all, Randomness.of(options.seed(), Randomness.Purpose.BALANCE, epoch, 0));
        for (int index : all) {
            byClass.computeIfAbsent(samples.label(index), label -> new ArrayList<>())
                    .add(index);
        }
        List<List<Integer>> classes = new ArrayList<>(byClass.values());
        // What does not divide evenly goes to other classes in each epoch.
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

    /** Memory outside of the heap, which the engine's arrays can share, for the images of one batch. */
    ByteBuffer takeBuffer() {
        synchronized (free) {
            @Nullable ByteBuffer buffer = free.poll();
            if (buffer != null) {
                return buffer;
            }
        }
        // Where an array begins decides how the engine adds it up: always at the beginning of a cache line.
        // A slice's length is a multiple of it too.
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
