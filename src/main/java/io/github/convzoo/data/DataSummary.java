package io.github.convzoo.data;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Describes a data set in lines for people. */
public final class DataSummary {

    private static final int NAMED = 5;

    private DataSummary() {}

    /**
     * Describes the data of a training run.
     *
     * @param split the training and validation images
     * @param steps the number of steps per epoch
     * @return a line such as {@code 36 training images of 2 classes, 4 validation images, 4 steps per epoch}, and one
     *     for each guess or likely mistake
     */
    public static List<String> of(Split split, long steps) {
        LabeledImages training = split.training();
        LabeledImages validation = split.validation();
        List<String> lines = new ArrayList<>();
        lines.add("%s of %s, %s, %s per epoch"
                .formatted(
                        count(training.size(), "training image", "training images"),
                        count(training.classes().size(), "class", "classes"),
                        count(validation.size(), "validation image", "validation images"),
                        count(steps, "step", "steps")));
        List<String> notes = new ArrayList<>(training.notes());
        notes.addAll(validation.notes());
        notes.stream().distinct().forEach(lines::add);
        addOneClass(training, lines);
        List<String> missing = missing(validation);
        if (!missing.isEmpty()) {
            lines.add("no validation images for " + count(missing.size(), "class", "classes") + ": " + named(missing));
        }
        return lines;
    }

    /**
     * Describes the data of an evaluation.
     *
     * @param images the images
     * @return a line such as {@code 40 images of 2 classes}, or {@code 40 images; 2 of the 10 classes have images}, and
     *     one for each guess or likely mistake
     */
    public static List<String> of(LabeledImages images) {
        List<String> lines = new ArrayList<>();
        int classes = images.classes().size();
        int missing = missing(images).size();
        int there = classes - missing;
        lines.add(count(images.size(), "image", "images")
                + (missing == 0
                        ? " of " + count(classes, "class", "classes")
                        : String.format(
                                Locale.ROOT,
                                "; %,d of the %s %s images",
                                there,
                                count(classes, "class", "classes"),
                                there == 1 ? "has" : "have")));
        images.notes().stream().distinct().forEach(lines::add);
        addOneClass(images, lines);
        return lines;
    }

    private static void addOneClass(LabeledImages images, List<String> lines) {
        if (images.classes().size() == 1) {
            lines.add("there is only one class, '" + images.classes().get(0)
                    + "'; check that the path is the folder that contains the class folders");
        }
    }

    /** The names of the classes without images. */
    private static List<String> missing(LabeledImages images) {
        boolean[] there = new boolean[images.classes().size()];
        for (int i = 0; i < images.size(); i++) {
            there[images.label(i)] = true;
        }
        return IntStream.range(0, there.length)
                .filter(i -> !there[i])
                .mapToObj(images.classes()::get)
                .toList();
    }

    private static String named(List<String> names) {
        String first = names.stream().limit(NAMED).map(name -> "'" + name + "'").collect(Collectors.joining(", "));
        return names.size() <= NAMED ? first : first + " and " + (names.size() - NAMED) + " more";
    }

    private static String count(long number, String one, String many) {
        return String.format(Locale.ROOT, "%,d %s", number, number == 1 ? one : many);
    }
}
