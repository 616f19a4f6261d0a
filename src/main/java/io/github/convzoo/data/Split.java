package io.github.convzoo.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A data set in two parts, of the same classes.
 *
 * @param training what is learnt from
 * @param validation what the learning is measured on
 */
public record Split(LabeledImages training, LabeledImages validation) {

    /**
     * Checks that the parts belong together.
     *
     * @param training what is learnt from
     * @param validation what the learning is measured on
     * @throws IllegalArgumentException if their classes are not the same, in the same order; the message says where they
     *     part
     */
    public Split {
        List<String> ours = training.classes();
        List<String> theirs = validation.classes();
        int same = 0;
        while (same < Math.min(ours.size(), theirs.size()) && ours.get(same).equals(theirs.get(same))) {
            same++;
        }
        if (same < Math.max(ours.size(), theirs.size())) {
            throw new IllegalArgumentException(
                    "training and validation must have the same classes, but class %d is %s and %s"
                            .formatted(same, named(ours, same), named(theirs, same)));
        }
    }

    private static String named(List<String> classes, int number) {
        return number < classes.size() ? "'" + classes.get(number) + "'" : "missing";
    }

    /**
     * Splits a data set at random, class by class, so that each has the same share on both sides: rounded to whole images, at
     * least one and at most all but one.
     *
     * @param images the data set; at least two images of each class
     * @param fraction the share of the validation part, above 0 and below 1
     * @param seed decides which; the same seed splits alike
     * @return views on the two parts, each in the data set's order
     * @throws IllegalArgumentException if the fraction is out of range, or a class has fewer than two images; the message
     *     names the class
     */
    public static Split stratified(LabeledImages images, double fraction, long seed) {
        requireFraction(fraction);
        int[][] shuffled = Subset.shuffledByClass(images, seed);
        int[] none = new int[shuffled.length];
        int[] cut = new int[shuffled.length];
        int[] all = new int[shuffled.length];
        for (int c = 0; c < shuffled.length; c++) {
            all[c] = shuffled[c].length;
            if (all[c] < 2) {
                throw new IllegalArgumentException(
                        "class '%s' has %s: at least two are needed, one to train with and one to validate"
                                .formatted(images.classes().get(c), all[c] == 0 ? "no image" : "one image"));
            }
            cut[c] = (int) Math.max(1, Math.min(all[c] - 1, Math.round(fraction * all[c])));
        }
        return new Split(Subset.of(images, shuffled, cut, all), Subset.of(images, shuffled, none, cut));
    }

    /**
     * Reads a folder of images for each class: {@code train} and {@code val} in it where both are there, else the folder
     * itself, split by {@link #stratified}.
     *
     * @param folder the folder
     * @param fraction the share of the validation part where the folder is one, above 0 and below 1
     * @param seed decides which images that are
     * @return the two parts
     * @throws IOException if a folder cannot be listed, or one of a class holds no image, or only one of train and val is
     *     there, or they have other classes, or a class has too few images to split
     * @throws IllegalArgumentException if the fraction is out of range
     */
    public static Split ofFolder(Path folder, double fraction, long seed) throws IOException {
        requireFraction(fraction);
        Path training = folder.resolve("train");
        Path validation = folder.resolve("val");
        boolean has = Files.isDirectory(training);
        if (has != Files.isDirectory(validation)) {
            throw new IOException("%s: holds %s, but not %s; give both, or one folder of images for each class"
                    .formatted(folder, has ? "train" : "val", has ? "val" : "train"));
        }
        try {
            return has
                    ? new Split(ImageFolder.of(training), ImageFolder.of(validation))
                    : stratified(ImageFolder.of(folder), fraction, seed);
        } catch (IllegalArgumentException e) {
            throw new IOException(folder + ": " + e.getMessage(), e);
        }
    }

    private static void requireFraction(double fraction) {
        if (!(fraction > 0 && fraction < 1)) {
            throw new IllegalArgumentException("a fraction above 0 and below 1 is expected, not " + fraction);
        }
    }
}
