package io.github.convzoo.hub;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/**
 * An exclusive lock on one directory of the cache, across threads and processes. Lock files are never deleted: deleting
 * one while another process waits for it would admit two.
 */
final class CacheLock implements Closeable {

    /**
     * Locks between threads. They are acquired before the file is opened, not in addition to the file's lock: on POSIX
     * systems, closing any channel of a file releases all locks that the process has on it.
     */
    private static final ConcurrentMap<Path, Semaphore> THREADS = new ConcurrentHashMap<>();

    private static final long BETWEEN_MILLIS = 50;

    private final Semaphore threads;
    private final FileChannel channel;

    private CacheLock(Semaphore threads, FileChannel channel) {
        this.threads = threads;
        this.channel = channel;
    }

    /** Waits for the lock, which is not reentrant. */
    static CacheLock acquire(Path file) throws IOException, InterruptedException {
        Semaphore threads = threads(file);
        threads.acquire();
        FileChannel channel = null;
        try {
            channel = open(file);
            while (tryLock(channel) == null) {
                Thread.sleep(BETWEEN_MILLIS);
            }
            return new CacheLock(threads, channel);
        } catch (IOException | InterruptedException | RuntimeException e) {
            giveBack(threads, channel);
            throw e;
        }
    }

    /** Takes the lock if it is free. */
    static Optional<CacheLock> tryAcquire(Path file) throws IOException {
        Semaphore threads = threads(file);
        if (!threads.tryAcquire()) {
            return Optional.empty();
        }
        FileChannel channel = null;
        try {
            channel = open(file);
            if (tryLock(channel) != null) {
                return Optional.of(new CacheLock(threads, channel));
            }
            giveBack(threads, channel);
            return Optional.empty();
        } catch (IOException | RuntimeException e) {
            giveBack(threads, channel);
            throw e;
        }
    }

    private static Semaphore threads(Path file) {
        return THREADS.computeIfAbsent(file.toAbsolutePath().normalize(), path -> new Semaphore(1));
    }

    private static FileChannel open(Path file) throws IOException {
        Path folder = file.toAbsolutePath().getParent();
        if (folder != null) {
            CacheFile.createFolder(folder);
        }
        return CacheFile.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    }

    private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException e) {
            // A copy of this class in another class loader, with its own semaphores.
            return null;
        }
    }

    private static void giveBack(Semaphore threads, @Nullable FileChannel channel) throws IOException {
        try {
            if (channel != null) {
                channel.close();
            }
        } finally {
            threads.release();
        }
    }

    @Override
    public void close() throws IOException {
        giveBack(threads, channel);
    }
}
