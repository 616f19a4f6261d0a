package io.github.convzoo.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class CheckpointExceptionTest {
    private static CheckpointException exception(String tensor, String problem) {
        return new CheckpointException(Path.of("a.pth"), 7, tensor, problem, null);
    }

    @Test
    void message_quotingControlCharacters_showsNone() {
        // A line feed, an escape sequence's two beginnings, an override of the writing direction, half a character,
        // line ends.
        String harmful = "a\n\u001b[31m\u009b31m\u202e\ud800\u2028\u2029\u0085b";
        String harmless = "a??[31m?31m?????b";
        CheckpointException exception = exception(harmful, "it is of class " + harmful + "; save it again");
        assertThat(exception)
                .hasMessage(
                        "a.pth: tensor " + harmless + ": it is of class " + harmless + "; save it again (at byte 7)");
        assertThat(exception.problem()).isEqualTo("it is of class " + harmless + "; save it again");
        assertThat(exception.tensor()).hasValue(harmful);
    }

    @Test
    void message_quotingOtherScripts_showsThem() {
        assertThat(exception("gewöhnlich", "\u540d\ud83d\ude00").getMessage())
                .isEqualTo("a.pth: tensor gewöhnlich: \u540d\ud83d\ude00 (at byte 7)");
    }

    @Test
    void message_quotingLongText_isShortAndEndsWithTheAdvice() {
        CheckpointException exception = exception("x".repeat(5000), "it has " + "y".repeat(9000) + "; save it again");
        assertThat(exception.getMessage()).hasSizeLessThan(2300).endsWith("; save it again (at byte 7)");
    }
}
