package io.github.convzoo.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ScheduleTest {

    static Stream<Arguments> schedules() {
        return Stream.of(
                Arguments.of("multi_step", new Schedule.MultiStep(0.5, List.of(3L, 5L, 9L), 0.2)),
                Arguments.of("exponential", new Schedule.Exponential(0.5, 4, 0.7)),
                Arguments.of("cosine", new Schedule.Cosine(0.5, 0.01, 1, 0, 11)),
                Arguments.of("cosine_warm_up", new Schedule.Cosine(0.5, 0.01, 0.1, 5, 20)),
                Arguments.of("one_cycle", Schedule.OneCycle.of(0.5, 20)),
                Arguments.of("one_cycle_short", new Schedule.OneCycle(0.5, 7, 0.45, 10, 100)));
    }

    @ParameterizedTest
    @MethodSource("schedules")
    void at_everyStep_isPyTorchsRate(String name, Schedule schedule) {
        double[] expected = TrainingFixtures.doubles(TrainingFixtures.read("schedules"), name);
        assertThat(expected).hasSizeGreaterThan(5);
        for (int step = 0; step < expected.length; step++) {
            // The fixtures have ten digits.
            assertThat(schedule.at(step)).as("step %d", step).isCloseTo(expected[step], within(1e-9 * expected[step]));
        }
    }

    @Test
    void at_anyStep_ofConstantIsTheRate() {
        assertThat(new Schedule.Constant(0.1).at(123_456_789_012L)).isEqualTo(0.1);
    }

    @Test
    void at_beyondTheLastStep_staysAtTheEnd() {
        assertThat(new Schedule.Cosine(0.5, 0.01, 1, 0, 11).at(1000)).isEqualTo(0.01);
        assertThat(Schedule.OneCycle.of(0.5, 20).at(1000)).isEqualTo(0.5 / 25 / 1e4);
        assertThat(Schedule.OneCycle.of(0.5, 1).at(0)).isEqualTo(0.5 / 25 / 1e4);
    }

    @Test
    void schedule_ofValuesThatMakeNone_isRefused() {
        refused("the learning rate must be positive and finite, not 0.0", () -> new Schedule.Constant(0));
        refused("not NaN", () -> new Schedule.Constant(Double.NaN));
        refused("5 follows 5", () -> new Schedule.MultiStep(0.1, List.of(5L, 5L), 0.1));
        refused("0 follows 0", () -> new Schedule.MultiStep(0.1, List.of(0L), 0.1));
        refused("at least 1, not 0", () -> new Schedule.Exponential(0.1, 0, 0.1));
        refused("factor", () -> new Schedule.Exponential(0.1, 1, -1));
        refused("from 0 to 0.1, not 0.2", () -> new Schedule.Cosine(0.1, 0.2, 1, 0, 10));
        refused("at least 11, not 10", () -> new Schedule.Cosine(0.1, 0, 1, 10, 10));
        refused("at most 1, not 0.0", () -> new Schedule.Cosine(0.1, 0, 0, 1, 10));
        refused("(0, 1), not 1.0", () -> new Schedule.OneCycle(0.1, 10, 1, 25, 25));
        refused("divisor", () -> new Schedule.OneCycle(0.1, 10, 0.5, 0.5, 25));
        refused("the step must be at least 0, not -1", () -> new Schedule.Constant(1).at(-1));
    }

    private static void refused(String message, Runnable action) {
        assertThatIllegalArgumentException().isThrownBy(action::run).withMessageContaining(message);
    }
}
