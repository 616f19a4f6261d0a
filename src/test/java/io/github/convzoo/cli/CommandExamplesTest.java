package io.github.convzoo.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.github.convzoo.Markdown;
import io.github.convzoo.zoo.PathText;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

/** Every convzoo command in the documentation has options that exist, with values that they take. */
class CommandExamplesTest {

    /** Words, some of them in single quotes. */
    private static final Pattern WORD = Pattern.compile("'([^']*)'|(\\S+)");

    private record Example(Path file, String line) {
        @Override
        public String toString() {
            return file + ": " + line;
        }
    }

    static Stream<Example> examples() throws IOException {
        List<Example> examples = new ArrayList<>();
        for (Path file : Markdown.files()) {
            for (Markdown.Block block : Markdown.blocks(file)) {
                if (block.language().equals("sh")) {
                    block.text()
                            .replaceAll("\\\\\\R\\s*", "")
                            .lines()
                            .filter(line -> line.startsWith("convzoo ") || line.startsWith("./convzoo "))
                            .forEach(line -> examples.add(new Example(file, line)));
                }
            }
        }
        return examples.stream();
    }

    @Test
    void documentation_hasExamples() throws IOException {
        assertThat(examples()).hasSizeGreaterThan(20);
    }

    @ParameterizedTest
    @MethodSource("examples")
    void example_ofTheDocumentation_isUnderstood(Example example) {
        List<String> words = new ArrayList<>();
        Matcher word = WORD.matcher(example.line.replaceAll(" +#.*", "").replaceAll(" *[>|].*", ""));
        while (word.find()) {
            words.add(word.group(1) == null ? word.group(2) : word.group(1));
        }
        CommandLine command = new CommandLine(Main.inProcess())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExpandAtFiles(false)
                .registerConverter(Path.class, PathText::path);

        assertThatCode(() -> command.parseArgs(words.subList(1, words.size()).toArray(String[]::new)))
                .doesNotThrowAnyException();
    }
}
