package io.github.convzoo.cli;

import io.github.convzoo.hub.StoredFile;
import io.github.convzoo.runtime.CompiledCache;
import io.github.convzoo.zoo.ModelCompiler;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(
        name = "cache",
        description = "List, verify, or remove downloaded weights and compiled models.",
        subcommands = {CacheCommand.Show.class, CacheCommand.Verify.class, CacheCommand.Prune.class},
        synopsisSubcommandLabel = "COMMAND",
        footer = {
            "",
            "Weights are in cache/convzoo and compiled models in cache/convzoo-compiled, inside DJL's cache directory"
                    + " (DJL_CACHE_DIR or ~/.djl.ai). Removed files are downloaded, unpacked, or compiled again when"
                    + " needed.",
            "",
            "Examples:",
            "  convzoo cache list",
            "  convzoo cache verify --json"
        })
final class CacheCommand {

    @ParentCommand
    Main main = Main.inProcess();

    private CompiledCache compiled() {
        return new CompiledCache(ModelCompiler.cache(main.store()));
    }

    @Mixin
    CommonOptions common = new CommonOptions();

    @Command(name = "list", description = "List weights and compiled models with their sizes and known hashes.")
    static final class Show implements Callable<Integer> {

        @Spec
        CommandSpec spec = CommandSpec.create();

        @ParentCommand
        CacheCommand parent = new CacheCommand();

        @Option(names = "--json", description = "Print JSON; sizes are in bytes.")
        boolean json;

        @Mixin
        CommonOptions common = new CommonOptions();

        @Override
        public Integer call() throws IOException {
            print(
                    spec,
                    FileRow.of(
                            parent.main.store().files().list(),
                            parent.compiled().list()),
                    json);
            return Main.DONE;
        }
    }

    @Command(
            name = "verify",
            description = "Recompute the hash of every weights file.",
            footer = {"", "Exit status: 0 if all files are good, 1 if one is corrupt."})
    static final class Verify implements Callable<Integer> {

        @Spec
        CommandSpec spec = CommandSpec.create();

        @ParentCommand
        CacheCommand parent = new CacheCommand();

        @Option(names = "--json", description = "Print JSON; sizes are in bytes.")
        boolean json;

        @Mixin
        CommonOptions common = new CommonOptions();

        @Override
        public Integer call() throws IOException {
            List<StoredFile> files = parent.main.store().files().verify();
            print(spec, FileRow.of(files), json);
            PrintWriter err = spec.commandLine().getErr();
            int result = Main.DONE;
            for (StoredFile file : files) {
                if (file.state() == StoredFile.State.CORRUPT) {
                    err.println("convzoo: " + file.path() + ": SHA-256 is " + file.sha256() + " but should be "
                            + file.expected() + "; run convzoo cache prune to remove it");
                    result = Main.FAILED;
                }
            }
            return result;
        }
    }

    @Command(
            name = "prune",
            description =
                    "Remove partial downloads, files whose hash is wrong or unknown, and incomplete compiled models,"
                            + " and list"
                            + " them.")
    static final class Prune implements Callable<Integer> {

        @Spec
        CommandSpec spec = CommandSpec.create();

        @ParentCommand
        CacheCommand parent = new CacheCommand();

        @Option(names = "--all", description = "Also remove valid weights and all compiled models.")
        boolean all;

        @Option(names = "--json", description = "Print JSON; sizes are in bytes.")
        boolean json;

        @Mixin
        CommonOptions common = new CommonOptions();

        @Override
        public Integer call() throws IOException {
            print(
                    spec,
                    FileRow.of(
                            parent.main.store().files().prune(all),
                            parent.compiled().prune(all)),
                    json);
            return Main.DONE;
        }
    }

    private static void print(CommandSpec spec, List<FileRow> rows, boolean json) {
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(Json.of(rows));
            return;
        }
        Table table = new Table("name", "<", "bytes", ">", "state", "<", "file", "<");
        for (FileRow row : rows) {
            table.row(row.weights(), FileRow.bytes(row.size()), row.state(), row.path());
        }
        table.print(out);
    }
}
