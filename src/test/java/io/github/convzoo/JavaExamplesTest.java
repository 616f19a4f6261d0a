package io.github.convzoo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The Java in the documentation: a program compiles as it stands and prints what the text says, a fragment compiles
 * with usual imports and the variables of the comment before it.
 */
class JavaExamplesTest {

    private static final Pattern NAME = Pattern.compile("^public (?:final )?class (\\w+)", Pattern.MULTILINE);
    private static final Pattern OUTPUT = Pattern.compile("\\AIt prints `([^`]+)`");

    /** The comment before a fragment: {@code <!-- given: ModelConfig config, Path file -->}. */
    private static final Pattern GIVEN = Pattern.compile("<!-- given: (.*) -->");

    /** The comment before what needs more than ConvZoo: {@code <!-- not run: why -->}. */
    private static final String NOT_RUN = "<!-- not run: ";

    private static final Pattern MODULE = Pattern.compile("^module ", Pattern.MULTILINE);

    private static final List<String> IMPORTS = List.of(
            "ai.djl.inference.Predictor",
            "ai.djl.modality.Classifications",
            "ai.djl.modality.cv.Image",
            "ai.djl.ndarray.NDList",
            "ai.djl.ndarray.types.Shape",
            "ai.djl.repository.zoo.Criteria",
            "ai.djl.repository.zoo.ZooModel",
            "io.github.convzoo.checkpoint.*",
            "io.github.convzoo.data.*",
            "io.github.convzoo.export.*",
            "io.github.convzoo.network.*",
            "io.github.convzoo.quantize.*",
            "io.github.convzoo.train.*",
            "io.github.convzoo.weights.*",
            "io.github.convzoo.zoo.*",
            "java.nio.file.Path",
            "java.util.List");

    private record Example(Path file, String name, String code, String output) {
        @Override
        public String toString() {
            return file + ": " + name;
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

    private static Stream<Markdown.Block> java(Path file) {
        try {
            // ModuleTest has the declarations of modules.
            return Markdown.blocks(file).stream()
                    .filter(block -> block.language().equals("java"))
                    .filter(block -> !MODULE.matcher(block.text()).find())
                    .filter(block -> !block.before().startsWith(NOT_RUN));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Stream<Example> programs() throws IOException {
        return Markdown.files().stream().flatMap(file -> java(file)
                .filter(block -> NAME.matcher(block.text()).find())
                .map(block -> program(file, block)));
    }

    private static Example program(Path file, Markdown.Block block) {
        Matcher name = NAME.matcher(block.text());
        Matcher output = OUTPUT.matcher(block.after());
        assertThat(name.find()).isTrue();
        assertThat(output.find()).as("what it prints, after %s", name.group(1)).isTrue();
        return new Example(file, name.group(1), block.text(), output.group(1));
    }

    static Stream<Example> fragments() throws IOException {
        return Markdown.files().stream().flatMap(file -> java(file)
                .filter(block -> !NAME.matcher(block.text()).find())
                .map(block -> fragment(file, block)));
    }

    private static Example fragment(Path file, Markdown.Block block) {
        Matcher given = GIVEN.matcher(block.before());
        String parameters = given.find() ? given.group(1) : "";
        String imports = IMPORTS.stream().map(each -> "import " + each + ";").collect(Collectors.joining("\n"));
        String code = imports + "\nclass Fragment {\n@SuppressWarnings(\"try\")\nvoid run(" + parameters
                + ") throws Exception {\n" + block.text() + "}\n}\n";
        return new Example(file, "Fragment", code, "");
    }

    @Test
    void documentation_hasProgramsAndFragments() throws IOException {
        assertThat(programs().map(each -> each.file)).contains(Path.of("README.md"));
        assertThat(programs()).hasSizeGreaterThan(2);
        assertThat(fragments()).hasSizeGreaterThan(4);
    }

    @ParameterizedTest
    @MethodSource("fragments")
    void fragment_withTheVariablesItIsGiven_compiles(Example example, @TempDir Path classes) {
        compile(example, classes);
    }

    @ParameterizedTest
    @MethodSource("programs")
    void program_asItStands_compilesAndPrintsWhatItShould(Example example, @TempDir Path classes) throws Exception {
        compile(example, classes);

        assertThat(run(example, classes).strip()).isEqualTo(example.output);
    }

    private static void compile(Example example, Path classes) {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter messages = new StringWriter();
        List<String> options = List.of(
                "-Xlint:all,-processing,-path,-classfile",
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
                new URLClassLoader(new URL[] {classes.toUri().toURL()}, JavaExamplesTest.class.getClassLoader())) {
            System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
            loader.loadClass(example.name).getMethod("main", String[].class).invoke(null, (Object) new String[0]);
        } finally {
            System.setOut(out);
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }
}
