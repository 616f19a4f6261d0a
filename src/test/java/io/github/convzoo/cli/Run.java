package io.github.convzoo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonParser;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A run of the command line in this process: its exit status, and what it printed.
 *
 * @param found the line that describes a data set, empty if none exists; the rest of standard error is separate
 *     from it
 * @param guesses what it said about weights without a configuration, also separate
 * @param written what it said about files that it wrote, such as "results.csv: 2 images", also separate
 */
record Run(int status, String out, String err, String found, List<String> guesses, List<String> written) {

    private static final Pattern FOUND = Pattern.compile("(?m)^[\\d,]+ (training )?images?( of|;) .*\\R");
    private static final Pattern GUESS =
            Pattern.compile(": no configuration found; using the preprocessing of |[(]the default[)]$"
                    + "|folder names are read as class numbers$");

    private static final Pattern WRITTEN =
            Pattern.compile("(?i)^(?!convzoo: ).*\\.(jsonl|csv|png): [\\d,]+ images?(, \\d+ of them errors)?$");

    /** How a training run begins to talk. */
    private static final Pattern BEGUN =
            Pattern.compile("^training (.* on (cpu|gpu): .* of .* steps?$|from scratch for only )");

    static Run of(Object... args) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        String[] texts = List.of(args).stream().map(Object::toString).toArray(String[]::new);
        int status = Main.run(new PrintWriter(out, true), new PrintWriter(err, true), texts);
        List<String> guesses = err.toString()
                .lines()
                .filter(line -> GUESS.matcher(line).find())
                .toList();
        List<String> written = err.toString()
                .lines()
                .filter(line -> WRITTEN.matcher(line).matches())
                .toList();
        String rest = err.toString()
                .lines()
                .filter(line -> !WRITTEN.matcher(line).matches())
                .filter(line -> !GUESS.matcher(line).find())
                .filter(line -> !BEGUN.matcher(line).find())
                .map(line -> line + System.lineSeparator())
                .collect(Collectors.joining());
        Matcher found = FOUND.matcher(rest);
        return new Run(
                status,
                out.toString(),
                found.replaceFirst(""),
                found.reset().find() ? found.group().strip() : "",
                guesses,
                written);
    }

    /** Runs what must succeed, and say nothing but its results. */
    static Run succeeding(Object... args) {
        Run run = of(args);
        assertThat(run.err).isEmpty();
        assertThat(run.status).isZero();
        return run;
    }

    /** Runs what must end with a status, nothing on standard output, and one line that has all these parts. */
    static void refused(int status, List<?> args, String... parts) {
        Run run = of(args.toArray());
        run.assertOneErrorLine(parts);
        assertThat(run.out).isEmpty();
        assertThat(run.status).isEqualTo(status);
    }

    void assertOneErrorLine(String... parts) {
        assertThat(err).startsWith("convzoo: ").endsWith(System.lineSeparator());
        assertThat(err.lines()).hasSize(1);
        assertThat(err).contains(parts);
    }

    JsonElement json() {
        return JsonParser.parseString(out);
    }
}
