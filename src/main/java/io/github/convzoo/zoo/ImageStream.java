package io.github.convzoo.zoo;

import ai.djl.Device;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Decoding and inference of many images, on the same threads.
 *
 * <p>There are as many workers as cores. A free worker computes a batch if one is complete, and otherwise decodes the
 * next image. So the cores divide themselves between the two stages as the images require, whatever their sizes, and no
 * core waits while there is work. The engine should compute each batch with one thread (the system property {@code
 * ai.djl.pytorch.num_threads}), because its threads spin while they wait for each other; with more threads, fewer
 * batches are computed at a time.
 *
 * <p>Between taking an item and handing out its result, the item is in the window, which is limited: if the consumer is
 * slow, workers wait. The window keeps the order of items.
 */
final class ImageStream<T, I, O> implements Iterator<StreamResult<T, O>>, AutoCloseable {

    private static final String ENGINE_THREADS = "ai.djl.pytorch.num_threads";

    /** If the next item takes longer than this, images that wait for a full batch are computed without it. */
    private static final long PATIENCE_MILLIS = 20;

    private static final long FOREVER = 0;

    private final StagedModel<I, O> model;
    private final Iterator<? extends T> items;
    private final ImageSource<? super T, ? extends I> source;
    private final int batchSize;
    private final int computations;
    private final int capacity;
    private final List<Thread> workers = new ArrayList<>();

    // Guarded by this.
    private final Deque<Slot<T, O>> window = new ArrayDeque<>();
    private final Deque<Slot<T, O>> ready = new ArrayDeque<>();
    private boolean started;
    private boolean taking;
    private boolean exhausted;
    private boolean closed;
    private int decoding;
    private int computing;
    private @Nullable Throwable failure;

    /** Thrown by the items, after the results of those before. */
    private @Nullable RuntimeException endOfItems;

    /** An item on its way. */
    private static final class Slot<T, O> {
        private final T item;
        private @Nullable PreparedImage prepared;
        private @Nullable StreamResult<T, O> result;

        Slot(T item) {
            this.item = item;
        }
    }

    private ImageStream(
            StagedModel<I, O> model,
            Iterator<? extends T> items,
            ImageSource<? super T, ? extends I> source,
            int batchSize,
            int workers,
            int computations) {
        this.model = model;
        this.items = items;
        this.source = source;
        this.batchSize = batchSize;
        this.computations = computations;
        // A batch for each computation, one that is being decoded, and one whose results are being consumed.
        this.capacity = batchSize * (computations + 2) + workers;
        for (int i = 0; i < workers; i++) {
            Thread worker = new Thread(this::work, "convzoo-stream-" + i);
            worker.setDaemon(true);
            this.workers.add(worker);
        }
    }

    /** Starts a stream; nothing happens before the first result is asked for. */
    static <T, I, O> ImageStream<T, I, O> of(
            ZooModel<I, O> model,
            Iterator<? extends T> items,
            ImageSource<? super T, ? extends I> source,
            StreamOptions options) {
        StagedModel<I, O> staged = StagedModel.of(model);
        int cores = Runtime.getRuntime().availableProcessors();
        int workers = options.workers().orElse(cores);
        boolean cpu = model.getNDManager().getDevice().equals(Device.cpu());
        int computations = cpu ? Math.max(1, workers / Integer.getInteger(ENGINE_THREADS, cores)) : 1;
        int batchSize = options.batchSize().orElseGet(staged::usualBatchSize);
        return new ImageStream<>(staged, items, source, batchSize, workers, computations);
    }

    private void work() {
        try {
            boolean more = true;
            while (more) {
                more = step();
            }
        } catch (Throwable e) {
            fail(e);
        }
    }

    /** Computes a batch or decodes an image, whichever is due; false if nothing is left to do. */
    private boolean step() throws TranslateException, InterruptedException {
        List<Slot<T, O>> batch = List.of();
        synchronized (this) {
            boolean patient = true;
            while (true) {
                if (closed || failure != null || (exhausted && decoding == 0 && ready.isEmpty())) {
                    return false;
                }
                if (isComputationDue(patient)) {
                    batch = takeBatch();
                    computing++;
                    break;
                }
                if (!taking && !exhausted && window.size() < capacity) {
                    taking = true;
                    break;
                }
                boolean canCompute = !ready.isEmpty() && computing < computations;
                long start = System.nanoTime();
                wait(canCompute ? PATIENCE_MILLIS : FOREVER);
                patient = !canCompute || System.nanoTime() - start < TimeUnit.MILLISECONDS.toNanos(PATIENCE_MILLIS);
            }
        }
        if (batch.isEmpty()) {
            decodeNext();
        } else {
            compute(batch);
        }
        return true;
    }

