package io.github.convzoo.cli;

import ai.djl.engine.EngineException;
import io.github.convzoo.data.OnBadImage;
import io.github.convzoo.hub.StoreSettings;
import io.github.convzoo.image.ImageException;
import io.github.convzoo.message.Reason;
import io.github.convzoo.message.Spelling;
import io.github.convzoo.weights.WeightStore;
import io.github.convzoo.zoo.PathText;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** The command {@code convzoo}. */
@Command(
        name = "convzoo",
        description = "Image classification with DLA, PeleeNet, DPN and dynamic convolution.",
        subcommands = {
            ListCommand.class,
            SummaryCommand.class,
            PredictCommand.class,
            ExplainCommand.class,
            EmbedCommand.class,
            SimilarCommand.class,
            EvalCommand.class,
            TrainCommand.class,
            ForwardCommand.class,
            ConvertCommand.class,
            ExportCommand.class,
            QuantizeCommand.class,
            BenchmarkCommand.class,
            InspectCommand.class,
            ServeCommand.class,
            PullCommand.class,
            CacheCommand.class
        },
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        synopsisSubcommandLabel = "COMMAND",
        footer = {
            "",
            "Examples:",
            "  convzoo list 'dpn*'",
            "  convzoo predict photo.jpg --model dla34",
            "  convzoo COMMAND --help",
            "",
            "Exit status: 0 success, 1 failure, 2 invalid usage."
        })
public final class Main {

    /** The version in the POM, for builds without a jar. */
    static final String VERSION = "0.1.0";

    /** Exit status: success. */
    static final int DONE = 0;

    /** Exit status: failure; the message says why. */
    static final int FAILED = 1;

    /**
     * The maximum length of a message, in UTF-16 units; longer ones are shortened. Names in a message may be as long as
     * files are.
     */
    private static final int LONGEST_MESSAGE = 8000;

    /** Exit status: invalid usage; the message says how to fix it. */
    static final int MISUSED = 2;

    /** Characters that change the writing direction, for a regular expression. */
    static final String DIRECTIONS = "\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069";

    /** Reads environment variables; null for one that is not set. */
    final Function<String, @Nullable String> environment;

    /** Open until the command is done and all output is printed. */
    final CountDownLatch ended = new CountDownLatch(1);

    /** Standard input. */
    final InputStream in;

    private Main(Function<String, @Nullable String> environment, InputStream in) {
        this.environment = environment;
        this.in = in;
    }

    /** Uses the process's own environment. */
    static Main inProcess() {
        return new Main(System::getenv, System.in);
    }

    /** The store that downloads and keeps published weights. */
    WeightStore store() {
        return new WeightStore(StoreSettings.fromEnvironment(environment));
    }

    /**
     * Runs the command and ends the process with its exit status.
     *
     * @param args the arguments
     */
    public static void main(String[] args) {
        // Output is UTF-8 whatever the locale: labels and paths are not always ASCII.
        PrintWriter out = new PrintWriter(
                new OutputStreamWriter(
                        new ResultStream(new FileOutputStream(FileDescriptor.out)), StandardCharsets.UTF_8),
                true);
        PrintWriter err = new PrintWriter(System.err, true, StandardCharsets.UTF_8);
        // Logs also quote names from files.
        System.setErr(HarmlessWriter.stream(new FileOutputStream(FileDescriptor.err)));
        System.exit(run(out, err, args));
    }

    /**
     * Runs the command in this process.
     *
     * @param out receives the results
     * @param err receives errors, progress, and logs
     * @param args the arguments
     * @return the exit status: 0 for success, 1 for failure, 2 for invalid usage
     */
    public static int run(PrintWriter out, PrintWriter err, String... args) {
        return run(System::getenv, out, err, args);
    }

    static int run(Function<String, @Nullable String> environment, PrintWriter out, PrintWriter err, String... args) {
        return run(environment, System.in, out, err, args);
    }

    static int run(
            Function<String, @Nullable String> environment,
            InputStream in,
            PrintWriter anyOut,
            PrintWriter anyErr,
            String... args) {
        PrintWriter out = new HarmlessWriter(anyOut);
        PrintWriter err = new HarmlessWriter(anyErr);
        boolean verbose = Arrays.asList(args).contains("--verbose");
        // Must be set before the first logger is created.
        System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", verbose ? "info" : "error");
        System.setProperty("org.slf4j.internal.verbosity", "ERROR");
        // Pictures are drawn into files; without this, AWT would appear in the dock of a Mac.
        System.setProperty("java.awt.headless", "true");
        Main main = new Main(environment, in);
        CommandLine command = new CommandLine(main)
                .setOut(out)
                .setErr(err)
                .setColorScheme(CommandLine.Help.defaultColorScheme(CommandLine.Help.Ansi.OFF))
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExpandAtFiles(false)
                .registerConverter(Path.class, PathText::path)
                .setExecutionStrategy(parsed -> execute(parsed, err, verbose))
                .setParameterExceptionHandler((e, given) -> misused(err, e))
                .setExecutionExceptionHandler((e, line, result) -> failed(err, withRemedy(e, line), verbose));
        try {
            int status = command.execute(args);
            out.flush();
            return status;
        } catch (ResultStream.FailedException e) {
            return failed(err, e, verbose);
        } catch (OutOfMemoryError | StackOverflowError | InternalError | LinkageError e) {
            // Out of memory, a memory-mapped file that was truncated, or a native library that does not load.
            return failed(err, new IOException(e.toString(), e), verbose);
        } finally {
            main.ended.countDown();
        }
    }

