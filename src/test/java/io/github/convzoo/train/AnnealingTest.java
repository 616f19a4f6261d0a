package io.github.convzoo.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

class AnnealingTest {

    @Test
    void at_everyEpochOfThePaper_fallsBy3AndStaysAt1() {
        double[] expected = {30, 27, 24, 21, 18, 15, 12, 9, 6, 3, 1, 1, 1};
        for (int epoch = 0; epoch < expected.length; epoch++) {
            assertThat(Annealing.PAPER.at(epoch)).as("epoch %d", epoch).isEqualTo(expected[epoch]);
        }
    }

    @Test
    void at_ofOtherEnds_stepsByStartOverEpochs() {
        Annealing annealing = new Annealing(8, 3, 4);
        assertThat(annealing.at(2)).isEqualTo(4);
        assertThat(annealing.at(3)).isEqualTo(3);
    }

    @Test
    void annealing_upwardsOrToNothing_isRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> new Annealing(1, 2, 10));
        assertThatIllegalArgumentException().isThrownBy(() -> new Annealing(30, 0, 10));
        assertThatIllegalArgumentException().isThrownBy(() -> new Annealing(Double.POSITIVE_INFINITY, 1, 10));
        assertThatIllegalArgumentException().isThrownBy(() -> new Annealing(30, 1, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> Annealing.PAPER.at(-1));
    }
}