    private boolean isComputationDue(boolean patient) {
        if (computing == computations || ready.isEmpty()) {
            return false;
        }
        boolean mayGrow = decoding > 0 || taking || (!exhausted && window.size() < capacity);
        return ready.size() >= batchSize || !mayGrow || !patient;
    }

    private List<Slot<T, O>> takeBatch() {
        List<Slot<T, O>> batch = new ArrayList<>(batchSize);
        while (batch.size() < batchSize && !ready.isEmpty()) {
            batch.add(ready.remove());
        }
        return batch;
    }

    private void decodeNext() {
        Slot<T, O> slot = null;
        RuntimeException problem = null;
        try {
            // Outside of the lock, because the next item may be slow to come.
            slot = items.hasNext() ? new Slot<>(items.next()) : null;
        } catch (RuntimeException e) {
            problem = e;
        }
        synchronized (this) {
            taking = false;
            endOfItems = problem;
            if (slot == null) {
                exhausted = true;
            } else {
                window.add(slot);
                decoding++;
            }
            notifyAll();
        }
        if (slot != null) {
            decode(slot);
        }
    }

    private void decode(Slot<T, O> slot) {
        PreparedImage prepared = null;
        StreamResult<T, O> failed = null;
        try {
            prepared = model.prepare(source.image(slot.item));
        } catch (IOException e) {
            failed = new StreamResult.Failure<>(slot.item, e);
        }
        synchronized (this) {
            decoding--;
            if (failed == null) {
                slot.prepared = prepared;
                ready.add(slot);
            } else {
                slot.result = failed;
            }
            notifyAll();
        }
    }

    private void compute(List<Slot<T, O>> batch) throws TranslateException {
        List<O> outputs = model.run(batch.stream()
                .map(slot -> Objects.requireNonNull(slot.prepared))
                .toList());
        synchronized (this) {
            computing--;
            for (int i = 0; i < outputs.size(); i++) {
                Slot<T, O> slot = batch.get(i);
                slot.prepared = null;
                slot.result = new StreamResult.Success<>(slot.item, outputs.get(i));
            }
            notifyAll();
        }
    }

    private synchronized void fail(Throwable problem) {
        if (failure == null) {
            failure = problem;
        }
        notifyAll();
    }

    /**
     * {@inheritDoc}
     *
     * @throws IllegalStateException if the engine failed, the model was closed, or the thread was interrupted
     * @throws RuntimeException if the iterator of items threw it
     */
    @Override
    public boolean hasNext() {
        start();
        if (isNextThere()) {
            return true;
        }
        close();
        return false;
    }

    private synchronized boolean isNextThere() {
        while (true) {
            if (closed) {
                return false;
            }
            Slot<T, O> first = window.peek();
            if (first != null && first.result != null) {
                return true;
            }
            if (failure != null) {
                throw rethrown(failure);
            }
            if (first == null && exhausted) {
                if (endOfItems != null) {
                    throw endOfItems;
                }
                return false;
            }
            try {
                wait();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted while waiting for the next image", e);
            }
        }
    }

    private static RuntimeException rethrown(Throwable failure) {
        if (failure instanceof Error error) {
            throw error;
        }
        // DJL wraps the exceptions of blocks. A block that does not take the images says so.
        if (failure instanceof TranslateException && failure.getCause() instanceof IllegalArgumentException problem) {
            return problem;
        }
        return failure instanceof RuntimeException exception
                ? exception
                : new IllegalStateException("inference failed: " + failure.getMessage(), failure);
    }

    @Override
    public StreamResult<T, O> next() {
        if (!hasNext()) {
            throw new NoSuchElementException("there are no more images");
        }
        synchronized (this) {
            Slot<T, O> first = window.remove();
            notifyAll();
            return Objects.requireNonNull(first.result);
        }
    }

    private synchronized void start() {
        if (!started && !closed) {
            started = true;
            workers.forEach(Thread::start);
        }
    }

    /** Waits for batches that are being computed. A worker that waits for an item or a download ends after it. */
    @Override
    public void close() {
        synchronized (this) {
            closed = true;
            notifyAll();
        }
        model.close();
    }
}
