package io.github.convzoo.cli;

import io.github.convzoo.hub.FetchException;
import io.github.convzoo.hub.StoredFile;
import io.github.convzoo.weights.Glob;
import io.github.convzoo.weights.Manifest;
import io.github.convzoo.weights.WeightStore;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(
        name = "pull",
        description = "Download published weights for offline use.",
        footer = {
            "",
            "Cached weights are not downloaded again, and an interrupted download resumes. The environment variables "
                    + "HF_ENDPOINT, HF_TOKEN, HF_HOME, HF_HUB_OFFLINE, DJL_OFFLINE, and DJL_CACHE_DIR are respected.",
            "",
            "Examples:",
            "  convzoo pull dla34 dpn68b.ra_in1k",
            "  convzoo pull 'dla60*' --json"
        })
final class PullCommand implements Callable<Integer> {

    @Spec
    CommandSpec spec = CommandSpec.create();

    @ParentCommand
    Main main = Main.inProcess();

    @Parameters(
            arity = "1..*",
            paramLabel = "NAME",
            description = "A network, network.tag, or a pattern of these with * and ? as wildcards.")
    List<String> names = new ArrayList<>();

    @Option(names = "--json", description = "Print JSON; sizes are in bytes.")
    boolean json;

    @Mixin
    CommonOptions common = new CommonOptions();

    @Override
    public Integer call() throws IOException {
        WeightStore store = main.store();
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        List<StoredFile> files = new ArrayList<>();
        int result = Main.DONE;
        for (Manifest.Row row : rows()) {
            DownloadBar bar = new DownloadBar(err);
            try {
                StoredFile file = store.fetch(row, bar);
                files.add(file);
                if (!json) {
                    out.println(file.path() + ": " + row.name() + ", " + FileRow.bytes(file.size()) + " bytes, "
                            + FileRow.state(file));
                }
            } catch (FetchException e) {
                // The other files may still be available.
                bar.end();
                if (common.verbose) {
                    e.printStackTrace(err);
                }
                err.println("convzoo: " + Main.oneLine(e.getMessage()));
                result = Main.FAILED;
            } finally {
                bar.end();
            }
        }
        if (json) {
            out.println(Json.of(FileRow.of(files)));
        }
        return result;
    }

    private Set<Manifest.Row> rows() {
        Set<Manifest.Row> rows = new LinkedHashSet<>();
        for (String name : names) {
            if (!Glob.isGlob(name)) {
                rows.add(Manifest.find(name));
                continue;
            }
            Pattern pattern = Glob.of(name);
            boolean found = false;
            for (Manifest.Row row : Manifest.rows()) {
                if (pattern.matcher(row.name()).matches()
                        || pattern.matcher(row.model()).matches()) {
                    rows.add(row);
                    found = true;
                }
            }
            if (!found) {
                Manifest.find(name);
            }
        }
        return rows;
    }
}
