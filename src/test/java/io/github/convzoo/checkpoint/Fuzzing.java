package io.github.convzoo.checkpoint;

import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.StringJoiner;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Runs Jazzer on {@link ReaderFuzzTarget} in processes of its own. Inputs that led somewhere new are kept in the
 * directory, and the next run begins with them.
 */
final class Fuzzing {
    private static final String DRIVER = "/com/code_intelligence/jazzer/driver/jazzer_driver_";
    private static final int LONGEST_INPUT = 16_384;
    /** An input that takes longer counts as a finding, in seconds. */
    private static final int LONGEST_TIME = 10;

    /** What makes the files is not to be covered. */
    private static final String EXCLUDED = Stream.of(
                    FuzzInputs.class,
                    Crafted.class,
                    ZipAssembler.class,
                    ZipAssembler.Entry.class,
                    PickleAssembler.class,
                    DjlReaderTest.class,
                    DjlReaderTest.Djl.class,
                    PyTorchLegacyReaderTest.class,
                    PyTorchLegacyReaderTest.Legacy.class,
                    ReaderFuzzTarget.class)
            .map(Class::getName)
            .collect(Collectors.joining(File.pathSeparator));

    private final Path directory;

    /**
     * What came of a run.
     *
     * @param finding whether something else than the documented exception was thrown
     * @param output what the fuzzer printed
     */
    record Result(boolean finding, String output) {
        /** The first group of the last match in the output, "?" if none exists. */
        String figure(String pattern) {
            String found = "?";
            Matcher matcher = Pattern.compile(pattern).matcher(output);
            while (matcher.find()) {
                found = matcher.group(1);
            }
            return found;
        }
    }

    Fuzzing(Path directory) {
        this.directory = directory;
    }

