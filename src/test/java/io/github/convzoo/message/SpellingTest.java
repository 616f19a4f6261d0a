package io.github.convzoo.message;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SpellingTest {

    @ParameterizedTest
    @CsvSource({
        "DLA-34, dla34",
        "d-l-a-6-0-x, dla60x",
        "dla_60, dla60",
        "peelenet, peleenet",
        "peleeet, peleenet",
        "dla35, dla34",
        "dla61, dla60",
        "dla6, dla60",
        "alexnetdy, alexnet_dy",
        "pelee, peleenet",
        "dpn68, dpn68",
        "resnet50, ''",
        "dl, ''",
        "x, ''",
        "'', ''"
    })
    void name_thatIsMisspelled_hasTheSimilarOne(String wanted, String expected) {
        List<String> names = List.of("dla34", "dla60x", "dla60", "peleenet", "alexnet_dy", "dpn68");
        assertThat(Spelling.similar(wanted, names))
                .containsExactlyElementsOf(expected.isEmpty() ? List.of() : Arrays.asList(expected.split(" ", -1)));
        assertThat(Spelling.question(wanted, names))
                .isEqualTo(expected.isEmpty() ? "" : "; did you mean " + expected + "?");
    }

    @Test
    void name_betweenSeveral_hasAtMostThree() {
        assertThat(Spelling.question("dpn9", List.of("dpn98", "dpn92", "dpn68")))
                .isEqualTo("; did you mean dpn98 or dpn92?");
        assertThat(Spelling.similar("dpn9x", List.of("dpn91", "dpn92", "dpn93", "dpn94")))
                .hasSize(3);
        assertThat(Spelling.similar("dpn9", List.of())).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"kitten, sitting, 3", "'', abc, 3", "abc, '', 3", "abc, abc, 0", "abcd, abdc, 2", "flaw, lawn, 2"})
    void distance_isLevenshteins(String a, String b, int expected) {
        assertThat(Spelling.distance(a, b)).isEqualTo(expected);
        assertThat(Spelling.distance(b, a)).isEqualTo(expected);
    }
}
