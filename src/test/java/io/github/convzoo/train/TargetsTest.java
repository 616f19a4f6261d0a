package io.github.convzoo.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

class TargetsTest {

    private static final Targets PAIRS =
            Targets.mixed(new int[] {0, 1, 2}, new int[] {1, 1, 0}, new float[] {0.75f, 0.25f, 0.5f});

    private static final Targets ROWS =
            Targets.dense(new float[][] {{0.25f, 0.5f, 0.25f}, {0.5f, 0, 0.5f}, {0, 0.125f, 0.875f}});

    @Test
    void distributions_ofEachKind_haveOneRowPerSample() {
        assertThat(Targets.of(1, 0).distributions(2)).containsExactly(0, 1, 1, 0);
        assertThat(PAIRS.distributions(3)).containsExactly(0.75f, 0.25f, 0, 0, 1, 0, 0.5f, 0, 0.5f);
        assertThat(ROWS.distributions(3)).containsExactly(0.25f, 0.5f, 0.25f, 0.5f, 0, 0.5f, 0, 0.125f, 0.875f);
    }

    @Test
    void classes_areThoseOfTheLargestWeights_theFirstOnesInTies() {
        assertThat(Targets.of(1, 0).classes()).containsExactly(1, 0);
        assertThat(PAIRS.classes()).containsExactly(0, 1, 2);
        assertThat(ROWS.classes()).containsExactly(1, 0, 2);
    }

    @Test
    void slice_ofEachKind_hasTheSamplesInBetween() {
        assertThat(Targets.of(3, 1, 2).slice(1, 3).classes()).containsExactly(1, 2);
        assertThat(PAIRS.slice(1, 3).distributions(3)).containsExactly(0, 1, 0, 0.5f, 0, 0.5f);
        assertThat(ROWS.slice(2, 3).distributions(3)).containsExactly(0, 0.125f, 0.875f);
        assertThat(PAIRS.slice(0, 2).size()).isEqualTo(2);
    }

    @Test
    void targets_ofArrays_doNotChangeWithThem() {
        int[] labels = {1, 0};
        float[][] rows = {{1, 0}};
        Targets classes = Targets.of(labels);
        Targets dense = Targets.dense(rows);
        labels[0] = 0;
        rows[0][1] = 1;
        assertThat(classes.classes()).containsExactly(1, 0);
        assertThat(dense.distributions(2)).containsExactly(1, 0);
    }

    @Test
    void targets_ofOtherClassesThanTheNetwork_sayWhichSample() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Targets.of(0, 3).distributions(3))
                .withMessage("sample 1 has class 3, but the network has 3 classes");
        assertThatIllegalArgumentException().isThrownBy(() -> Targets.of(-1).distributions(3));
        assertThatIllegalArgumentException().isThrownBy(() -> PAIRS.distributions(2));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ROWS.distributions(4))
                .withMessage("sample 0 has probabilities of 3 classes, but the network has 4 classes");
    }

    @Test
    void targets_ofNoSamples_areRefused() {
        assertThatIllegalArgumentException().isThrownBy(Targets::of).withMessageContaining("at least 1 sample");
        assertThatIllegalArgumentException().isThrownBy(() -> Targets.dense(new float[0][]));
        assertThatIllegalArgumentException().isThrownBy(() -> PAIRS.slice(1, 1));
    }
}
