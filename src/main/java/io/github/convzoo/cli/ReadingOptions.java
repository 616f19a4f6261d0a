package io.github.convzoo.cli;

import io.github.convzoo.checkpoint.Limits;
import io.github.convzoo.image.ImageDecoder;
import io.github.convzoo.weights.ReadOptions;
import io.github.convzoo.zoo.LoadOptions;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options for reading a checkpoint, for every command that reads one. */
final class ReadingOptions {

    @Option(
            names = "--key",
            paramLabel = "PATH",
            description =
                    "The path of the weights within the file, such as checkpoint.model. Default: the only ones that"
                            + " fit; if several fit, those at state_dict_ema, model_ema, state_dict, or model, in this"
                            + " order.")
    @Nullable String key;

    @Option(
            names = "--ignore",
            paramLabel = "PATTERN",
            description = "Entries of the weights to ignore; * and ? are wildcards. May be repeated.")
    List<String> ignored = new ArrayList<>();

    @Option(
            names = "--limit",
            paramLabel = "NAME=N",
            description = "Change a limit for reading files or images, such as pickleBytes=64M. Error messages name the"
                    + " limit. May be"
                    + " repeated.")
    List<String> limits = new ArrayList<>();

    /** The read options. */
    ReadOptions options() {
        Limits changed = Limits.DEFAULT;
        for (String limit : limits) {
            if (ImageDecoder.isLimit(limit)) {
                continue;
            }
            try {
                changed = changed.with(limit);
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException("--limit: " + e.getMessage(), e);
            }
        }
        return new ReadOptions(changed, key, ignored);
    }

    /** An image decoder with these limits. */
    ImageDecoder decoder() {
        ImageDecoder changed = new ImageDecoder();
        for (String limit : limits) {
            try {
                changed = ImageDecoder.isLimit(limit) ? changed.withLimit(limit) : changed;
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException("--limit: " + e.getMessage(), e);
            }
        }
        return changed;
    }

    /** The given options with these added. */
    LoadOptions apply(LoadOptions options) {
        ReadOptions read = options();
        LoadOptions changed =
                options.withLimits(read.limits()).withIgnored(read.ignored().toArray(String[]::new));
        return read.key() == null ? changed : changed.withKey(read.key());
    }
}
