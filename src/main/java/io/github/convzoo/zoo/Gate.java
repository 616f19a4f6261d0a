package io.github.convzoo.zoo;

import java.util.concurrent.locks.ReentrantReadWriteLock;

/** Admits work until it is closed. Closing waits for work in progress. */
final class Gate {

    private final String name;
    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
    private boolean closed;

    /** Creates an open gate; messages use the name for what it protects. */
    Gate(String name) {
        this.name = name;
    }

    /**
     * Work that runs inside the gate.
     *
     * @param <T> the type of the result
     * @param <E> the type of exceptions
     */
    @FunctionalInterface
    interface Work<T, E extends Exception> {
        T run() throws E;
    }

    /**
     * Runs work if the gate is open.
     *
     * @throws IllegalStateException if it is closed
     */
    <T, E extends Exception> T enter(Work<T, E> work) throws E {
        lock.readLock().lock();
        try {
            if (closed) {
                throw new IllegalStateException(name + " is closed; load the model again");
            }
            return work.run();
        } finally {
            lock.readLock().unlock();
        }
    }

    /**
     * Closes the gate, waits for work in progress, and then runs {@code rest}; does nothing the second time.
     *
     * @throws IllegalStateException if the thread is inside the gate, because it would wait for itself
     */
    void close(Runnable rest) {
        if (lock.getReadHoldCount() > 0) {
            throw new IllegalStateException(
                    name + " cannot be closed from within its own prediction; close it afterwards");
        }
        lock.writeLock().lock();
        try {
            if (!closed) {
                closed = true;
                rest.run();
            }
        } finally {
            lock.writeLock().unlock();
        }
    }
}
