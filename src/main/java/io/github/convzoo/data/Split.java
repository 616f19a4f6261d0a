package io.github.convzoo.data;

import io.github.convzoo.image.ImageDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

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
     * Reads a folder of images for each class, or one with a part to learn from and one to validate with, as
     * {@link FolderParts} knows them; a folder of classes is split by {@link #stratified}. Images are turned upright.
     *
     * @param folder the folder
     * @param fraction the share of the validation part where the folder is one, above 0 and below 1
     * @param seed decides which images that are
     * @return the two parts
     * @throws IOException as {@link #ofFolder(Path, double, long, ImageDecoder)}
     * @throws IllegalArgumentException if the fraction is out of range
     */
    public static Split ofFolder(Path folder, double fraction, long seed) throws IOException {
        return ofFolder(folder, fraction, seed, new ImageDecoder());
    }

    /**
     * As {@link #ofFolder(Path, double, long)}, with a decoder.
     *
     * @param folder the folder
     * @param fraction the share of the validation part where the folder is one, above 0 and below 1
     * @param seed decides which images that are
     * @param decoder reads the images
     * @return the two parts
     * @throws IOException if a folder cannot be listed, or one of a class holds no image, or its parts are arranged in a way that
     *     is not known, or the part to validate with has a class that the other has not, or a class has too few images to split
     * @throws IllegalArgumentException if the fraction is out of range
     */
    public static Split ofFolder(Path folder, double fraction, long seed, ImageDecoder decoder) throws IOException {
        requireFraction(fraction);
        if (!Files.isDirectory(folder)) {
            throw new IOException(folder + ": is not a folder; give one that holds a folder of images for each class");
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
     * Reads two folders, each of images for each class. Classes are numbered by the first one; the second may lack some.
     *
     * @param training what to learn from
     * @param validation what to validate with
     * @return the two
     * @throws IOException if one cannot be listed, or one of a class holds no image, or the second has a class that the first has
     *     not
     */
    public static Split ofFolders(Path training, Path validation) throws IOException {
        return ofFolders(training, validation, new ImageDecoder());
    }

    /**
     * As {@link #ofFolders(Path, Path)}, with a decoder.
     *
     * @param training what to learn from
     * @param validation what to validate with
     * @param decoder reads the images
     * @return the two
     * @throws IOException as {@link #ofFolders(Path, Path)}
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
            notes.add("%s: learning from %s, validating with %s".formatted(folder, training, validation));
        }
        for (Path each : parts.unused()) {
            notes.add("%s: %s is not used".formatted(folder, PathNames.of(each)));
        }
        return notes;
    }

    private static void requireFraction(double fraction) {
        if (!(fraction > 0 && fraction < 1)) {
            throw new IllegalArgumentException("a fraction above 0 and below 1 is expected, not " + fraction);
        }
    }
}
