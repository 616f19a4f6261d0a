package io.github.convzoo.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** The queue on a clock that stands still, and without HTTP, networks, and (but for the last tests) threads. */
class BatchQueueTest {

    private static final long LATER = Long.MAX_VALUE / 2;

    private final AtomicLong now = new AtomicLong(1_000);
    private final BatchQueue queue = new BatchQueue(now::get);
    private final Events events = new Events();

    private static final class Events implements BatchQueue.Listener {
        final List<Integer> batches = new ArrayList<>();
        final List<Long> waits = new ArrayList<>();
        int expired;

        @Override
        public void computed(int images, long nanos) {
            batches.add(images);
        }

        @Override
        public void waited(long nanos) {
            waits.add(nanos);
        }

        @Override
        public void expired() {
            expired++;
        }
    }

    private BatchQueue.Lane<String, String> lane(int size, long delay, int capacity) {
        return queue.add(
                new BatchPolicy(size, Duration.ofNanos(delay)),
                capacity,
                inputs -> inputs.stream().map(input -> input + "!").toList(),
                events);
    }

    /** The inputs of the next batch; empty if it is not ready. The batch is computed. */
    private List<String> next() {
        BatchQueue.Batch<?, ?> batch = queue.next(now.get()).batch();
        if (batch == null) {
            return List.of();
        }
        batch.run();
        return batch.inputs().stream().map(Object::toString).toList();
    }

    private static BatchQueue.Done<String> done(CompletableFuture<BatchQueue.Done<String>> future) {
        assertThat(future).isDone();
        return future.join();
    }

