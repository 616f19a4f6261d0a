package io.github.convzoo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.convzoo.Samples;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The script {@code convzoo}, as a process, with what this build compiled and without Maven. */
@EnabledOnOs(
        value = {OS.LINUX, OS.MAC},
        disabledReason = "the launcher is a POSIX shell script")
class LauncherTest {

    /** All that the launcher calls when there is nothing to build; java it takes from JAVA_HOME. */
    private static final List<String> TOOLS = List.of("dirname", "readlink", "find", "head", "cat", "locale", "uname");

    private static final Path LAUNCHER = Path.of("convzoo").toAbsolutePath();

    private final Path folder;

    LauncherTest(@TempDir Path folder) {
        this.folder = folder;
    }

    @BeforeEach
    void linkTools() throws IOException {
        Files.createDirectories(folder.resolve("bin"));
        for (String tool : TOOLS) {
            Path found = Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
                    .map(each -> Path.of(each, tool))
                    .filter(Files::isExecutable)
                    .findFirst()
                    .orElseThrow();
            Files.createSymbolicLink(folder.resolve("bin").resolve(tool), found);
        }
    }

    @AfterEach
    void removeLinks() throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path link : files.filter(Files::isSymbolicLink).toList()) {
                Files.delete(link);
            }
        }
    }

    @Test
    void launcher_fromAnotherFolder_classifiesWithoutBuildingAndStaysQuiet() throws Exception {
        assertBoot(LAUNCHER);
    }

    @Test
    void launcher_throughLinks_findsItsTree() throws Exception {
        Files.createDirectories(folder.resolve("a b"));
        Path first = Files.createSymbolicLink(folder.resolve("a b/first"), LAUNCHER);
        // A relative link to a link.
        Path second = Files.createSymbolicLink(folder.resolve("second"), folder.relativize(first));
        Process process = start(second, "--version");

        assertThat(err(process)).isEmpty();
        assertThat(out(process)).startsWith("convzoo ");
        assertThat(process.waitFor()).isZero();
    }

    @Test
    void launcher_ofAMisuse_passesTheStatusOn() throws Exception {
        Process process = start(LAUNCHER, "summary", "dla35");

        assertThat(process.waitFor()).isEqualTo(2);
        assertThat(out(process)).isEmpty();
        assertThat(err(process)).startsWith("convzoo: unknown network dla35");
    }

    @Test
    void launcher_ofATreeThatIsNotBuilt_asksForMaven() throws Exception {
        Path tree = Files.createDirectories(folder.resolve("tree"));
        Path copy = Files.copy(LAUNCHER, tree.resolve("convzoo"));
        Process process = start(copy, "list");

        assertThat(process.waitFor()).isEqualTo(1);
        assertThat(out(process)).isEmpty();
        assertThat(err(process)).startsWith("convzoo: no mvn on the PATH, needed to build once");
    }

    /** A Latin-1 locale too, where it is installed; where it is not, it counts as C. */
    @ParameterizedTest
    @ValueSource(strings = {"C", "POSIX", "C.UTF-8", "en_US.ISO-8859-1", "nonsense"})
    @EnabledOnOs(value = OS.LINUX, disabledReason = "the name of the file is made of bytes")
    void launcher_inAnyLocale_readsNamesBeyondAscii(String locale) throws Exception {
        // Java's own locale may be unable to write the name.
        new ProcessBuilder(
                        "sh",
                        "-c",
                        "cp \"$1\" 'café 猫.png'",
                        "sh",
                        Samples.resource("fashion-mnist/ankle-boot.png").toString())
                .directory(folder.toFile())
                .start()
                .waitFor();
        Process process = start(
                Path.of("/bin/sh"),
                "-c",
                "LC_ALL=" + locale + " exec \"$1\" predict 'café 猫.png' 'café 猫.png' --model peleenet.fmnist --top-k 1",
                "sh",
                LAUNCHER.toString());

        assertThat(err(process)).isEmpty();
        assertThat(out(process)).contains("café 猫.png").contains("Ankle boot");
        assertThat(process.waitFor()).isZero();
        new ProcessBuilder("sh", "-c", "rm *.png")
                .directory(folder.toFile())
                .start()
                .waitFor();
    }

    /** Of a tree whose class path names a jar that is not there. */
    @Test
    void launcher_withoutAJarOfItsClassPath_buildsAgainOrNamesIt() throws Exception {
        Path tree = Files.createDirectories(folder.resolve("a tree"));
        Path copy = Files.copy(LAUNCHER, tree.resolve("convzoo"));
        Files.createDirectories(tree.resolve("src/main"));
        Files.createDirectories(tree.resolve("models"));
        Files.createDirectories(tree.resolve("target"));
        Files.createFile(tree.resolve("pom.xml"));
        Path there = Files.createFile(folder.resolve("there.jar"));
        Path gone = folder.resolve("gone *.jar");
        Path stamp = tree.resolve("target/launcher.classpath");
        Files.writeString(stamp, there + ":" + gone);
        Files.createFile(tree.resolve("target/launcher.profiles"));

        Process process = start(copy, "list");
        assertThat(process.waitFor()).isEqualTo(1);
        assertThat(out(process)).isEmpty();
        assertThat(err(process))
                .isEqualTo("convzoo: " + gone + " is missing or not readable, and no mvn on the PATH to download it;"
                        + " install Maven 3.8 or later\n");

        // A Maven that says that it was called, and does nothing.
        Path mvn = Files.writeString(folder.resolve("bin/mvn"), "#!/bin/sh\n: >built\n");
        assertThat(mvn.toFile().setExecutable(true)).isTrue();
        Files.createSymbolicLink(folder.resolve("bin/mkdir"), Path.of("/bin/mkdir"));
        process = start(copy, "list");
        assertThat(process.waitFor()).isEqualTo(1);
        assertThat(tree.resolve("built")).exists();
        assertThat(err(process))
                .isEqualTo("convzoo: compiling ConvZoo again, because its sources, jars, or profiles changed\n"
                        + "convzoo: " + gone + " is not readable after the build; check its permissions\n");

        // A tree that was never built, and does not build.
        Files.delete(stamp);
        Files.writeString(mvn, "#!/bin/sh\nexit 1\n");
        process = start(copy, "list");
        assertThat(process.waitFor()).isEqualTo(1);
        assertThat(err(process))
                .startsWith("convzoo: compiling ConvZoo; this takes a minute or two, once\n"
                        + "convzoo: the build failed; see ");
    }

    /**
     * The script of the distribution, in the layout of the archive. {@code src/dist/check} tests the archive itself.
     */
    @Test
    void distribution_unpackedElsewhere_classifiesAndStaysQuiet() throws Exception {
        assertBoot(unpacked());
    }

    @Test
    void distribution_throughALink_findsItsJars() throws Exception {
        Process process = start(Files.createSymbolicLink(folder.resolve("link"), unpacked()), "--version");

        assertThat(err(process)).isEmpty();
        assertThat(out(process)).startsWith("convzoo ");
        assertThat(process.waitFor()).isZero();
    }

    @Test
    void distribution_withoutJava_saysWhatToInstall() throws Exception {
        Path script = unpacked();
        Process process = start(Path.of("/bin/sh"), "-c", "unset JAVA_HOME; exec \"$1\" list", "sh", script.toString());

        assertThat(process.waitFor()).isEqualTo(1);
        assertThat(out(process)).isEmpty();
        assertThat(err(process))
                .isEqualTo("convzoo: no java on the PATH; install a Java runtime of version 17 or later,"
                        + " or set JAVA_HOME\n");
    }

    /** Puts the script and the jars where the archive has them; returns the script. */
    private Path unpacked() throws Exception {
        Path lib = Files.createDirectories(folder.resolve("un packed/lib"));
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            if (entry.endsWith(".jar")) {
                Files.createSymbolicLink(lib.resolve(Path.of(entry).getFileName()), Path.of(entry));
            }
        }
        Path classes = Path.of(
                Main.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        String jar = lib.resolve("convzoo.jar").toString();
        assertThat(ToolProvider.findFirst("jar")
                        .orElseThrow()
                        .run(System.out, System.err, "--create", "--file", jar, "-C", classes.toString(), "."))
                .isZero();
        Path bin = Files.createDirectories(folder.resolve("un packed/bin"));
        return Files.copy(Path.of("src/dist/bin/convzoo"), bin.resolve("convzoo"));
    }

    private void assertBoot(Path launcher) throws Exception {
        Files.copy(Samples.resource("fashion-mnist/ankle-boot.png"), folder.resolve("an image.png"));
        Process process = start(
                launcher,
                "predict",
                "an image.png",
                "--model",
                "peleenet",
                "--weights",
                Samples.PELEENET.toString(),
                "--labels",
                Samples.resource("fashion-mnist/labels.txt").toString(),
                "--input-size",
                "32",
                "--no-resize",
                "--top-k",
                "1",
                "--device",
                "cpu");

        assertThat(err(process).lines())
                .singleElement()
                .asString()
                .contains(": no configuration found; using the preprocessing of peleenet");
        assertThat(out(process)).matches(" 9\\d\\.\\d\\d %  Ankle boot\\R");
        assertThat(process.waitFor()).isZero();
    }

    private Process start(Path launcher, String... args) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(launcher.toString()));
        command.addAll(List.of(args));
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectOutput(folder.resolve("out.txt").toFile())
                .redirectError(folder.resolve("err.txt").toFile());
        builder.environment().put("PATH", folder.resolve("bin").toString());
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        Process process = builder.start();
        if (!process.waitFor(2, TimeUnit.MINUTES)) {
            process.destroyForcibly();
        }
        return process;
    }

    private String out(Process ended) throws IOException {
        assertThat(ended.isAlive()).isFalse();
        return Files.readString(folder.resolve("out.txt"));
    }

    private String err(Process ended) throws IOException {
        assertThat(ended.isAlive()).isFalse();
        return Files.readString(folder.resolve("err.txt"));
    }
}
