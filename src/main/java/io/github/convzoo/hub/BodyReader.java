package io.github.convzoo.hub;

import java.io.Closeable;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A response's body, read piece by piece on the caller's thread. The JDK's own stream waits for the next byte forever;
 * this one times out. The next piece is read while the current one is used, so memory use is small.
 */
final class BodyReader implements HttpResponse.BodySubscriber<BodyReader>, Closeable {

    private sealed interface Signal {}

    private record Bytes(List<ByteBuffer> buffers) implements Signal {}

    private record Failed(Throwable cause) implements Signal {}

    private record End() implements Signal {}

    private final BlockingQueue<Signal> signals = new LinkedBlockingQueue<>();
    private Flow.@Nullable Subscription subscription;
    private boolean closed;

    @Override
    public CompletionStage<BodyReader> getBody() {
        return CompletableFuture.completedStage(this);
    }

    @Override
    public synchronized void onSubscribe(Flow.Subscription given) {
        subscription = given;
        if (closed) {
            given.cancel();
        } else {
            given.request(1);
        }
    }

    @Override
    public void onNext(List<ByteBuffer> item) {
        signals.add(new Bytes(item));
    }

    @Override
    public void onError(Throwable throwable) {
        signals.add(new Failed(throwable));
    }

    @Override
    public void onComplete() {
        signals.add(new End());
    }

    /**
     * {@return the bytes of the next piece; null at the end}
     *
     * @throws HttpTimeoutException if nothing arrived in time
     * @throws IOException if the connection broke
     */
    @Nullable List<ByteBuffer> next(Duration longestSilence) throws IOException, InterruptedException {
        Signal signal = signals.poll(longestSilence.toMillis(), TimeUnit.MILLISECONDS);
        if (signal == null) {
            throw new HttpTimeoutException("silence");
        }
        if (signal instanceof Bytes bytes) {
            requestMore();
            return bytes.buffers();
        }
        if (signal instanceof Failed failed) {
            throw new IOException(failed.cause().getMessage(), failed.cause());
        }
        return null;
    }

    private synchronized void requestMore() {
        if (subscription != null && !closed) {
            subscription.request(1);
        }
    }

    /** Discards the rest of the body and the connection. */
    @Override
    public synchronized void close() {
        closed = true;
        if (subscription != null) {
            subscription.cancel();
        }
    }
}
