package io.github.convzoo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TrainChecksTest {

    @Test
    void fewSteps_fromScratch_areSaid() {
        TrainOptions options = new TrainOptions();
        assertThat(TrainChecks.fewSteps(options, 500)).isEmpty();
        assertThat(TrainChecks.fewSteps(options, 499).orElseThrow())
                .contains("only 499 steps", "--pretrained", "--epochs")
                .doesNotContain("--lr");
        options.batchSize = 10;
        assertThat(TrainChecks.fewSteps(options, 1).orElseThrow())
                .contains(
                        "only 1 step rarely converges;", "the default --lr is for batches of 128", "for batches of 10");
        options.lr = 0.01;
        assertThat(TrainChecks.fewSteps(options, 1).orElseThrow()).doesNotContain("--lr");
    }

    @ParameterizedTest
    @CsvSource({"0, 0 classes", "1, 1 class", "2, 2 classes", "1000, '1,000 classes'"})
    void count_ofThings_hasTheirNumber(long number, String text) {
        assertThat(Count.of(number, "class", "classes")).isEqualTo(text);
        assertThat(Count.of(number, "image"))
                .isEqualTo(text.replace("classes", "images").replace("class", "image"));
    }
}