    /** Runs the command, or prints its help; picocli would report a failure to print it with a stack trace. */
    private static int execute(ParseResult parsed, PrintWriter err, boolean verbose) {
        try {
            return new CommandLine.RunLast().execute(parsed);
        } catch (ResultStream.FailedException e) {
            return failed(err, e, verbose);
        }
    }

    private static int misused(PrintWriter err, ParameterException e) {
        String name = e.getCommandLine().getCommandSpec().qualifiedName();
        String message = oneLine(misuse(e));
        err.println("convzoo: " + message + (message.endsWith("?") ? " See " : "; see ") + name + " --help");
        return MISUSED;
    }

    private static String misuse(ParameterException e) {
        CommandSpec spec = e.getCommandLine().getCommandSpec();
        if (e instanceof UnmatchedArgumentException unmatched) {
            String first = unmatched.getUnmatched().get(0);
            if (unmatched.isUnknownOption()) {
                String option = first.replaceFirst("=.*", "");
                return "unknown option " + option
                        + Spelling.question(option, spec.optionsMap().keySet());
            }
            if (!spec.subcommands().isEmpty()) {
                return "unknown command " + first
                        + Spelling.question(first, spec.subcommands().keySet());
            }
        } else if (String.valueOf(e.getMessage()).startsWith("Missing required subcommand")) {
            return "a command is missing; choose from "
                    + String.join(", ", spec.subcommands().keySet());
        }
        return String.valueOf(e.getMessage());
    }

    private static int failed(PrintWriter err, Exception e, boolean verbose) {
        if (e instanceof ResultStream.FailedException result && result.isClosedPipe()) {
            // The reader of the results has closed the pipe.
            return DONE;
        }
        if (verbose) {
            e.printStackTrace(err);
        }
        // For example a file that was truncated while its tensors were in use.
        Throwable failure = e instanceof UncheckedIOException unchecked ? unchecked.getCause() : e;
        if (e instanceof IllegalArgumentException) {
            err.println("convzoo: " + oneLine(e.getMessage()));
            return MISUSED;
        }
        if (failure instanceof FileSystemException) {
            String reason = Reason.withFile(failure);
            err.println("convzoo: "
                    + oneLine(reason.contains("; ") ? reason : reason + "; check the path and its permissions"));
        } else if (failure instanceof IOException) {
            err.println("convzoo: " + oneLine(Reason.of(failure)));
        } else if (e instanceof ResultStream.FailedException || e instanceof EngineException) {
            err.println("convzoo: " + oneLine(e.getMessage()));
        } else {
            err.println("convzoo: " + oneLine(e.toString()) + "; run again with --verbose for the stack trace");
        }
        return FAILED;
    }

    /** Adds the option that skips an image that cannot be read, if the command has it. */
    private static Exception withRemedy(Exception e, CommandLine line) {
        OptionSpec option = line.getCommandSpec().findOption("--on-bad-image");
        return e instanceof IOException
                        && e.getCause() instanceof ImageException
                        && option != null
                        && option.getValue() == OnBadImage.FAIL
                ? new IOException(e.getMessage() + "; or pass --on-bad-image skip", e)
                : e;
    }

    /**
     * A message on one line: names from files may contain line breaks and tabs. {@link HarmlessWriter} handles the
     * rest.
     */
    static String oneLine(@Nullable String message) {
        if (message == null) {
            return "unknown error (no message)";
        }
        // The problem is at the start, and the remedy at the end.
        int excess = message.length() - LONGEST_MESSAGE;
        int half = LONGEST_MESSAGE / 2;
        String shown = excess > 0 ? message.substring(0, half) + "..." + message.substring(half + excess) : message;
        return HarmlessWriter.harmless(
                shown.strip().replaceAll("\\s*\\R\\s*", " ").replace('\t', '?'));
    }

    /** Reads the version from the jar; a build in the source tree has no jar. */
    static final class Version implements CommandLine.IVersionProvider {

        @Override
        public String[] getVersion() {
            String version = Main.class.getPackage().getImplementationVersion();
            return new String[] {"convzoo " + (version == null ? VERSION + " (development build)" : version)};
        }
    }
}
