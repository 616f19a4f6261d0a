package io.github.convzoo.zoo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class GateTest {

    private final Gate gate = new Gate("the model");
    private final AtomicInteger closed = new AtomicInteger();

    @Test
    void close_twice_doesTheRestOnce() {
        gate.close(closed::incrementAndGet);
        gate.close(closed::incrementAndGet);
        assertThat(closed).hasValue(1);
    }

    @Test
    void enter_ofAClosedGate_isRefused() {
        assertThat(gate.<String, RuntimeException>enter(() -> "done")).isEqualTo("done");
        gate.close(closed::incrementAndGet);
        assertThatIllegalStateException()
                .isThrownBy(() -> gate.<String, RuntimeException>enter(() -> "done"))
                .withMessage("the model is closed; load the model again");
    }

    @Test
    @Timeout(value = 1, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void close_fromInside_isRefused_andTheGateStaysOpen() {
        assertThatIllegalStateException()
                .isThrownBy(() -> gate.<Integer, RuntimeException>enter(() -> {
                    gate.close(closed::incrementAndGet);
                    return 0;
                }))
                .withMessageContaining("the model cannot be closed from within its own prediction");
        assertThat(closed).hasValue(0);
        assertThat(gate.<String, RuntimeException>enter(() -> "done")).isEqualTo("done");
    }
}
