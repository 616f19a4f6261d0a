package io.github.convzoo;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.convzoo.cli.Main;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The shell commands of README.md and of the tutorials, one file after another as a reader would type them, without a
 * network. A block after a comment {@code <!-- not run: why -->} is left out. The lines of a plain block that follows
 * commands must be in what they print; {@code ...} stands for others.
 */
@EnabledOnOs(
        value = {OS.LINUX, OS.MAC},
        disabledReason = "the commands are for a POSIX shell")
class ShellExamplesTest {

    private static final String NOT_RUN = "<!-- not run: ";

    private final Path folder;

    ShellExamplesTest(@TempDir Path folder) {
        this.folder = folder;
    }

    static Stream<Path> files() throws IOException {
        return Markdown.files().stream()
                .filter(file -> file.equals(Path.of("README.md")) || file.startsWith("docs/tutorials"))
                .filter(file -> !file.startsWith("docs/tutorials/clothes"))
                // The tests in spark/ run its example.
                .filter(file -> !file.equals(Path.of("docs/tutorials/spark.md")));
    }

    /** Where commands run: what they read of the source tree, and a launcher that has nothing to build. */
    private void makeTree() throws IOException {
        for (String name : List.of("docs", "models", "src")) {
            Files.createSymbolicLink(folder.resolve(name), Path.of(name).toAbsolutePath());
        }
        Path launcher = Files.writeString(
                folder.resolve("convzoo"),
                "#!/bin/sh\nexec '" + Path.of(System.getProperty("java.home"), "bin", "java")
                        + "' --enable-native-access=ALL-UNNAMED -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp '"
                        + System.getProperty("java.class.path") + "' " + Main.class.getName() + " \"$@\"\n");
        assertThat(launcher.toFile().setExecutable(true)).isTrue();
    }

    @AfterEach
    void removeLinks() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path link : files.filter(Files::isSymbolicLink).toList()) {
                Files.delete(link);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("files")
    void commands_ofAPage_doWhatItSays(Path file) throws Exception {
        makeTree();
        List<String> run = new ArrayList<>();
        String output = "";
        for (Markdown.Block block : Markdown.blocks(file)) {
            if (block.language().equals("sh") && !block.before().startsWith(NOT_RUN)) {
                output = run(block.text());
                run.add(block.text());
            } else if (block.language().isEmpty()) {
                assertThat(output).as("after %s", run).contains(expected(block));
            }
        }
        assertThat(run).isNotEmpty();
    }

    private static List<String> expected(Markdown.Block block) {
        return block.text().lines().filter(line -> !line.equals("...")).toList();
    }

    private String run(String commands) throws IOException, InterruptedException {
        Path out = folder.resolve("out.txt");
        ProcessBuilder builder = new ProcessBuilder("sh", "-euc", commands)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(out.toFile());
        // Engine threads that wait by spinning take a busy machine's processors from those that compute.
        builder.environment().put("OMP_WAIT_POLICY", "passive");
        builder.environment().put("DJL_OFFLINE", "true");
        builder.environment().put("HF_HUB_OFFLINE", "1");
        int status = builder.start().waitFor();
        String text = Files.readString(out);
        assertThat(status).as("%s%s", commands, text).isZero();
        return text;
    }
}
