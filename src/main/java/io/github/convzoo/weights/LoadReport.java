package io.github.convzoo.weights;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A report of loading, which accounts for every tensor of the file and every parameter of the network.
 *
 * @param file the checkpoint
 * @param path the path of the weights in the file; empty if they are the whole file
 * @param modelName the network
 * @param loaded the parameters that were set from the file, in the network's order
 * @param notes the tensors and parameters that a rule applied to
 * @param placeholders other objects in the file that were not built, such as the class of an options object
 * @param remarks guesses about the weights' configuration, and settings overridden by options
 */
public record LoadReport(
        Path file,
        String path,
        String modelName,
        List<String> loaded,
        List<Note> notes,
        List<String> placeholders,
        List<Remark> remarks) {

    /** Copies the lists. */
    public LoadReport {
        loaded = List.copyOf(loaded);
        notes = List.copyOf(notes);
        placeholders = List.copyOf(placeholders);
        remarks = List.copyOf(remarks);
    }

    /**
     * A remark about the weights' configuration.
     *
     * @param kind the kind of remark
     * @param text a phrase for people
     */
    public record Remark(Kind kind, String text) {

        /** The kind of a remark. */
        public enum Kind {
            /** An option that differs from the model's own configuration. */
            OVERRIDE,
            /** An assumption, because no source states the setting. */
            GUESS,
            /** A setting of the network's family. */
            SETTING
        }
    }

    /**
     * {@return the report with additional remarks}
     *
     * @param more additional guesses and overrides
     */
    public LoadReport withRemarks(List<Remark> more) {
        List<Remark> all = new ArrayList<>(remarks);
        all.addAll(more);
        return new LoadReport(file, path, modelName, loaded, notes, placeholders, all);
    }

    /** Why a tensor was not used unchanged, or a parameter not set. */
    public enum Rule {
        /** PyTorch's count of BatchNorm's batches, which is never read. */
        BATCH_COUNTER("ignored: BatchNorm's batch counters"),
        /** The weights are in an unusual place, the only one that fits the network or, if none fits, is similar. */
        PLACE_FOUND("found in an unusual place: the weights"),
        /** Other weights in the file also fit the network; those in the first conventional place were used. */
        NOT_TAKEN("not used, although they also fit and differ: the weights at"),
        /** Names fit the network only without a prefix, or without the parts that wrappers insert. */
        PREFIX_STRIPPED("stripped from names to fit the network"),
        /** Entries that the caller asked to ignore. */
        IGNORED_AS_ASKED("ignored as requested"),
        /** The number of models averaged by PyTorch's AveragedModel. */
        AVERAGE_COUNT("ignored: the count of an averaged model"),
        /** Counters that the profiler thop leaves in each module. */
        PROFILER_COUNT("ignored: a profiler's counts of operations and parameters"),
        /** Projections that the DLA authors' code creates but never runs. */
        UNUSED_ENTRY("ignored: entries of the published file that the network does not use"),
        /** Tensors that a TorchScript archive's code uses but that are not parameters. */
        SCRIPT_CONSTANT("ignored: constants of the TorchScript code"),
        /** The network was built without a classifier, to return features. */
        CLASSIFIER_LEFT_OUT("ignored: the classifier, because this network was built without one"),
        /** The network has another number of classes than the file. */
        CLASSIFIER_REPLACED("left at its initial values: the classifier, because the number of classes differs"),
        /** The file has no classifier, such as a backbone's. */
        CLASSIFIER_NEW("left at its initial values: the classifier, because the file has none"),
        /** The file has a linear layer for the network's 1 x 1 convolution, or vice versa. */
        CLASSIFIER_RESHAPED("reshaped between a linear layer and a 1 x 1 convolution: the classifier"),
        /** The network's number of input channels differs from the file's three. */
        INPUT_CHANNELS_ADAPTED("adapted from 3 input channels: the first convolution");

        private final String text;

        Rule(String text) {
            this.text = text;
        }

        /** {@return the effect of the rule, as a phrase for people} */
        public String text() {
            return text;
        }
    }

    /**
     * The tensors or parameters that one rule applied to.
     *
     * @param rule the rule
     * @param names the tensors or parameters, at least one
     */
    public record Note(Rule rule, List<String> names) {

        /** Copies the list. */
        public Note {
            names = List.copyOf(names);
        }

        /** {@return the note for people: the effect of the rule, the first name, and the number of further names} */
        public String line() {
            int more = names.size() - 1;
            return rule.text() + " (" + names.get(0) + (more == 0 ? ")" : " and " + more + " more)");
        }
    }

    /** {@return what was guessed, a line each, for people: they must see it even if they do not ask for the report} */
    public List<String> guesses() {
        List<String> guesses = new ArrayList<>();
        for (Note note : notes) {
            if (note.rule() == Rule.NOT_TAKEN) {
                guesses.add(file + ": using the weights at " + path + ", although those at "
                        + String.join(", ", note.names())
                        + " also fit and differ; choose others with --key (withKey in Java)");
            }
        }
        for (Remark remark : remarks) {
            if (remark.kind() == Remark.Kind.GUESS) {
                guesses.add(remark.text());
            }
        }
        return guesses;
    }

    /** {@return the report for people: one line for what was loaded, and one for each rule that applied} */
    public List<String> lines() {
        List<String> lines = new ArrayList<>();
        lines.add(file + (path.isEmpty() ? "" : " (" + path + ")") + ": " + loaded.size() + " tensors loaded into "
                + modelName);
        for (Note note : notes) {
            lines.add(note.line());
        }
        if (!placeholders.isEmpty()) {
            lines.add("not built and not needed: " + String.join(", ", placeholders));
        }
        for (Remark remark : remarks) {
            lines.add((remark.kind() == Remark.Kind.OVERRIDE ? "override: " : "") + remark.text());
        }
        return lines;
    }
}
