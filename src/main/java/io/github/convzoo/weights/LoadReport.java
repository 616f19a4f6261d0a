package io.github.convzoo.weights;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What loading did: every tensor of the file and every parameter of the network is accounted for.
 *
 * @param file the checkpoint
 * @param path where in the file the weights stood; empty where they are all there is
 * @param modelName the network
 * @param loaded the parameters that were set from the file, in the network's order
 * @param notes the tensors and parameters that a rule took care of
 * @param placeholders what else the file names that was left alone, such as the class of an options object
 * @param remarks what was guessed of the weights' use, or changed by options
 */
public record LoadReport(
        Path file,
        String path,
        String modelName,
        List<String> loaded,
        List<Note> notes,
        List<String> placeholders,
        List<Remark> remarks) {

    /**
     * Creates a report of copies of the given lists.
     *
     * @param file the checkpoint
     * @param path where in the file the weights stood
     * @param modelName the network
     * @param loaded the parameters that were set
     * @param notes what a rule took care of
     * @param placeholders what was left alone
     * @param remarks what was guessed or changed
     */
    public LoadReport {
        loaded = List.copyOf(loaded);
        notes = List.copyOf(notes);
        placeholders = List.copyOf(placeholders);
        remarks = List.copyOf(remarks);
    }

    /**
     * What is said of the weights' use.
     *
     * @param kind why it is said
     * @param text a phrase for people
     */
    public record Remark(Kind kind, String text) {

        /** Why something is said. */
        public enum Kind {
            /** An option that differs from the model's own configuration. */
            OVERRIDE,
            /** Something that nobody says, and that was assumed. */
            GUESS,
            /** A choice that the network's family has. */
            SETTING
        }
    }

    /**
     * With further remarks.
     *
     * @param more what else was guessed or changed
     * @return the changed report
     */
    public LoadReport withRemarks(List<Remark> more) {
        List<Remark> all = new ArrayList<>(remarks);
        all.addAll(more);
        return new LoadReport(file, path, modelName, loaded, notes, placeholders, all);
    }

    /** Why a tensor was not used as it is, or a parameter not set. */
    public enum Rule {
        /** PyTorch's count of BatchNorm's batches, which nothing here reads. */
        BATCH_COUNTER("ignored: BatchNorm's batch counters"),
        /** The weights are in an unusual place, the only one that fits the network or, if none fits, comes near. */
        PLACE_FOUND("found in an unusual place: the weights"),
        /** Other weights in the file fit the network as well; those of the first usual place were taken. */
        NOT_TAKEN("not taken, though they fit as well and differ: the weights at"),
        /** Names fit the network only without a prefix, or without what wrapping a part of a model leaves inside them. */
        PREFIX_STRIPPED("stripped from names, so that they fit the network"),
        /** Entries that the caller asked to leave out. */
        IGNORED_AS_ASKED("ignored, as asked"),
        /** How many models PyTorch's AveragedModel has averaged. */
        AVERAGE_COUNT("ignored: the count of an averaged model"),
        /** What the profiler thop leaves in each module. */
        PROFILER_COUNT("ignored: a profiler's counts of operations and parameters"),
        /** Projections that the DLA authors' code creates and never runs. */
        UNUSED_ENTRY("ignored: entries that the published file carries and the network has no use for"),
        /** Tensors that a TorchScript archive's code uses and that are no parameters. */
        SCRIPT_CONSTANT("ignored: constants of the TorchScript code"),
        /** The network was built without a classifier, to give features. */
        CLASSIFIER_LEFT_OUT("ignored: the classifier, which this network was built without"),
        /** The network has another number of classes than the file. */
        CLASSIFIER_REPLACED("left at its initial values: the classifier, whose number of classes differs"),
        /** The file has no classifier, as that of a backbone. */
        CLASSIFIER_NEW("left at its initial values: the classifier, which the file does not have"),
        /** The file has a linear layer for the network's convolution of one pixel, or the other way round. */
        CLASSIFIER_RESHAPED("reshaped between a linear layer and a 1 x 1 convolution: the classifier"),
        /** The network has another number of input channels than the file's three. */
        INPUT_CHANNELS_ADAPTED("adapted from 3 input channels: the first convolution");

        private final String text;

        Rule(String text) {
            this.text = text;
        }

        /**
         * What the rule does.
         *
         * @return a phrase for people
         */
        public String text() {
            return text;
        }
    }

    /**
     * What one rule took care of.
     *
     * @param rule the rule
     * @param names the tensors or parameters, at least one
     */
    public record Note(Rule rule, List<String> names) {

        /**
         * Creates a note of a copy of the given list.
         *
         * @param rule the rule
         * @param names the tensors or parameters
         */
        public Note {
            names = List.copyOf(names);
        }

        /**
         * The note for people.
         *
         * @return what the rule did, the first name, and how many more there are
         */
        public String line() {
            int more = names.size() - 1;
            return rule.text() + " (" + names.get(0) + (more == 0 ? ")" : " and " + more + " more)");
        }
    }

    /**
     * The report for people.
     *
     * @return one line for what was loaded, and one for each rule that took care of something
     */
    public List<String> lines() {
        List<String> lines = new ArrayList<>();
        lines.add(file + (path.isEmpty() ? "" : " (" + path + ")") + ": " + loaded.size() + " tensors loaded into "
                + modelName);
        for (Note note : notes) {
            lines.add(note.line());
        }
        if (!placeholders.isEmpty()) {
            lines.add("not built, and not needed: " + String.join(", ", placeholders));
        }
        for (Remark remark : remarks) {
            lines.add((remark.kind() == Remark.Kind.OVERRIDE ? "override: " : "") + remark.text());
        }
        return lines;
    }
}
