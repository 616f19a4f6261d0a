package io.github.convzoo.cli;

import io.github.convzoo.hub.StoredFile;
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
        description = "Look after the downloaded weights.",
        subcommands = {CacheCommand.Show.class, CacheCommand.Verify.class, CacheCommand.Prune.class},
        synopsisSubcommandLabel = "COMMAND",
        footer = {
            "",
            "The files stand under cache/convzoo in DJL's cache directory, DJL_CACHE_DIR or ~/.djl.ai.",
            "",
            "Examples:",
            "  convzoo cache list",
            "  convzoo cache verify --json"
        })
final class CacheCommand {

    @ParentCommand
    Main main = Main.inProcess();

    @Mixin
    CommonOptions common = new CommonOptions();

    @Command(name = "list", description = "List the files, their sizes, and what is known of their hashes.")
    static final class Show implements Callable<Integer> {

        @Spec
        CommandSpec spec = CommandSpec.create();

        @ParentCommand
        CacheCommand parent = new CacheCommand();

        @Option(names = "--json", description = "Print JSON; sizes are bytes.")
        boolean json;

        @Mixin
        CommonOptions common = new CommonOptions();

        @Override
        public Integer call() throws IOException {
            print(spec, parent.main.store().files().list(), json);
            return Main.DONE;
        }
    }

    @Command(
            name = "verify",
            description = "Read every file and compute its hash anew.",
            footer = {"", "Exit status: 0 all good, 1 if a file is corrupt."})
    static final class Verify implements Callable<Integer> {

        @Spec
        CommandSpec spec = CommandSpec.create();

        @ParentCommand
        CacheCommand parent = new CacheCommand();

        @Option(names = "--json", description = "Print JSON; sizes are bytes.")
        boolean json;

        @Mixin
        CommonOptions common = new CommonOptions();

        @Override
        public Integer call() throws IOException {
            List<StoredFile> files = parent.main.store().files().verify();
            print(spec, files, json);
            PrintWriter err = spec.commandLine().getErr();
            int result = Main.DONE;
            for (StoredFile file : files) {
                if (file.state() == StoredFile.State.CORRUPT) {
                    err.println("convzoo: " + file.path() + ": its SHA-256 is " + file.sha256() + " and should be "
                            + file.expected() + "; convzoo cache prune removes it");
                    result = Main.FAILED;
                }
            }
            return result;
        }
    }

    @Command(
            name = "prune",
            description = "Remove partial downloads, and files whose hash is wrong or unknown; list what was removed.")
    static final class Prune implements Callable<Integer> {

        @Spec
        CommandSpec spec = CommandSpec.create();

        @ParentCommand
        CacheCommand parent = new CacheCommand();

        @Option(names = "--all", description = "Remove the good files too.")
        boolean all;

        @Option(names = "--json", description = "Print JSON; sizes are bytes.")
        boolean json;

        @Mixin
        CommonOptions common = new CommonOptions();

        @Override
        public Integer call() throws IOException {
            print(spec, parent.main.store().files().prune(all), json);
            return Main.DONE;
        }
    }

    private static void print(CommandSpec spec, List<StoredFile> files, boolean json) {
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(Json.of(FileRow.of(files)));
            return;
        }
        Table table = new Table("weights", "<", "bytes", ">", "state", "<", "file", "<");
        for (StoredFile file : files) {
            table.row(
                    file.name(),
                    FileRow.bytes(file.size()),
                    FileRow.state(file),
                    file.path().toString());
        }
        table.print(out);
    }
}
