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
 * The right to change one directory of the cache, against other threads and other processes. The lock files stay: one
 * that is deleted while somebody waits for it would let two in.
 */
final class CacheLock implements Closeable {

    /**
     * Locks between threads. They are needed before the file is opened, not just beside the file's lock: on POSIX systems
     * closing any channel on a file drops all the locks that the process has on it.
     */
    private static final ConcurrentMap<Path, Semaphore> THREADS = new ConcurrentHashMap<>();

    private static final long BETWEEN_MILLIS = 50;

    private final Semaphore threads;
    private final FileChannel channel;

    private CacheLock(Semaphore threads, FileChannel channel) {
        this.threads = threads;
        this.channel = channel;
    }

    /** Waits for the lock. Not to be taken twice by one thread. */
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

    /** Takes the lock if nobody has it. */
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
            // Another class loader's copy of this class, which has semaphores of its own.
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
