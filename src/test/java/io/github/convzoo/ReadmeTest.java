package io.github.convzoo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.StringWriter;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The Java in README.md and docs/reference/training.md compiles as it stands, and prints what they say. */
class ReadmeTest {

    private static final Pattern BLOCK = Pattern.compile("^```java\\R(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL);
    private static final Pattern NAME = Pattern.compile("^public (?:final )?class (\\w+)", Pattern.MULTILINE);
    private static final Pattern OUTPUT = Pattern.compile("\\A\\s*It prints `([^`]+)`");

    private record Example(String name, String code, String output) {
        @Override
        public String toString() {
            return name;
        }
    }

    /** Java source that is in no file. */
    private static final class Source extends SimpleJavaFileObject {

        private final String code;

        Source(Example example) {
            super(URI.create("string:///" + example.name + ".java"), Kind.SOURCE);
            code = example.code;
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return code;
        }
    }

    static Stream<Example> examples() throws IOException {
        return Stream.concat(examples("README.md"), examples("docs/reference/training.md"));
    }

    private static Stream<Example> examples(String file) throws IOException {
        String text = Files.readString(Path.of(file)).replace("\r\n", "\n");
        return BLOCK.matcher(text).results().map(block -> example(block, text.substring(block.end())));
    }

    private static Example example(MatchResult block, String after) {
        Matcher name = NAME.matcher(block.group(1));
        Matcher output = OUTPUT.matcher(after);
        assertThat(name.find()).as("a public class in %s", block.group(1)).isTrue();
        assertThat(output.find()).as("what it prints, after %s", name.group(1)).isTrue();
        return new Example(name.group(1), block.group(1), output.group(1));
    }

    @Test
    void readme_hasAnExample() throws IOException {
        assertThat(examples()).hasSizeGreaterThanOrEqualTo(2);
    }

    @ParameterizedTest
    @MethodSource("examples")
    void example_asItStands_compilesAndPrintsWhatItShould(Example example, @TempDir Path classes) throws Exception {
        compile(example, classes);

        assertThat(run(example, classes).strip()).isEqualTo(example.output);
    }

    private static void compile(Example example, Path classes) {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter messages = new StringWriter();
        List<String> options = List.of(
                "-Xlint:all,-processing,-path",
                "-Werror",
                "-proc:none",
                "-classpath",
                System.getProperty("java.class.path"),
                "-d",
                classes.toString());
        List<JavaFileObject> sources = List.of(new Source(example));
        boolean compiled =
                compiler.getTask(messages, null, null, options, null, sources).call();
        assertThat(compiled).as(messages.toString()).isTrue();
    }

    private static String run(Example example, Path classes) throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        PrintStream out = System.out;
        try (URLClassLoader loader =
                new URLClassLoader(new URL[] {classes.toUri().toURL()}, ReadmeTest.class.getClassLoader())) {
            System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
            loader.loadClass(example.name).getMethod("main", String[].class).invoke(null, (Object) new String[0]);
        } finally {
            System.setOut(out);
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }
}
