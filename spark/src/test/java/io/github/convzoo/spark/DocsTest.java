package io.github.convzoo.spark;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.StringWriter;
import java.lang.reflect.Method;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import scala.Console;

/** The example of the tutorial, as it stands there. */
class DocsTest {

    private static final Path TUTORIAL = Path.of("docs/tutorials/spark.md");

    /** The text of a Java block, and that of the block of its output. */
    private static final Pattern EXAMPLE = Pattern.compile("```java\n(.*?)```\n\n```\n(.*?)```", Pattern.DOTALL);

    private record Example(String code, String output) {}

    private static List<Example> examples() throws Exception {
        Matcher matcher = EXAMPLE.matcher(Files.readString(TUTORIAL).replace("\r\n", "\n"));
        List<Example> examples = new ArrayList<>();
        while (matcher.find()) {
            examples.add(new Example(matcher.group(1), matcher.group(2)));
        }
        return examples;
    }

    @Test
    void tutorial_hasOneExample_andNoOtherJava() throws Exception {
        assertThat(examples()).hasSize(1);
        assertThat(Files.readString(TUTORIAL).split("```java", -1)).hasSize(2);
    }

    @Test
    void example_asItStands_printsWhatFollowsIt(@TempDir Path classes) throws Exception {
        Example example = examples().get(0);
        Method run = compile(example.code, classes);
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        SparkSession spark = LocalSpark.start();
        try (PrintStream out = new PrintStream(printed, true, StandardCharsets.UTF_8)) {
            Console.withOut(out, () -> {
                try {
                    return run.invoke(null, spark);
                } catch (ReflectiveOperationException e) {
                    throw new LinkageError(e.getMessage(), e);
                }
            });
        } finally {
            spark.stop();
        }

        assertThat(printed.toString(StandardCharsets.UTF_8).strip()).isEqualTo(example.output.strip());
    }

    private static Method compile(String code, Path classes) throws Exception {
        String source =
                """
                import io.github.convzoo.spark.ImageClassifier;
                import org.apache.spark.sql.Dataset;
                import org.apache.spark.sql.Row;
                import org.apache.spark.sql.SparkSession;

                public class Example {
                    public static void run(SparkSession spark) {
                %s
                    }
                }
                """
                        .formatted(code);
        JavaFileObject file =
                new SimpleJavaFileObject(URI.create("string:///Example.java"), JavaFileObject.Kind.SOURCE) {
                    @Override
                    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                        return source;
                    }
                };
        StringWriter messages = new StringWriter();
        List<String> options = List.of(
                "-Xlint:all,-processing,-path,-classfile",
                "-Werror",
                "-proc:none",
                "-classpath",
                System.getProperty("java.class.path"),
                "-d",
                classes.toString());
        boolean compiled = ToolProvider.getSystemJavaCompiler()
                .getTask(messages, null, null, options, null, List.of(file))
                .call();
        assertThat(compiled).as(messages.toString()).isTrue();
        URLClassLoader loader =
                new URLClassLoader(new URL[] {classes.toUri().toURL()}, DocsTest.class.getClassLoader());
        return loader.loadClass("Example").getMethod("run", SparkSession.class);
    }
}
