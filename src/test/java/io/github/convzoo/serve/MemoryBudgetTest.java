package io.github.convzoo.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CyclicBarrier;
import org.junit.jupiter.api.Test;

class MemoryBudgetTest {

    private final MemoryBudget budget = new MemoryBudget(100);
    private final MemoryBudget.Share share = budget.share();

    private static void refused(Problem.Kind kind, MemoryBudget.Share share, long bytes) {
        assertThatThrownBy(() -> share.take(bytes, "its answer"))
                .isInstanceOfSatisfying(
                        Problem.class, problem -> assertThat(problem.kind()).isEqualTo(kind));
    }

    @Test
    void take_upToAll_isAccepted_oneMoreRefused() throws Problem {
        share.take(60, "its body");
        share.take(40, "its answer");

        assertThat(budget.taken()).isEqualTo(100);
        refused(Problem.Kind.QUEUE_FULL, budget.share(), 1);
        assertThat(budget.taken()).isEqualTo(100);
    }

    @Test
    void take_ofWhatNeverFits_isTooLarge_andTakesNothing() throws Problem {
        refused(Problem.Kind.TOO_LARGE, share, 101);
        share.take(60, "its body");
        refused(Problem.Kind.TOO_LARGE, share, 41);

        assertThat(budget.taken()).isEqualTo(60);
    }

    @Test
    void settle_leavesTheAnswerAlone_evenIfThereIsNotEnough() throws Problem {
        share.take(60, "its body");
        share.settle(10);
        assertThat(budget.taken()).isEqualTo(10);

        budget.share().settle(95);
        assertThat(budget.taken()).isEqualTo(105);
        refused(Problem.Kind.QUEUE_FULL, budget.share(), 1);
    }

    @Test
    void release_givesEverythingBack_once() throws Problem {
        share.take(60, "its body");
        share.settle(30);
        share.release();
        share.release();

        assertThat(budget.taken()).isZero();
    }

    /** As when the time for a body is over while a part of it is read. */
    @Test
    void take_afterRelease_losesNothing() {
        share.release();

        refused(Problem.Kind.EXPIRED, share, 60);
        share.settle(60);
        assertThat(budget.taken()).isZero();
    }

    /** A request that is refused must not make another one fail that fits. */
    @Test
    void take_whileAnotherIsRefused_isAccepted() throws Exception {
        share.take(40, "its body");
        Thread other = new Thread(() -> {
            for (int i = 0; i < 20_000; i++) {
                refused(Problem.Kind.QUEUE_FULL, budget.share(), 61);
            }
        });
        other.start();
        while (other.isAlive()) {
            MemoryBudget.Share fitting = budget.share();
            fitting.take(60, "its body");
            fitting.release();
        }
        assertThat(budget.taken()).isEqualTo(40);
    }

    @Test
    void take_whileReleasing_losesNothing() throws Exception {
        for (int i = 0; i < 2000; i++) {
            MemoryBudget.Share raced = budget.share();
            CyclicBarrier start = new CyclicBarrier(2);
            Thread other = new Thread(() -> {
                try {
                    start.await();
                    raced.take(1, "its body");
                    raced.settle(2);
                } catch (Exception e) {
                    // It was released already.
                }
            });
            other.start();
            start.await();
            raced.release();
            other.join();
            assertThat(budget.taken()).isZero();
        }
    }
}
