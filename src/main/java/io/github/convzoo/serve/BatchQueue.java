package io.github.convzoo.serve;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The inputs that wait to be computed, and the batches made of them.
 *
 * <p>Each kind of work, such as a model's predictions, has a {@link Lane}: a bounded queue with a {@link BatchPolicy}.
 * Any number of workers take batches; a batch is from one lane. If several lanes have one ready, the lane whose first
 * input arrived first is next, so that a busy model does not starve another.
 *
 * <p>An input whose deadline has passed is dropped when its turn comes, before it is computed.
 */
final class BatchQueue {

    private final LongSupplier clock;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final List<Lane<?, ?>> lanes = new ArrayList<>();
    private boolean hurried;
    private boolean closed;

    /**
     * Creates a queue without lanes.
     *
     * @param clock nanoseconds, as of {@link System#nanoTime}
     */
    BatchQueue(LongSupplier clock) {
        this.clock = clock;
    }

    /**
     * Computes a batch.
     *
     * @param <I> the type of inputs
     * @param <O> the type of outputs
     */
    @FunctionalInterface
    interface Work<I, O> {

        /** Returns one output per input, in order. */
        List<O> compute(List<I> inputs) throws Exception;
    }

    /** What happens in a lane; called on workers. */
    interface Listener {

        /** A batch was computed. */
        void computed(int images, long nanos);

        /** An input was taken out of the queue, to compute it or because its deadline had passed. */
        void waited(long nanos);

        /** A request's deadline passed before all its inputs were computed. */
        void expired();
    }

    /**
     * The outputs of one request.
     *
     * @param outputs one per input, in order
     * @param queuedNanos how long its inputs waited, at most
     * @param computedNanos how long its batches took, at most
     * @param <O> the type of outputs
     */
    record Done<O>(List<O> outputs, long queuedNanos, long computedNanos) {}

    /** Adds a lane. */
    <I, O> Lane<I, O> add(BatchPolicy policy, int capacity, Work<I, O> work, Listener listener) {
        Lane<I, O> lane = new Lane<>(policy, capacity, work, listener);
        lock.lock();
        try {
            lanes.add(lane);
        } finally {
            lock.unlock();
        }
        return lane;
    }

