package io.github.convzoo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MainTest {

    @ParameterizedTest
    @ValueSource(strings = {"list", "summary", "predict", "eval", "forward", "convert", "inspect"})
    void help_ofACommand_showsItsUsageAndExamples(String command) {
        for (String help : List.of("--help", "-h")) {
            Run run = Run.succeeding(command, help);

            assertThat(run.out()).startsWith("Usage: convzoo " + command + " ").contains("--verbose");
            assertThat(run.out().lines())
                    .anyMatch(line -> line.matches("Examples?:"))
                    .anyMatch(line -> line.startsWith("  convzoo " + command));
        }
    }

    @Test
    void help_ofConvzoo_namesEveryCommandAndTheExitStatus() {
        Run run = Run.succeeding("--help");

        assertThat(run.out())
                .startsWith("Usage: convzoo ")
                .contains("list", "summary", "predict", "eval", "forward", "convert", "inspect")
                .contains("Examples:", "Exit status: 0 success, 1 failure, 2 invalid usage.");
    }

    @Test
    void version_ofABuildWithoutAJar_isThePoms() throws IOException {
        assertThat(Run.succeeding("--version").out().strip())
                .isEqualTo("convzoo " + Main.VERSION + " (development build)");
        assertThat(Files.readString(Path.of("pom.xml")).lines().map(String::strip))
                .containsSubsequence("<artifactId>convzoo</artifactId>", "<version>" + Main.VERSION + "</version>");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            textBlock =
                    """
                    ""                                                                  | a command is missing; choose from list, summary, predict,
                    classify                                                            | unknown command classify; see convzoo --help
                    trian                                                               | unknown command trian; did you mean train? See convzoo --help
                    cache                                                               | a command is missing; choose from list, verify, prune; see convzoo cache --help
                    cache verfy                                                         | unknown command verfy; did you mean verify? See convzoo cache --help
                    predict a.png --modle=run                                           | unknown option --modle; did you mean --model? See convzoo predict --help
                    predict a.png --on-bad                                              | unknown option --on-bad; see convzoo predict --help
                    eval --on-bad skip --data d                                         | unknown option --on-bad; did you mean --on-bad-image? See convzoo eval --help
                    list --frobnicate                                                   | unknown option --frobnicate; see convzoo list --help
                    list a b                                                            | 'b'; see convzoo list --help
                    summary                                                             | MODEL
                    eval --model dla34 --weights w --dataset cifar --data d             | cifar
                    eval --model dla34 --weights w --dataset image-folder --data d --batch-size x | 'x'
                    forward --model dla34 --weights w --input a.npy                     | '--output=OUT.npy'
                    convert a.pth --model dla34                                         | OUT
                    inspect                                                             | FILE
                    inspect a.pth * b                                                   | 'b'; see convzoo inspect --help
                    predict photo.jpg --model dla34 --weights w --threads many          | 'many'
                    """)
    void misuse_ofTheSyntax_isOneLineThatPointsToTheHelp(String line, String part) {
        Object[] args = line.isEmpty() ? new Object[0] : line.split(" ");
        Run.refused(2, List.of(args), part, "--help");
    }

    @Test
    void verbose_onAnError_showsTheStackBeforeTheLine() {
        Run run = Run.of("summary", "dla35", "--verbose");

        assertThat(run.status()).isEqualTo(2);
        assertThat(run.err())
                .contains("java.lang.IllegalArgumentException: unknown network dla35", "\tat io.github.convzoo.");
        assertThat(run.err().lines().reduce((first, last) -> last).orElseThrow())
                .startsWith("convzoo: unknown network dla35");
        Run.refused(2, List.of("summary", "dla35"), "unknown network dla35; did you mean dla34?");
    }

    @Test
    void oneLine_ofAnyMessage_isOneLineThatDrivesNoTerminal() {
        assertThat(Main.oneLine(" a: b\r\n  c\n\nd ")).isEqualTo("a: b c d");
        assertThat(Main.oneLine("a\u001b[31mb\u0007\tc")).isEqualTo("a?[31mb??c");
        assertThat(Main.oneLine("a\u009b31mb\u202ec\u2067d")).isEqualTo("a?31mb?c?d");
        assertThat(Main.oneLine(null)).isNotBlank();
    }
}
