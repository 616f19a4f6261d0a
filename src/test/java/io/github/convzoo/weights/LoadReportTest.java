package io.github.convzoo.weights;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.convzoo.weights.LoadReport.Note;
import io.github.convzoo.weights.LoadReport.Remark;
import io.github.convzoo.weights.LoadReport.Rule;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class LoadReportTest {

    @Test
    void guesses_areAssumptions_andTheChoiceOfWeights() {
        LoadReport report = new LoadReport(
                Path.of("run.pth"),
                "state_dict_ema",
                "dla34",
                List.of("fc.weight"),
                List.of(
                        new Note(Rule.BATCH_COUNTER, List.of("bn.num_batches_tracked")),
                        new Note(Rule.NOT_TAKEN, List.of("state_dict", "model"))),
                List.of(),
                List.of(
                        new Remark(Remark.Kind.SETTING, "a setting"),
                        new Remark(Remark.Kind.OVERRIDE, "an override"),
                        new Remark(Remark.Kind.GUESS, "a guess")));
        assertThat(report.guesses())
                .containsExactly(
                        "run.pth: using the weights at state_dict_ema, although those at state_dict, model also fit and"
                                + " differ; choose others with --key (withKey in Java)",
                        "a guess");
    }
}
