package io.github.convzoo.data;

import io.github.convzoo.image.ImageDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A data set in two parts with the same classes.
 *
 * @param training the training images
 * @param validation the validation images
 */
public record Split(LabeledImages training, LabeledImages validation) {

    /**
     * Checks that the parts have the same classes.
     *
     * @throws IllegalArgumentException if their classes differ in name or order; the message names the first difference
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
     * Splits a data set at random, class by class, with the same fraction of each class: rounded to whole images, at
     * least one and at most all but one.
     *
     * @param images the data set; at least two images of each class
     * @param fraction the fraction of the validation part, above 0 and below 1
     * @param seed determines the split; the same seed gives the same split
     * @return views on the two parts, each in the data set's order
     * @throws IllegalArgumentException if the fraction is out of range, or a class has fewer than two images; the
     *     message names the class
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
                        "class '%s' has %s; at least two are needed, one for training and one for validation"
                                .formatted(images.classes().get(c), all[c] == 0 ? "no images" : "one image"));
            }
            cut[c] = (int) Math.max(1, Math.min(all[c] - 1, Math.round(fraction * all[c])));
        }
        return new Split(Subset.of(images, shuffled, cut, all), Subset.of(images, shuffled, none, cut));
    }

    /**
     * Reads a folder with one folder of images per class, which is split by {@link #stratified}, or a folder with
     * training and validation parts, as recognized by {@link FolderParts}. Images are rotated upright.
     *
     * @param folder the folder
     * @param fraction the fraction of the validation part if the folder is split, above 0 and below 1
     * @param seed determines the split
     * @return the two parts
     * @throws IOException as in {@link #ofFolder(Path, double, long, ImageDecoder)}
     * @throws IllegalArgumentException if the fraction is out of range
     */
    public static Split ofFolder(Path folder, double fraction, long seed) throws IOException {
        return ofFolder(folder, fraction, seed, new ImageDecoder());
    }

    /**
     * Reads a folder like {@link #ofFolder(Path, double, long)}, with a decoder.
     *
     * @param folder the folder
     * @param fraction the fraction of the validation part if the folder is split, above 0 and below 1
     * @param seed determines the split
     * @param decoder reads the images
     * @return the two parts
     * @throws IOException if a folder cannot be listed, a class's folder has no images, the parts have an unknown
     *     arrangement, the validation part has a class that the training part lacks, or a class has too few images to
     *     split
     * @throws IllegalArgumentException if the fraction is out of range
     */
    public static Split ofFolder(Path folder, double fraction, long seed, ImageDecoder decoder) throws IOException {
        requireFraction(fraction);
        if (!Files.isDirectory(folder)) {
            throw new IOException(folder + ": not a folder; pass one with one folder of images per class");
        }
        try {
            Optional<FolderParts> parts = FolderParts.of(folder);
            if (parts.isEmpty()) {
                return stratified(ImageFolder.of(folder, decoder), fraction, seed);
            }
            ImageFolder training = ImageFolder.of(parts.get().training(), decoder, notes(folder, parts.get()));
            return ofParts(training, parts.get().validation(), decoder);
        } catch (IllegalArgumentException e) {
            throw new IOException(folder + ": " + e.getMessage(), e);
        }
    }

    /**
     * Reads two folders, each with one folder of images per class. The first one numbers the classes; the second may
     * lack some.
     *
     * @param training the folder of training images
     * @param validation the folder of validation images
     * @return the two parts
     * @throws IOException if one cannot be listed, a class's folder has no images, or the second has a class that the
     *     first lacks
     */
    public static Split ofFolders(Path training, Path validation) throws IOException {
        return ofFolders(training, validation, new ImageDecoder());
    }

    /**
     * Reads two folders like {@link #ofFolders(Path, Path)}, with a decoder.
     *
     * @param training the folder of training images
     * @param validation the folder of validation images
     * @param decoder reads the images
     * @return the two parts
     * @throws IOException as in {@link #ofFolders(Path, Path)}
     */
    public static Split ofFolders(Path training, Path validation, ImageDecoder decoder) throws IOException {
        return ofParts(ImageFolder.of(training, decoder), validation, decoder);
    }

    private static Split ofParts(ImageFolder training, Path validation, ImageDecoder decoder) throws IOException {
        return new Split(training, ImageFolder.of(validation, training.classes(), decoder));
    }

    private static List<String> notes(Path folder, FolderParts parts) {
        List<String> notes = new ArrayList<>();
        String training = PathNames.of(parts.training());
        String validation = PathNames.of(parts.validation());
        if (!training.equals("train") || !validation.equals("val")) {
            notes.add("%s: training on %s, validating on %s".formatted(folder, training, validation));
        }
        for (Path each : parts.unused()) {
            notes.add("%s: %s is not used".formatted(folder, PathNames.of(each)));
        }
        return notes;
    }

    private static void requireFraction(double fraction) {
        if (!(fraction > 0 && fraction < 1)) {
            throw new IllegalArgumentException("the fraction must be above 0 and below 1, not " + fraction);
        }
    }
}
