package io.github.convzoo.zoo;

import java.util.concurrent.locks.ReentrantReadWriteLock;

/** Lets work in until it is closed. Closing waits for the work that is inside. */
final class Gate {

    private final String name;
    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
    private boolean closed;

    /** Makes an open gate; messages call what is behind it by the name. */
    Gate(String name) {
        this.name = name;
    }

    /**
     * What is done behind the gate.
     *
     * @param <T> what it gives
     * @param <E> what it throws
     */
    @FunctionalInterface
    interface Work<T, E extends Exception> {
        T run() throws E;
    }

    /**
     * Does work that needs the gate open.
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
     * Closes the gate once nobody is inside, and then does the rest; nothing the second time.
     *
     * @throws IllegalStateException if the thread is inside itself, and would wait for itself
     */
    void close(Runnable rest) {
        if (lock.getReadHoldCount() > 0) {
            throw new IllegalStateException(
                    name + " cannot be closed by a prediction that it runs; close it afterwards");
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