    /** Arguments: a directory, the seconds for each format, and the formats, all where none is named. */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        Set<Format> formats = EnumSet.noneOf(Format.class);
        for (String name : Arrays.asList(arguments).subList(2, arguments.length)) {
            formats.add(Format.valueOf(name.toUpperCase(Locale.ROOT)));
        }
        PrintStream out = System.out;
        int findings = 0;
        for (Format format : formats.isEmpty() ? EnumSet.allOf(Format.class) : formats) {
            Fuzzing fuzzing = new Fuzzing(Path.of(arguments[0]).resolve(lowerCase(format)));
            out.println(format + ": " + arguments[1] + " s, log in " + fuzzing.log());
            Result result = fuzzing.run(EnumSet.of(format), Integer.parseInt(arguments[1]));
            out.printf(
                    Locale.ROOT,
                    "  %s, executions %s, a second %s, cov %s, ft %s%n",
                    result.finding ? "FINDING, the input is in " + fuzzing.directory : "no finding",
                    result.figure("number_of_executed_units: ([0-9]+)"),
                    result.figure("average_exec_per_sec: +([0-9]+)"),
                    result.figure("cov: ([0-9]+)"),
                    result.figure(" ft: ([0-9]+)"));
            out.println("  " + fuzzing.coverage(format));
            findings += result.finding ? 1 : 0;
        }
        if (findings > 0) {
            throw new IllegalStateException(findings + " readers throw something else than CheckpointException");
        }
    }

    private static String lowerCase(Format format) {
        return format.name().toLowerCase(Locale.ROOT);
    }

    /** Whether Jazzer has its native part for this machine. */
    static boolean isSupported() {
        String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String name = system.startsWith("windows") ? "windows" : system.startsWith("mac") ? "macos" : system;
        String architecture = System.getProperty("os.arch").equals("aarch64") ? "aarch64" : "x86_64";
        String library =
                switch (name) {
                    case "windows" -> "jazzer_driver.dll";
                    case "macos" -> "libjazzer_driver.dylib";
                    default -> "libjazzer_driver.so";
                };
        return Fuzzing.class.getResource(DRIVER + name + "_" + architecture + "/" + library) != null;
    }

    Path log() {
        return directory.resolve("log.txt");
    }

    private Path corpus() throws IOException {
        return Files.createDirectories(directory.resolve("corpus"));
    }

    /** Fuzzes the readers of the given formats, all in one process. */
    Result run(Set<Format> formats, int seconds) throws IOException, InterruptedException {
        List<Format> ordered = List.copyOf(formats);
        for (int i = 0; i < ordered.size(); i++) {
            List<byte[]> seeds = new FuzzInputs(ordered.get(i)).seeds();
            for (int k = 0; k < seeds.size(); k++) {
                byte[] input = ordered.size() == 1 ? seeds.get(k) : FuzzInputs.behind((byte) i, seeds.get(k));
                Files.write(corpus().resolve(lowerCase(ordered.get(i)) + k), input);
            }
        }
        List<String> options = new ArrayList<>(List.of(
                "-artifact_prefix=" + directory.toAbsolutePath() + File.separator,
                "-max_len=" + LONGEST_INPUT,
                "-timeout=" + LONGEST_TIME,
                "-max_total_time=" + seconds,
                "-seed=1",
                "-print_final_stats=1"));
        if (ordered.size() == 1) {
            new FuzzInputs(ordered.get(0)).dictionary().ifPresent(path -> options.add("-dict=" + path));
        }
        options.add(corpus().toAbsolutePath().toString());
        return jazzer(joined(ordered), log(), options);
    }

    /** The lines and branches of the format's classes that the inputs in the corpus reach. */
    private String coverage(Format format) throws IOException, InterruptedException {
        Path report = directory.resolve("coverage.txt");
        jazzer(
                format + " corpus",
                directory.resolve("coverage-log.txt"),
                List.of("--coverage_report=" + report.toAbsolutePath(), "-runs=1"));
        String[] parts = Files.readString(report).split("Line coverage:", 2);
        StringJoiner joined = new StringJoiner(", ");
        for (String name : classes(format)) {
            joined.add(name + " lines " + share(parts[1], name) + " branches " + share(parts[0], name));
        }
        return joined.toString();
    }

    private static String share(String report, String name) {
        Matcher matcher = Pattern.compile("(?m)^" + name + "\\.java: (.*)").matcher(report);
        return matcher.find() ? matcher.group(1) : "?";
    }

    private static List<String> classes(Format format) {
        String pickles = "PickleMachine PickleCalls PickleValues PickleGlobals";
        String names =
                switch (format) {
                    case SAFETENSORS -> "SafetensorsReader JsonReader";
                    case PYTORCH_INDEX -> "ShardedReader JsonReader";
                    case PICKLE -> "PickleReader " + pickles;
                    case SAFETENSORS_INDEX -> "ShardedReader JsonReader";
                    case PYTORCH_ZIP -> "PyTorchZipReader ZipDirectory " + pickles;
                    case PYTORCH_LEGACY -> "PyTorchLegacyReader " + pickles;
                    case TORCHSCRIPT -> "PyTorchZipReader ScriptTensors " + pickles;
                    case NUMPY_ZIP -> "NpzReader Npy ZipDirectory";
                    case MXNET -> "MxnetReader MxnetDialect";
                    case DJL -> "DjlReader";
                    case PADDLE -> "PickleReader PaddleDialect " + pickles;
                };
        return List.of(names.split(" ", -1));
    }

    private static String joined(List<Format> formats) {
        return formats.stream().map(Format::name).collect(Collectors.joining(","));
    }

    private Result jazzer(String targetArguments, Path log, List<String> options)
            throws IOException, InterruptedException {
        Path temporary = Files.createDirectories(directory.resolve("temporary"));
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx512m",
                "-XX:+UseSerialGC",
                "-Djava.io.tmpdir=" + temporary.toAbsolutePath(),
                "-cp",
                System.getProperty("java.class.path"),
                "com.code_intelligence.jazzer.Jazzer",
                "--target_class=" + ReaderFuzzTarget.class.getName(),
                "--target_args=" + targetArguments,
                "--instrumentation_includes=io.github.convzoo.checkpoint.**" + File.pathSeparator
                        + "io.github.convzoo.weights.**",
                "--custom_hook_includes=io.github.convzoo.**",
                "--instrumentation_excludes=" + EXCLUDED,
                "--reproducer_path=" + directory.toAbsolutePath(),
                // Readers are held to the heap above. Beyond it compiling the instrumented code can take gigabytes.
                "-rss_limit_mb=0"));
        command.addAll(options);
        Process process = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        int status = process.waitFor();
        return new Result(status != 0, Files.readString(log, StandardCharsets.ISO_8859_1));
    }
}
