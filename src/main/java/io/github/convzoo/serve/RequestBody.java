package io.github.convzoo.serve;

import io.github.convzoo.message.Reason;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.http.HttpException;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.util.thread.Scheduler;

/**
 * Reads a request's body as it arrives. No thread waits for a slow client, and memory is taken only for bytes that have
 * arrived, from a budget that all requests share.
 */
final class RequestBody implements Runnable {

    private static final int FIRST = 16 << 10;

    private final Request request;
    private final ServerOptions.RequestLimits limits;
    private final MemoryBudget.Share memory;
    private final CompletableFuture<byte[]> whole = new CompletableFuture<>();
    private byte[] bytes;
    private int length;

    /**
     * Prepares to read.
     *
     * @param memory the request's share, of which the body is taken; the caller releases it
     */
    RequestBody(Request request, ServerOptions.RequestLimits limits, MemoryBudget.Share memory) {
        this.request = request;
        this.limits = limits;
        this.memory = memory;
        // Grows up to the announced length, so that the last array is the body.
        bytes = new byte[(int) Math.min(Math.max(0, request.getLength()), FIRST)];
    }

    /**
     * Starts to read.
     *
     * @return the body; fails with a {@link Problem} if it is too large or too slow, or the client goes away
     */
    CompletableFuture<byte[]> read() {
        if (request.getLength() > limits.bytes()) {
            whole.completeExceptionally(tooLarge());
            return whole;
        }
        Scheduler.Task timeout = request.getComponents()
                .getScheduler()
                .schedule(
                        () -> whole.completeExceptionally(tooSlow()),
                        limits.readTime().toMillis(),
                        TimeUnit.MILLISECONDS);
        CompletableFuture<byte[]> timed = whole.whenComplete((body, failure) -> timeout.cancel());
        run();
        return timed;
    }

    @Override
    public void run() {
        while (!whole.isDone()) {
            Content.Chunk chunk = request.read();
            if (chunk == null) {
                request.demand(this);
                return;
            }
            if (Content.Chunk.isFailure(chunk)) {
                whole.completeExceptionally(failure(chunk.getFailure()));
                return;
            }
            boolean last = chunk.isLast();
            try {
                append(chunk);
            } catch (Problem e) {
                whole.completeExceptionally(e);
                return;
            } finally {
                chunk.release();
            }
            if (last) {
                whole.complete(length == bytes.length ? bytes : Arrays.copyOf(bytes, length));
                return;
            }
        }
    }

    private void append(Content.Chunk chunk) throws Problem {
        int more = chunk.remaining();
        if (more > limits.bytes() - length) {
            throw tooLarge();
        }
        memory.take(more, "its body");
        if (more > bytes.length - length) {
            int announced = (int) Math.max(0, request.getLength());
            int doubled = Math.max(length + more, Math.min(limits.bytes(), Math.max(FIRST, 2 * bytes.length)));
            bytes = Arrays.copyOf(bytes, announced >= length + more ? Math.min(announced, doubled) : doubled);
        }
        chunk.get(bytes, length, more);
        length += more;
    }

    private static Problem failure(Throwable failure) {
        if (failure instanceof TimeoutException || failure.getCause() instanceof TimeoutException) {
            return tooSlow();
        }
        return new Problem(
                failure instanceof HttpException http ? Problem.Kind.of(http.getCode()) : Problem.Kind.BAD_REQUEST,
                "the request's body cannot be read: " + Reason.of(failure),
                failure);
    }

    private static Problem tooSlow() {
        return new Problem(Problem.Kind.TOO_SLOW, "the request's body took too long to arrive");
    }

    private Problem tooLarge() {
        return new Problem(
                Problem.Kind.TOO_LARGE,
                "a request may have at most " + limits.bytes() + " bytes; send less, or raise --max-request");
    }
}
