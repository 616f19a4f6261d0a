package io.github.convzoo.serve;

import java.util.concurrent.atomic.AtomicLong;

/**
 * Memory that all requests share: for their bodies, for what is made of them, and for answers until they are written.
 * Without locks.
 */
final class MemoryBudget {

    /** The bytes that a share took once it is released. */
    private static final long RELEASED = -1;

    private final long all;
    private final AtomicLong left;

    /**
     * Creates a budget.
     *
     * @param all the bytes that may be taken
     */
    MemoryBudget(long all) {
        this.all = all;
        left = new AtomicLong(all);
    }

    /** A share for a request, which has taken nothing yet. */
    Share share() {
        return new Share();
    }

    /** The bytes that are taken. Answers may exceed the budget. */
    long taken() {
        return all - left.get();
    }

    /** What one request takes. Thread-safe: a request may end on one thread while another still works for it. */
    final class Share {

        private final AtomicLong taken = new AtomicLong();

        private Share() {}

        /**
         * Takes bytes, before they are allocated.
         *
         * @param bytes how many
         * @param what what they are for, for the message
         * @throws Problem if there is not enough now, or at all; nothing is taken then
         */
        void take(long bytes, String what) throws Problem {
            long before = Math.max(0, taken.get());
            if (before + bytes > all) {
                throw new Problem(
                        Problem.Kind.TOO_LARGE,
                        "with " + what + ", the request would take about " + (before + bytes)
                                + " bytes of memory, and all requests together may take " + all
                                + "; ask for less at once, or raise the server's heap");
            }
            // Never takes more than there is, not even for a moment: another request could be refused in it.
            long free;
            do {
                free = left.get();
                if (free < bytes) {
                    throw new Problem(
                            Problem.Kind.QUEUE_FULL, "the requests that wait take too much memory; try again later");
                }
            } while (!left.compareAndSet(free, free - bytes));
            if (!add(bytes)) {
                // The request has ended meanwhile, and nobody would give these bytes back.
                left.addAndGet(bytes);
                throw new Problem(Problem.Kind.EXPIRED, "the request has already been answered");
            }
        }

        private boolean add(long bytes) {
            while (true) {
                long before = taken.get();
                if (before == RELEASED) {
                    return false;
                }
                if (taken.compareAndSet(before, before + bytes)) {
                    return true;
                }
            }
        }

        /**
         * Replaces what was taken: only the answer is left of the request. Does not refuse, because the answer exists.
         *
         * @param bytes the answer's bytes
         */
        void settle(long bytes) {
            while (true) {
                long before = taken.get();
                if (before == RELEASED) {
                    return;
                }
                if (taken.compareAndSet(before, bytes)) {
                    left.addAndGet(before - bytes);
                    return;
                }
            }
        }

        /** Gives everything back, once; nothing can be taken afterwards. */
        void release() {
            long before = taken.getAndSet(RELEASED);
            if (before != RELEASED) {
                left.addAndGet(before);
            }
        }
    }
}
