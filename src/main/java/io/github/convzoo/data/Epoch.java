package io.github.convzoo.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The batches of an epoch, in order. One thread takes them; others assemble them in advance, image by image, so that
 * all of them work on the next batch. Close it to end the threads.
 */
public final class Epoch implements AutoCloseable {

    /** Keeps a failed disk from looking like a data set of bad images. */
    private static final int MAX_BAD_IN_A_ROW = 100;

    private final BatchLoader loader;
    private final LoaderOptions options;
    private final int epoch;
    private final int[] order;
    private final int end;
    private final List<Thread> workers = new ArrayList<>();

    /** Guards all fields below. */
    private final Object lock = new Object();

    /** Batches started but not taken yet, in order. */
    private final Deque<Assembly> ahead = new ArrayDeque<>();

    private int next;
    private @Nullable Throwable failure;
    private boolean closed;

    Epoch(BatchLoader loader, int epoch, int firstBatch) {
        this.loader = loader;
        this.options = loader.options();
        this.epoch = epoch;
        this.order = loader.order(epoch);
        this.end = loader.batches();
        this.next = firstBatch;
        for (int i = 0; i < options.workers(); i++) {
            Thread worker = new Thread(this::work, "convzoo-loader-" + i);
            worker.setDaemon(true);
            workers.add(worker);
        }
        try {
            workers.forEach(Thread::start);
        } catch (OutOfMemoryError e) {
            // The system has no more threads.
            close();
            throw e;
        }
    }

    /**
     * Takes the next batch, waiting for it if necessary.
     *
     * @return the batch, which must be closed when its step is done; null at the end of the epoch
     * @throws IOException if an image cannot be read and bad images are not skipped, or too many in a row cannot; the
     *     message names the image
     * @throws InterruptedException if the thread is interrupted
     * @throws IllegalStateException if an image cannot be augmented, or the epoch is closed; every error closes it
     */
    public @Nullable Batch next() throws IOException, InterruptedException {
        while (true) {
            @Nullable Assembly assembly = take();
            if (assembly == null) {
                return null;
            }
            try {
                assembly.report();
            } catch (IOException | RuntimeException e) {
                loader.giveBack(assembly.buffer);
                close();
                throw e;
            }
            @Nullable Batch batch = assembly.batch();
            if (batch != null) {
                return batch;
            }
        }
    }

    private @Nullable Assembly take() throws InterruptedException {
        synchronized (lock) {
            while (true) {
                if (closed) {
                    throw new IllegalStateException("this epoch is closed");
                }
                if (failure != null) {
                    throw new IllegalStateException("a loader thread failed: " + failure, failure);
                }
                @Nullable Assembly first = ahead.peek();
                if (first == null && next == end) {
                    return null;
                }
                if (first != null && first.complete) {
                    ahead.remove();
                    lock.notifyAll();
                    return first;
                }
                lock.wait();
            }
        }
    }

