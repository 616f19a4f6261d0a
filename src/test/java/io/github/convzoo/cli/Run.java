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
 * @param found the line that says what is in a data set, empty if there is none; the rest of standard error is apart
 *     from it
 * @param guesses what it said of weights without a configuration, apart too
 */
record Run(int status, String out, String err, String found, List<String> guesses) {

    private static final Pattern FOUND = Pattern.compile("(?m)^[\\d,]+ images? of .*\\R");
    private static final Pattern GUESS =
            Pattern.compile(": has no configuration; images become inputs as for |[(]the default[)]$"
                    + "|their names are taken as class numbers$");

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
        String rest = err.toString()
                .lines()
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
                guesses);
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
