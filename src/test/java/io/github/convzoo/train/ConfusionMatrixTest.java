package io.github.convzoo.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import org.junit.jupiter.api.Test;

class ConfusionMatrixTest {

    private static ConfusionMatrix matrix() {
        ConfusionMatrix matrix = new ConfusionMatrix(List.of("cat", "dog, \"large\"", "none"), 4);
        matrix.add(0, 0);
        matrix.add(0, 0);
        matrix.add(0, 1);
        matrix.add(1, 3);
        return matrix;
    }

    @Test
    void counts_ofWhatWasAdded_areInRowAndColumn() {
        ConfusionMatrix matrix = matrix();
        assertThat(matrix.count(0, 0)).isEqualTo(2);
        assertThat(matrix.count(0, 1)).isEqualTo(1);
        assertThat(matrix.count(1, 0)).isZero();
        assertThat(matrix.total(0)).isEqualTo(3);
        assertThat(matrix.accuracy(0)).hasValue(2.0 / 3);
        assertThat(matrix.accuracy(1)).hasValue(0);
        assertThat(matrix.accuracy(2)).isEmpty();
    }

    @Test
    void csv_hasQuotedNamesAndEveryCount() {
        assertThat(matrix().toCsv())
                .isEqualTo(
                        """
                        actual \\ predicted,cat,"dog, ""large""\",none,3
                        cat,2,1,0,0
                        "dog, ""large""\",0,0,0,1
                        none,0,0,0,0
                        """);
        assertThat(matrix().accuraciesToCsv())
                .isEqualTo(
                        """
                        class,images,correct,accuracy
                        cat,3,2,0.6666666666666666
                        "dog, ""large""\",1,0,0.0
                        none,0,0,
                        """);
    }

    @Test
    void classes_thatTheNetworkCannotTellApart_areRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new ConfusionMatrix(List.of("a", "b"), 1))
                .withMessageContaining("must be 1 to 1,");
        assertThatIllegalArgumentException().isThrownBy(() -> new ConfusionMatrix(List.of(), 1));
    }
}
