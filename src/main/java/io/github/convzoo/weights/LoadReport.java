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
        /** Projections that the DLA authors' code creates and never runs. */
        UNUSED_ENTRY("ignored: entries that the published file carries and the network has no use for"),
        /** Tensors that a TorchScript archive's code uses and that are no parameters. */
        SCRIPT_CONSTANT("ignored: constants of the TorchScript code"),
        /** The network was built without a classifier, to give features. */
        CLASSIFIER_LEFT_OUT("ignored: the classifier, which this network was built without"),
        /** The network has another number of classes than the file. */
        CLASSIFIER_REPLACED("left at its initial values: the classifier, whose number of classes differs"),
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
            int count = note.names().size();
            lines.add(note.rule().text() + " (" + note.names().get(0)
                    + (count == 1 ? ")" : " and " + (count - 1) + " more)"));
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
