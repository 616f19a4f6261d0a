package io.github.convzoo.data;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** What was found in a data set, in lines for whoever reads along. */
public final class DataSummary {

    private static final int NAMED = 5;

    private DataSummary() {}

    /**
     * Describes what a network learns from.
     *
     * @param split what it learns from and is validated with
     * @param steps how many steps an epoch has
     * @return a line such as {@code 36 images of 2 classes to learn from, 4 to validate with, 4 steps per epoch}, and one for each
     *     thing that was guessed or looks like a mistake
     */
    public static List<String> of(Split split, long steps) {
        LabeledImages training = split.training();
        LabeledImages validation = split.validation();
        List<String> lines = new ArrayList<>();
        lines.add("%s of %s to learn from, %s to validate with, %s per epoch"
                .formatted(
                        count(training.size(), "image", "images"),
                        count(training.classes().size(), "class", "classes"),
                        String.format(Locale.ROOT, "%,d", validation.size()),
                        count(steps, "step", "steps")));
        List<String> notes = new ArrayList<>(training.notes());
        notes.addAll(validation.notes());
        notes.stream().distinct().forEach(lines::add);
        addOneClass(training, lines);
        List<String> missing = missing(validation);
        if (!missing.isEmpty()) {
            lines.add("no image to validate with of " + count(missing.size(), "class", "classes") + ": "
                    + named(missing));
        }
        return lines;
    }

    /**
     * Describes what a network is evaluated on.
     *
     * @param images the images
     * @return a line such as {@code 40 images of 2 classes}, or {@code of 2 of 10 classes} where the others have none, and one for
     *     each thing that was guessed or looks like a mistake
     */
    public static List<String> of(LabeledImages images) {
        List<String> lines = new ArrayList<>();
        int classes = images.classes().size();
        int missing = missing(images).size();
        lines.add("%s of %s%s"
                .formatted(
                        count(images.size(), "image", "images"),
                        missing == 0 ? "" : String.format(Locale.ROOT, "%,d of ", classes - missing),
                        count(classes, "class", "classes")));
        images.notes().stream().distinct().forEach(lines::add);
        addOneClass(images, lines);
        return lines;
    }

    private static void addOneClass(LabeledImages images, List<String> lines) {
        if (images.classes().size() == 1) {
            lines.add("there is only one class, '" + images.classes().get(0)
                    + "'; is this the folder above the classes'?");
        }
    }

    /** The names of the classes that have no image. */
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
