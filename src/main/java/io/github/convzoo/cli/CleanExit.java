package io.github.convzoo.cli;

import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * While open, lets a process that is asked to exit, as by Ctrl-C, stop between two images and remove its partial files.
 * It has a few seconds.
 */
final class CleanExit implements AutoCloseable {

    private static final long SECONDS = 5;

    private final Thread hook;
    private volatile boolean asked;

    /**
     * Begins.
     *
     * @param ended open until the command is done
     * @param asks called when the process is asked to exit, for example to interrupt a thread
     */
    CleanExit(CountDownLatch ended, Runnable asks) {
        hook = new Thread(
                () -> {
                    asked = true;
                    asks.run();
                    try {
                        // An image may take longer, such as one that is being downloaded; then its file remains.
                        ended.await(SECONDS, TimeUnit.SECONDS);
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                },
                "convzoo-stop");
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /**
     * Does work that removes its partial files when its thread is interrupted, as the process is asked to exit.
     *
     * @param ended open until the command is done
     */
    static <T> T interruptible(CountDownLatch ended, Callable<T> work) throws Exception {
        return interruptible(ended, () -> "nothing was written", work);
    }

    /**
     * Does work that writes to a folder, and removes its partial files when its thread is interrupted, as the process
     * is asked to exit.
     *
     * @param ended open until the command is done
     * @param changes what the command has written to the folder
     */
    static <T> T interruptible(CountDownLatch ended, FolderChanges changes, Callable<T> work) throws Exception {
        return interruptible(ended, changes::inWords, work);
    }

    private static <T> T interruptible(CountDownLatch ended, Callable<String> written, Callable<T> work)
            throws Exception {
        try (CleanExit exit = new CleanExit(ended, Thread.currentThread()::interrupt)) {
            try {
                return work.call();
            } catch (IOException | RuntimeException e) {
                if (exit.isAskedFor()) {
                    throw new IOException("stopped; " + written.call(), e);
                }
                throw e;
            }
        }
    }

    /** Whether the process is asked to exit. */
    boolean isAskedFor() {
        return asked;
    }

    @Override
    public void close() {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The process is already exiting.
        }
    }
}