    private static Problem.Kind problem(CompletableFuture<?> future) {
        assertThat(future).isCompletedExceptionally();
        try {
            future.get();
            throw new AssertionError("completed");
        } catch (ExecutionException e) {
            return ((Problem) Objects.requireNonNull(e.getCause())).kind();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void policy_withoutDelay_neverWaits() {
        assertThat(new BatchPolicy(8, Duration.ZERO).patience(1, 0)).isZero();
    }

    @Test
    void policy_withADelay_waitsForTheRestOfIt_unlessTheBatchIsFull() {
        BatchPolicy policy = new BatchPolicy(4, Duration.ofNanos(100));

        assertThat(policy.patience(3, 0)).isEqualTo(100);
        assertThat(policy.patience(3, 99)).isEqualTo(1);
        assertThat(policy.patience(3, 100)).isZero();
        assertThat(policy.patience(3, 1000)).isZero();
        assertThat(policy.patience(4, 0)).isZero();
        assertThat(policy.patience(5, 0)).isZero();
    }

    @Test
    void policy_ofNoImageOrNegativeDelay_isRefused() {
        assertThatThrownBy(() -> new BatchPolicy(0, Duration.ZERO)).hasMessageContaining("at least 1 image, not 0");
        assertThatThrownBy(() -> new BatchPolicy(1, Duration.ofMillis(-1))).hasMessageContaining("-1 ms");
    }

    @Test
    void inputs_ofSeveralRequests_shareABatch_inOrder() throws Problem {
        BatchQueue.Lane<String, String> lane = lane(4, 0, 10);
        CompletableFuture<BatchQueue.Done<String>> first = lane.submit(List.of("a"), LATER);
        CompletableFuture<BatchQueue.Done<String>> second = lane.submit(List.of("b", "c"), LATER);

        assertThat(next()).containsExactly("a", "b", "c");
        assertThat(done(first).outputs()).containsExactly("a!");
        assertThat(done(second).outputs()).containsExactly("b!", "c!");
        assertThat(events.batches).containsExactly(3);
        assertThat(lane.waiting()).isZero();
    }

    @Test
    void request_ofMoreInputsThanABatch_isAnsweredAfterItsLastBatch() throws Problem {
        BatchQueue.Lane<String, String> lane = lane(2, 0, 10);
        CompletableFuture<BatchQueue.Done<String>> request = lane.submit(List.of("a", "b", "c"), LATER);

        assertThat(next()).containsExactly("a", "b");
        assertThat(request).isNotDone();
        now.addAndGet(7);
        assertThat(next()).containsExactly("c");
        assertThat(done(request).outputs()).containsExactly("a!", "b!", "c!");
        assertThat(request.join().queuedNanos()).isEqualTo(7);
    }

    @Test
    void request_whoseBatchesEndInAnotherOrder_hasItsOutputsInOrder_andTheLongestWait() throws Problem {
        BatchQueue.Lane<String, String> lane = lane(1, 0, 10);
        CompletableFuture<BatchQueue.Done<String>> request = lane.submit(List.of("a", "b"), LATER);
        BatchQueue.Batch<?, ?> first =
                Objects.requireNonNull(queue.next(now.get()).batch());
        now.addAndGet(7);
        Objects.requireNonNull(queue.next(now.get()).batch()).run();
        first.run();

        assertThat(done(request).outputs()).containsExactly("a!", "b!");
        assertThat(request.join().queuedNanos()).isEqualTo(7);
    }

    @Test
    void batch_thatIsNotFull_isReadyAfterItsFirstInputsDelay() throws Problem {
        BatchQueue.Lane<String, String> lane = lane(3, 100, 10);
        assertThat(lane.submit(List.of("a"), LATER)).isNotDone();
        now.addAndGet(60);
        assertThat(lane.submit(List.of("b"), LATER)).isNotDone();

        assertThat(queue.next(now.get())).isEqualTo(new BatchQueue.Next(null, 40));
        now.addAndGet(40);
        assertThat(next()).containsExactly("a", "b");
        assertThat(events.waits).containsExactly(100L, 40L);
    }

    @Test
    void batch_thatIsFull_isReadyAtOnce() throws Problem {
        BatchQueue.Lane<String, String> lane = lane(2, 100, 10);
        assertThat(lane.submit(List.of("a", "b", "c"), LATER)).isNotDone();

        assertThat(next()).containsExactly("a", "b");
        assertThat(next()).isEmpty();
        now.addAndGet(100);
        assertThat(next()).containsExactly("c");
    }

    @Test
    void request_beyondTheCapacity_isRefusedAsAWhole() throws Problem {
        BatchQueue.Lane<String, String> lane = lane(8, 0, 3);
        assertThat(lane.submit(List.of("a", "b"), LATER)).isNotDone();

        assertThatThrownBy(() -> lane.submit(List.of("c", "d"), LATER))
                .isInstanceOfSatisfying(
                        Problem.class, problem -> assertThat(problem.kind()).isEqualTo(Problem.Kind.QUEUE_FULL))
                .hasMessageContaining("2 images wait")
                .hasMessageContaining("holds 3");
        assertThat(lane.submit(List.of("e"), LATER)).isNotDone();
        assertThat(next()).containsExactly("a", "b", "e");
    }

    @Test
    void input_afterItsDeadline_isNotComputed() throws Problem {
        BatchQueue.Lane<String, String> lane = lane(8, 0, 10);
        CompletableFuture<BatchQueue.Done<String>> early = lane.submit(List.of("a", "b"), now.get() + 50);
        CompletableFuture<BatchQueue.Done<String>> late = lane.submit(List.of("c"), now.get() + 51);
        CompletableFuture<BatchQueue.Done<String>> alsoEarly = lane.submit(List.of("d"), now.get() + 50);
        now.addAndGet(50);

        assertThat(next()).containsExactly("c");
        assertThat(problem(early)).isEqualTo(Problem.Kind.EXPIRED);
        assertThat(problem(alsoEarly)).isEqualTo(Problem.Kind.EXPIRED);
        assertThat(done(late).outputs()).containsExactly("c!");
        assertThat(events.expired).as("requests").isEqualTo(2);
    }

    @Test
    void input_afterItsDeadline_makesRoomForOthers() throws Problem {
        BatchQueue.Lane<String, String> lane = lane(8, 0, 1);
        CompletableFuture<BatchQueue.Done<String>> early = lane.submit(List.of("a"), now.get() + 50);
        now.addAndGet(50);

        assertThat(lane.submit(List.of("b"), LATER)).isNotDone();
        assertThat(problem(early)).isEqualTo(Problem.Kind.EXPIRED);
        assertThat(next()).containsExactly("b");
    }

    @Test
    void lanes_takeTurns_byTheirFirstInputsArrival() throws Problem {
        BatchQueue.Lane<String, String> busy = lane(1, 0, 10);
        BatchQueue.Lane<String, String> other = lane(1, 0, 10);
        assertThat(busy.submit(List.of("a"), LATER)).isNotDone();
        now.addAndGet(1);
        assertThat(other.submit(List.of("x"), LATER)).isNotDone();
        now.addAndGet(1);
        assertThat(busy.submit(List.of("b"), LATER)).isNotDone();

        assertThat(next()).containsExactly("a");
        assertThat(next()).containsExactly("x");
        assertThat(next()).containsExactly("b");
    }

    @Test
    void work_thatFails_failsItsRequests_andNoOthers() throws Problem {
        BatchQueue.Lane<String, String> lane = queue.add(
                new BatchPolicy(1, Duration.ZERO),
                10,
                inputs -> {
                    if (inputs.contains("bad")) {
                        throw new StackOverflowError("as an example");
                    }
                    return inputs;
                },
                events);
        CompletableFuture<BatchQueue.Done<String>> bad = lane.submit(List.of("bad"), LATER);
        CompletableFuture<BatchQueue.Done<String>> good = lane.submit(List.of("good"), LATER);

        assertThat(next()).containsExactly("bad");
        assertThat(next()).containsExactly("good");
        assertThat(bad).isCompletedExceptionally();
        assertThat(done(good).outputs()).containsExactly("good");
    }

    @Test
    void work_withTheWrongNumberOfOutputs_failsItsRequests() throws Problem {
        BatchQueue.Lane<String, String> lane =
                queue.add(new BatchPolicy(8, Duration.ZERO), 10, inputs -> List.of("x"), events);
        CompletableFuture<BatchQueue.Done<String>> request = lane.submit(List.of("a", "b"), LATER);

        assertThat(next()).hasSize(2);
        assertThat(request).isCompletedExceptionally();
    }

    @Test
    void closedQueue_refusesMore_andHandsOutWhatWaits_withoutDelay() throws Exception {
        BatchQueue.Lane<String, String> lane = lane(8, 1_000_000_000_000L, 10);
        CompletableFuture<BatchQueue.Done<String>> request = lane.submit(List.of("a"), LATER);
        assertThat(next()).isEmpty();
        queue.close();

        assertThatThrownBy(() -> lane.submit(List.of("b"), LATER)).hasMessageContaining("stopping");
        Objects.requireNonNull(queue.take()).run();
        assertThat(done(request).outputs()).containsExactly("a!");
        assertThat(queue.take()).isNull();
    }

    @Test
    void hurriedQueue_acceptsMore_withoutDelay() throws Problem {
        BatchQueue.Lane<String, String> lane = lane(8, 100, 10);
        queue.hurry();

        assertThat(lane.submit(List.of("a"), LATER)).isNotDone();
        assertThat(next()).containsExactly("a");
    }

    @Test
    void take_onAnEmptyQueue_waitsForAnInput() throws Exception {
        BatchQueue.Lane<String, String> lane = lane(8, 0, 10);
        Future<List<String>> taken = inBackground(() -> {
            BatchQueue.Batch<?, ?> batch = Objects.requireNonNull(queue.take());
            return batch.inputs().stream().map(Object::toString).toList();
        });

        assertThat(lane.submit(List.of("a"), LATER)).isNotDone();
        assertThat(taken.get(1, TimeUnit.MINUTES)).containsExactly("a");
    }

    @Test
    void take_onAnEmptyQueue_endsWhenItIsClosed() throws Exception {
        Future<Boolean> ended = inBackground(() -> queue.take() == null);
        queue.close();

        assertThat(ended.get(1, TimeUnit.MINUTES)).isTrue();
    }

    private static <T> Future<T> inBackground(java.util.concurrent.Callable<T> work) {
        FutureTask<T> task = new FutureTask<>(work);
        Thread thread = new Thread(task, "worker");
        thread.setDaemon(true);
        thread.start();
        return task;
    }
}
