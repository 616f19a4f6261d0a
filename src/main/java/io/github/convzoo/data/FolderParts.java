package io.github.convzoo.data;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The parts of a data set in a folder, each with one folder per class.
 *
 * <p>A part is recognized by its name, in any case, optionally followed by {@code set}, {@code data}, {@code images} or
 * {@code split}, and by a year: train or training; val, valid, validation, dev or eval; test or testing. The validation
 * part is of the second kind, or of the third if none exists.
 *
 * @param training the folder of training images
 * @param validation the folder of validation images
 * @param unused the other folders, such as a test set next to a validation set
 */
public record FolderParts(Path training, Path validation, List<Path> unused) {

    /** Copies the list. */
    public FolderParts {
        unused = List.copyOf(unused);
    }

    /**
     * Finds the parts in a folder, by the names of its folders.
     *
     * @param folder the folder
     * @return the parts, empty if the folders are classes
     * @throws IOException if the folder cannot be listed, or has parts in an unknown arrangement; the message says what
     *     was found
     */
    public static Optional<FolderParts> of(Path folder) throws IOException {
        List<Path> folders = folders(folder);
        List<Path> training = withRole(folders, Role.TRAINING);
        List<Path> validation = withRole(folders, Role.VALIDATION);
        List<Path> test = withRole(folders, Role.TEST);
        List<Path> parts =
                Stream.of(training, validation, test).flatMap(List::stream).toList();
        boolean onlyParts = parts.size() == folders.size();
        boolean pair = !training.isEmpty() && !(validation.isEmpty() && test.isEmpty());
        boolean nested = false;
        for (Path part : parts) {
            nested |= !folders(part).isEmpty();
        }
        // A class may also have such a name, as a railway has trains.
        if (parts.isEmpty() || (!pair && !(onlyParts && nested))) {
            refuseParts(folder, folders);
            return Optional.empty();
        }
        if (!pair) {
            throw new IOException("%s: has %s, but %s; pass %s itself to split it, or add the other part"
                    .formatted(
                            folder,
                            named(parts),
                            training.isEmpty()
                                    ? "no training folder (train, training)"
                                    : "no validation folder (val, valid, validation, dev, test)",
                            parts.get(0)));
        }
        List<Path> measured = validation.isEmpty() ? test : validation;
        if (training.size() > 1 || measured.size() > 1) {
            throw new IOException("%s: has %s, which is ambiguous; keep one of %s"
                    .formatted(folder, named(parts), named(training.size() > 1 ? training : measured)));
        }
        for (Path part : List.of(training.get(0), measured.get(0))) {
            if (folders(part).isEmpty()) {
                throw new IOException("%s: has %s, but %s has no subfolders; each part needs one folder per class"
                        .formatted(folder, named(parts), PathNames.of(part)));
            }
        }
        List<Path> unused = new ArrayList<>(folders);
        unused.remove(training.get(0));
        unused.remove(measured.get(0));
        return Optional.of(new FolderParts(training.get(0), measured.get(0), unused));
    }

    /**
     * Refuses a folder that has parts instead of classes.
     *
     * @throws IOException as in {@link #of}, or if it has parts; the message names the one to pass
     */
    static void requireClasses(Path folder) throws IOException {
        Optional<FolderParts> parts = of(folder);
        if (parts.isPresent()) {
            Path training = parts.get().training();
            Path validation = parts.get().validation();
            throw new IOException("%s: has %s, which are not classes; pass %s, or %s to train"
                    .formatted(folder, named(List.of(training, validation)), validation, training));
        }
    }

    /** Refuses classes that each contain parts. */
    private static void refuseParts(Path folder, List<Path> classes) throws IOException {
        for (Path each : classes) {
            List<Path> inside = folders(each);
            List<Path> training = withRole(inside, Role.TRAINING);
            List<Path> others = inside.stream()
                    .filter(part -> Role.of(part).isPresent() && !training.contains(part))
                    .toList();
            if (!training.isEmpty() && !others.isEmpty()) {
                String part = PathNames.of(training.get(0));
                String name = PathNames.of(each);
                throw new IOException(
                        classes.size() == 1
                                ? "%s: has only %s, which has %s; pass %s".formatted(folder, name, named(inside), each)
                                : "%s: %s has %s; arrange the folders as %s/%s, not as %s/%s"
                                        .formatted(folder, name, named(inside), part, name, name, part));
            }
        }
    }

    private static List<Path> withRole(List<Path> folders, Role role) {
        return folders.stream()
                .filter(each -> Role.of(each).filter(role::equals).isPresent())
                .toList();
    }

    private static String named(List<Path> folders) {
        List<String> names = folders.stream().map(PathNames::of).toList();
        int last = names.size() - 1;
        return last == 0
                ? names.get(0)
                : names.stream().limit(last).collect(Collectors.joining(", ")) + " and " + names.get(last);
    }

    /** The folders in a folder, sorted by name, including links; names that start with a dot are hidden. */
    private static List<Path> folders(Path folder) throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.filter(each -> !each.getFileName().toString().startsWith(".") && Files.isDirectory(each))
                    .sorted(Comparator.comparing(Path::toString))
                    .toList();
        } catch (IOException | UncheckedIOException e) {
            throw ImageFolder.unlisted(folder, e);
        }
    }

    /** The purpose of a part of a data set. */
    private enum Role {
        TRAINING,
        VALIDATION,
        TEST;

        private static final Map<String, Role> BY_NAME = Map.ofEntries(
                Map.entry("train", TRAINING),
                Map.entry("training", TRAINING),
                Map.entry("val", VALIDATION),
                Map.entry("valid", VALIDATION),
                Map.entry("validation", VALIDATION),
                Map.entry("validate", VALIDATION),
                Map.entry("dev", VALIDATION),
                Map.entry("eval", VALIDATION),
                Map.entry("evaluation", VALIDATION),
                Map.entry("test", TEST),
                Map.entry("testing", TEST));

        static Optional<Role> of(Path folder) {
            String name = folder.getFileName()
                    .toString()
                    .toLowerCase(Locale.ROOT)
                    .replaceAll("[\\s_.-]", "")
                    .replaceFirst("(?<=.)(19|20)\\d\\d$", "")
                    .replaceFirst("(?<=.)(sets?|data|dataset|images?|imgs?|split)$", "");
            return Optional.ofNullable(BY_NAME.get(name));
        }
    }
}
