package io.github.convzoo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HarmlessWriterTest {

    private static final String ATTACK = "a\u001b[2J\u009b2J\u202eb";
    private static final String IMAGE = "src/test/resources/fashion-mnist/ankle-boot.png";

    @TempDir
    Path folder = Path.of("");

    private static void assertHarmless(String text) {
        assertThat(text.replaceAll("[\\r\\n\\t]", "")).doesNotContainPattern("[\\p{Cc}\\u202a-\\u202e\\u2066-\\u2069]");
    }

    @Test
    void whatDrivesATerminal_becomesQuestionMarks_andTextStays() {
        StringWriter printed = new StringWriter();
        HarmlessWriter writer = new HarmlessWriter(new PrintWriter(printed, true));
        writer.print("\u00e9 \ud83d\ude00\tx\r\n");
        writer.print("over\rwritten" + ATTACK);
        writer.write('\u0007');
        writer.write("xx\u001byy".toCharArray(), 1, 3);
        writer.write("xx\u001byy", 1, 3);
        writer.append('\u2066').printf("%s", "\u009d");
        writer.flush();
        assertThat(printed.toString()).isEqualTo("\u00e9 \ud83d\ude00\tx\r\nover?writtena?[2J?2J?b?x?yx?y??");
    }

    @Test
    void bytesOfALog_areHarmless_howeverTheyAreCut() {
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        PrintStream stream = HarmlessWriter.stream(printed);
        byte[] bytes = ("\u00e9\ud83d\ude00" + ATTACK + "\n").getBytes(StandardCharsets.UTF_8);
        for (byte each : bytes) {
            stream.write(each);
        }
        stream.write(bytes, 0, bytes.length);
        stream.println(ATTACK);
        stream.write(0x80);
        stream.flush();
        String line = "\u00e9\ud83d\ude00a?[2J?2J?b\n";
        assertThat(printed.toString(StandardCharsets.UTF_8))
                .isEqualTo(line + line + "a?[2J?2J?b" + System.lineSeparator() + "\ufffd");
    }

    @Test
    void overwritable_isWhatIsBehind() {
        PrintWriter target = new PrintWriter(new StringWriter());
        assertThat(HarmlessWriter.overwritable(new HarmlessWriter(target))).isSameAs(target);
        assertThat(HarmlessWriter.overwritable(target)).isSameAs(target);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"predict", "predict --verbose", "inspect", "inspect --verbose", "summary", "cache list --verbose"
            })
    void command_givenANameThatDrivesATerminal_printsItHarmless(String command) {
        String[] words = (command + " x").split(" ");
        words[words.length - 1] = ATTACK;
        Run run = Run.of((Object[]) words);
        assertThat(run.status()).isNotZero();
        assertHarmless(run.out());
        assertHarmless(run.err());
        assertThat(run.err()).contains("a?[2J?2J?b");
    }

    @Test
    void labels_andPaths_areHarmless() throws Exception {
        Path names = folder.resolve("names.txt");
        Files.writeString(names, ATTACK.concat("\n").repeat(9) + "\u001b]0;title\u0007\n");
        Path odd = Files.createDirectory(folder.resolve("odd\u001b[31m"));
        Path image = Files.copy(Path.of(IMAGE), odd.resolve("a.png"));
        Run run = Run.of("predict", image, image, "--model", "peleenet.fmnist", "--labels", names);
        assertThat(run.status()).isZero();
        assertHarmless(run.out());
        CommandRun list = CommandRun.of(
                Map.of("DJL_CACHE_DIR", odd.toString(), "HF_HOME", odd.toString()), "cache", "list", "--verbose");
        assertHarmless(list.out() + list.err());
        Run summary =
                Run.of("summary", "dla34", "--graph", odd.resolve("missing").resolve("x.dot"), "--verbose");
        assertHarmless(summary.err());
        assertThat(List.of(run.out().split("\\R"))).hasSizeGreaterThan(2);
    }

    @Test
    void results_asJson_keepWhatTheyEscape() throws Exception {
        Path names = folder.resolve("names.txt");
        Files.writeString(names, "x\u202ey\n".repeat(9) + "z\n");
        Run run = Run.of("predict", IMAGE, "--model", "peleenet.fmnist", "--labels", names, "--json");
        assertHarmless(run.out());
        assertThat(run.json().toString()).contains("x\u202ey");
    }
}
