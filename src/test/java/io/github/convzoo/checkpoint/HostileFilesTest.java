package io.github.convzoo.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.convzoo.weights.StateDict;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirDeletionStrategy.IgnoreFailures;

/**
 * Every hostile file is refused as documented, within the time and memory that docs/reference/security.md promises:
 * they are read one after the other in a process with a heap of 64 MiB, which tells how long each took its processor.
 */
class HostileFilesTest {
    /** What is promised is a second; a slow machine, or one whose compiler is late, is given three. */
    private static final long LONGEST_MILLIS = TimeUnit.SECONDS.toMillis(3);

    private final Path directory;

    HostileFilesTest(@TempDir(deletionStrategy = IgnoreFailures.class) Path directory) {
        this.directory = directory;
    }

    @Test
    @Timeout(300)
    void hostileFiles_areRefusedInTimeAndMemory() throws Exception {
        List<HostileFiles.Hostile> files = HostileFiles.write(directory);
        List<String> problems = new ArrayList<>();
        List<String> outcomes = outcomes(files);
        assertThat(outcomes).hasSameSizeAs(files);
        for (int i = 0; i < files.size(); i++) {
            String problem = problem(files.get(i), outcomes.get(i).split("\t", 3));
            if (!problem.isEmpty()) {
                problems.add(files.get(i).name() + ": " + problem);
            }
        }
        assertThat(problems).isEmpty();
        assertThat(directory.resolve("ran")).doesNotExist();
    }

    /** Empty where all is as expected. */
    private static String problem(HostileFiles.Hostile file, String[] outcome) {
        boolean asExpected =
                switch (outcome[0]) {
                    case "refused" ->
                        !file.expected().equals(HostileFiles.READ) && outcome[2].contains(file.expected());
                    case "without weights" -> file.expected().isEmpty();
                    case "read" -> file.expected().equals(HostileFiles.READ);
                    default -> false;
                };
        if (!asExpected) {
            return "expected '" + file.expected() + "', was " + outcome[0] + ": " + outcome[2];
        }
        return Long.parseLong(outcome[1]) > LONGEST_MILLIS ? "it took " + outcome[1] + " ms" : "";
    }

    /** A line for each file: what came of it, the milliseconds, the message. */
    private List<String> outcomes(List<HostileFiles.Hostile> files) throws Exception {
        Path list = directory.resolve("list");
        Files.write(list, files.stream().map(file -> file.file().toString()).toList());
        Path output = directory.resolve("outcomes");
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx64m",
                        "-Dstdout.encoding=UTF-8",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Reading.class.getName(),
                        list.toString())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        assertThat(process.waitFor()).as("%s", Files.readString(output)).isZero();
        return Files.readAllLines(output);
    }

    /** The process that reads. */
    static final class Reading {
        private Reading() {}

        public static void main(String[] arguments) throws IOException {
            ThreadMXBean threads = ManagementFactory.getThreadMXBean();
            PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
            // Loads the classes, which is not a file's fault.
            outcome(Crafted.resource("small.pth"));
            for (String file : Files.readAllLines(Path.of(arguments[0]))) {
                long before = threads.getCurrentThreadCpuTime();
                String[] outcome = outcome(Path.of(file));
                long millis = TimeUnit.NANOSECONDS.toMillis(threads.getCurrentThreadCpuTime() - before);
                out.println(outcome[0] + "\t" + millis + "\t" + outcome[1]);
            }
            if (ProcessHandle.current().children().findAny().isPresent()) {
                throw new IllegalStateException("a process was started");
            }
        }

        private static String[] outcome(Path file) {
            String[] outcome = {"refused", ""};
            try {
                Checkpoint checkpoint = Checkpoint.read(file);
                outcome[0] = "without weights";
                StateDict.of(checkpoint);
                outcome[0] = "read";
            } catch (CheckpointException e) {
                outcome[1] = e.getMessage();
            } catch (Throwable e) {
                return new String[] {"something else", e.toString()};
            }
            return outcome;
        }
    }
}