    /** Ends the threads, after the images that they work on. Batches that were taken remain valid. */
    @Override
    public void close() {
        synchronized (lock) {
            closed = true;
            lock.notifyAll();
        }
        workers.forEach(Thread::interrupt);
        boolean interrupted = false;
        for (Thread worker : workers) {
            while (worker.isAlive()) {
                try {
                    worker.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        synchronized (lock) {
            ahead.forEach(assembly -> loader.giveBack(assembly.buffer));
            ahead.clear();
        }
    }

    private void work() {
        try {
            float[] values = new float[loader.sampleFloats()];
            @Nullable Slot slot = claim();
            while (slot != null) {
                slot.assembly().fill(slot.number(), values);
                slot = claim();
            }
        } catch (InterruptedException e) {
            // Closed.
        } catch (RuntimeException | Error e) {
            synchronized (lock) {
                failure = e;
                lock.notifyAll();
            }
        }
    }

    /** A place in a batch for a thread to fill. */
    private record Slot(Assembly assembly, int number) {}

    /** The next place to fill; null if none is left. If enough batches are ahead, waits until one is taken. */
    private @Nullable Slot claim() throws InterruptedException {
        synchronized (lock) {
            while (!closed) {
                @Nullable Assembly last = ahead.peekLast();
                if (last != null && last.claimed < last.size) {
                    return new Slot(last, last.claimed++);
                }
                if (next == end) {
                    return null;
                }
                if (ahead.size() < options.prefetch()) {
                    ahead.add(new Assembly(next, loader.takeBuffer()));
                    next++;
                } else {
                    lock.wait();
                }
            }
            return null;
        }
    }

    /** An image that could not be read. */
    private record BadImage(int index, IOException problem) {}

    /** A batch being assembled. Different threads fill its places; the last to finish completes it. */
    private final class Assembly {
        private final int number;
        private final ByteBuffer buffer;
        private final FloatBuffer floats;
        private final int start;
        private final int size;
        private final int[] indices;
        /** The errors of each place, in order. */
        private final List<List<BadImage>> bad;

        private final @Nullable Exception[] failures;
        private int count;
        private double lambda = 1;

        // Guarded by the lock.
        private int claimed;
        private int finished;
        private boolean complete;

        Assembly(int number, ByteBuffer buffer) {
            this.number = number;
            this.buffer = buffer;
            this.floats = buffer.asFloatBuffer();
            this.start = number * options.batchSize();
            this.size = Math.min(options.batchSize(), order.length - start);
            this.indices = new int[size];
            Arrays.fill(indices, -1);
            this.bad = new ArrayList<>();
            for (int i = 0; i < size; i++) {
                bad.add(List.of());
            }
            this.failures = new Exception[size];
        }

        void fill(int place, float[] values) {
            try {
                fillWith(place, values);
            } catch (IOException | RuntimeException e) {
                failures[place] = e;
            }
            boolean last;
            synchronized (lock) {
                last = ++finished == size;
            }
            if (last) {
                finish();
                synchronized (lock) {
                    complete = true;
                    lock.notifyAll();
                }
            }
        }

        private void fillWith(int place, float[] values) throws IOException {
            List<BadImage> unreadable = new ArrayList<>();
            bad.set(place, unreadable);
            int tries = !options.shuffled() ? 1 : Math.min(order.length, MAX_BAD_IN_A_ROW);
            for (int i = 0; i < tries; i++) {
                int index = order[(int) (((long) start + place + i) % order.length)];
                // A replacement does not use the random numbers of its own turn.
                RandomGenerator random = Randomness.of(
                        options.seed(), Randomness.Purpose.SAMPLE, epoch, index + ((long) i << Integer.SIZE));
                try {
                    loader.samples().read(index, random, values);
                    floats.put(place * values.length, values);
                    indices[place] = index;
                    return;
                } catch (IOException e) {
                    if (options.onBadImage() == OnBadImage.FAIL) {
                        throw e;
                    }
                    unreadable.add(new BadImage(index, e));
                } catch (RuntimeException e) {
                    throw new IllegalStateException(loader.samples().name(index) + ": " + e.getMessage(), e);
                }
            }
            if (options.shuffled()) {
                IOException lastProblem = unreadable.get(tries - 1).problem();
                throw new IOException(
                        "%d images in a row cannot be read, the last because of %s"
                                .formatted(tries, lastProblem.getMessage()),
                        lastProblem);
            }
        }

        /** Closes the gaps left by bad images, and mixes. */
        private void finish() {
            for (int place = 0; place < size; place++) {
                if (indices[place] >= 0) {
                    if (count < place) {
                        float[] values = new float[loader.sampleFloats()];
                        floats.get(place * values.length, values);
                        floats.put(count * values.length, values);
                        indices[count] = indices[place];
                    }
                    count++;
                }
            }
            Optional<Mixing> mixing = options.mixing();
            if (mixing.isPresent() && count > 0) {
                RandomGenerator random = Randomness.of(options.seed(), Randomness.Purpose.BATCH, epoch, number);
                lambda = mixing.get().mix(floats, loader.shape(count), random);
            }
        }

        /** Reports bad images, and throws the error of the first place that has one. */
        void report() throws IOException {
            for (int place = 0; place < size; place++) {
                for (BadImage each : bad.get(place)) {
                    loader.report(each.index(), each.problem());
                }
                @Nullable Exception problem = failures[place];
                if (problem instanceof IOException e) {
                    throw new IOException(e.getMessage(), e);
                }
                if (problem != null) {
                    throw new IllegalStateException(problem.getMessage(), problem);
                }
            }
        }

        /** The batch; null if none of its images could be read. */
        @Nullable Batch batch() {
            if (count == 0) {
                loader.giveBack(buffer);
                return null;
            }
            int[] labels = new int[count];
            Arrays.setAll(labels, i -> loader.samples().label(indices[i]));
            return new Batch(loader, buffer, epoch, number, Arrays.copyOf(indices, count), labels, lambda);
        }
    }
}