    /**
     * Takes the next batch; waits for one.
     *
     * @return the batch; null if the queue is closed and empty
     */
    @Nullable Batch<?, ?> take() throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (true) {
                Next next = next(clock.getAsLong());
                if (next.batch != null) {
                    return next.batch;
                }
                if (closed && next.patience == Long.MAX_VALUE) {
                    return null;
                }
                if (next.patience == Long.MAX_VALUE) {
                    changed.await();
                } else {
                    // A return before the time is up only asks the policies again.
                    long left = changed.awaitNanos(next.patience);
                    assert left <= next.patience;
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * What a worker does now.
     *
     * @param batch what to compute; null to wait
     * @param patience how long to wait in nanoseconds unless something changes; {@link Long#MAX_VALUE} without end
     */
    record Next(@Nullable Batch<?, ?> batch, long patience) {}

    /** The next batch at a time, without waiting. */
    Next next(long now) {
        lock.lock();
        try {
            long patience = Long.MAX_VALUE;
            Lane<?, ?> first = null;
            for (Lane<?, ?> lane : lanes) {
                lane.drop(now);
                if (lane.entries.isEmpty()) {
                    continue;
                }
                long wait = hurried ? 0 : lane.policy.patience(lane.entries.size(), now - lane.arrived());
                patience = Math.min(patience, wait);
                if (wait == 0 && (first == null || lane.arrived() - first.arrived() < 0)) {
                    first = lane;
                }
            }
            return first == null ? new Next(null, patience) : new Next(first.batch(now), 0);
        } finally {
            lock.unlock();
        }
    }

    /** Hands out what waits without delay, from now on: no more is expected. */
    void hurry() {
        lock.lock();
        try {
            hurried = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Accepts no more; workers finish what waits, without delay. */
    void close() {
        lock.lock();
        try {
            hurried = true;
            closed = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** One input of a request. */
    private static final class Entry<I, O> {

        final I input;
        final Job<O> job;
        final int index;
        final long arrived;

        Entry(I input, Job<O> job, int index, long arrived) {
            this.input = input;
            this.job = job;
            this.index = index;
            this.arrived = arrived;
        }
    }

    /** One request: its outputs so far. */
    private static final class Job<O> {

        final CompletableFuture<Done<O>> future = new CompletableFuture<>();
        final long deadline;
        private final List<@Nullable O> outputs;
        private int missing;
        private long queued;
        private long computed;

        Job(int size, long deadline) {
            this.deadline = deadline;
            this.outputs = new ArrayList<>(size);
            for (int i = 0; i < size; i++) {
                outputs.add(null);
            }
            missing = size;
        }

        synchronized boolean put(int index, O output, long queuedNanos, long computedNanos) {
            outputs.set(index, output);
            queued = Math.max(queued, queuedNanos);
            computed = Math.max(computed, computedNanos);
            missing--;
            return missing == 0;
        }

        synchronized Done<O> done() {
            List<O> all = new ArrayList<>(outputs.size());
            for (O output : outputs) {
                if (output != null) {
                    all.add(output);
                }
            }
            return new Done<>(all, queued, computed);
        }
    }

    /**
     * The queue of one kind of work.
     *
     * @param <I> the type of inputs
     * @param <O> the type of outputs
     */
    final class Lane<I, O> {

        private final BatchPolicy policy;
        private final int capacity;
        private final Work<I, O> work;
        private final Listener listener;
        private final Deque<Entry<I, O>> entries = new ArrayDeque<>();

        private Lane(BatchPolicy policy, int capacity, Work<I, O> work, Listener listener) {
            this.policy = policy;
            this.capacity = capacity;
            this.work = work;
            this.listener = listener;
        }

        /**
         * Adds the inputs of a request: all of them, or none if there is no room.
         *
         * @param inputs at least one
         * @param deadline when the last of them must be taken by a worker, on the queue's clock
         * @return their outputs, completed on a worker; fails with a {@link Problem} after the deadline
         * @throws Problem if there is no room, or the queue is closed
         */
        CompletableFuture<Done<O>> submit(List<I> inputs, long deadline) throws Problem {
            Job<O> job = new Job<>(inputs.size(), deadline);
            lock.lock();
            try {
                if (closed) {
                    throw new Problem(Problem.Kind.STOPPING, "the server is stopping; try another one");
                }
                long now = clock.getAsLong();
                drop(now);
                if (entries.size() + inputs.size() > capacity) {
                    throw new Problem(
                            Problem.Kind.QUEUE_FULL,
                            entries.size() + " images wait, and the queue holds " + capacity + "; try again later");
                }
                for (int i = 0; i < inputs.size(); i++) {
                    entries.add(new Entry<>(inputs.get(i), job, i, now));
                }
                changed.signalAll();
            } finally {
                lock.unlock();
            }
            return job.future;
        }

        /** The number of inputs that wait. */
        int waiting() {
            lock.lock();
            try {
                return entries.size();
            } finally {
                lock.unlock();
            }
        }

        /** The number of inputs for which there is room. */
        int capacity() {
            return capacity;
        }

        private long arrived() {
            return entries.element().arrived;
        }

        /** Drops inputs at the front that nobody waits for. */
        private void drop(long now) {
            while (!entries.isEmpty() && isDropped(entries.element(), now)) {
                entries.remove();
            }
        }

        private boolean isDropped(Entry<I, O> entry, long now) {
            if (entry.job.future.isDone()) {
                return true;
            }
            if (now - entry.job.deadline < 0) {
                return false;
            }
            listener.waited(now - entry.arrived);
            listener.expired();
            entry.job.future.completeExceptionally(new Problem(
                    Problem.Kind.EXPIRED,
                    "the image waited until the request's deadline and was not computed; try again later"));
            return true;
        }

        private Batch<I, O> batch(long now) {
            List<Entry<I, O>> taken = new ArrayList<>();
            while (taken.size() < policy.size() && !entries.isEmpty()) {
                Entry<I, O> entry = entries.remove();
                if (!isDropped(entry, now)) {
                    listener.waited(now - entry.arrived);
                    taken.add(entry);
                }
            }
            return new Batch<>(this, taken, now);
        }
    }

    /**
     * Inputs to compute together.
     *
     * @param <I> the type of inputs
     * @param <O> the type of outputs
     */
    final class Batch<I, O> {

        private final Lane<I, O> lane;
        private final List<Entry<I, O>> entries;
        private final long taken;

        private Batch(Lane<I, O> lane, List<Entry<I, O>> entries, long taken) {
            this.lane = lane;
            this.entries = entries;
            this.taken = taken;
        }

        /** The inputs, in the order of their arrival. */
        List<I> inputs() {
            return entries.stream().map(entry -> entry.input).toList();
        }

        /** Computes the batch and answers its requests. Does not throw: a failure is the requests'. */
        void run() {
            long start = clock.getAsLong();
            List<O> outputs;
            try {
                outputs = lane.work.compute(inputs());
                if (outputs.size() != entries.size()) {
                    throw new IllegalStateException(entries.size() + " inputs have " + outputs.size() + " outputs");
                }
            } catch (Throwable e) {
                // Also an error: a worker must not end, and the request must not wait for an answer without end.
                entries.forEach(entry -> entry.job.future.completeExceptionally(e));
                return;
            }
            long nanos = clock.getAsLong() - start;
            lane.listener.computed(entries.size(), nanos);
            for (int i = 0; i < entries.size(); i++) {
                Entry<I, O> entry = entries.get(i);
                if (entry.job.put(entry.index, outputs.get(i), taken - entry.arrived, nanos)) {
                    entry.job.future.complete(entry.job.done());
                }
            }
        }
    }
}
