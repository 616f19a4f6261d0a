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
 * The parts of a data set in a folder: each a folder for each class.
 *
 * <p>A part is told by its name, in any case, with or without {@code set}, {@code data}, {@code images} or {@code split} at its
 * end, and with a year there: train or training; val, valid, validation, dev or eval; test or testing. The part to validate with
 * is the second kind, or the third if there is none of the second.
 *
 * @param training what to learn from
 * @param validation what to validate with
 * @param unused the other folders, such as a test set next to a validation set
 */
public record FolderParts(Path training, Path validation, List<Path> unused) {

    /**
     * Copies the list.
     *
     * @param training what to learn from
     * @param validation what to validate with
     * @param unused the other folders
     */
    public FolderParts {
        unused = List.copyOf(unused);
    }

    /**
     * Looks at the names of the folders in a folder.
     *
     * @param folder the folder
     * @return the parts, empty if the folders are classes
     * @throws IOException if it cannot be listed, or holds parts in an arrangement that is not known; the message says what was
     *     found
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
        // A class may have such a name too, as a railway has.
        if (parts.isEmpty() || (!pair && !(onlyParts && nested))) {
            refuseParts(folder, folders);
            return Optional.empty();
        }
        if (!pair) {
            throw new IOException("%s: holds %s, but %s; give %s itself to split it, or add the other part"
                    .formatted(
                            folder,
                            named(parts),
                            training.isEmpty()
                                    ? "no folder to learn from (train, training)"
                                    : "no folder to validate with (val, valid, validation, dev, test)",
                            parts.get(0)));
        }
        List<Path> measured = validation.isEmpty() ? test : validation;
        if (training.size() > 1 || measured.size() > 1) {
            throw new IOException("%s: holds %s, and which to take is not clear; keep one of %s"
                    .formatted(folder, named(parts), named(training.size() > 1 ? training : measured)));
        }
        for (Path part : List.of(training.get(0), measured.get(0))) {
            if (folders(part).isEmpty()) {
                throw new IOException(
                        "%s: holds %s, but %s has no folders in it; each part needs a folder for each class"
                                .formatted(folder, named(parts), PathNames.of(part)));
            }
        }
        List<Path> unused = new ArrayList<>(folders);
        unused.remove(training.get(0));
        unused.remove(measured.get(0));
        return Optional.of(new FolderParts(training.get(0), measured.get(0), unused));
    }

    /**
     * Refuses a folder that holds parts instead of classes.
     *
     * @throws IOException as {@link #of}, or if it holds parts; the message names the one to give
     */
    static void requireClasses(Path folder) throws IOException {
        Optional<FolderParts> parts = of(folder);
        if (parts.isPresent()) {
            Path training = parts.get().training();
            Path validation = parts.get().validation();
            throw new IOException("%s: holds %s, which are not classes; give %s, or %s to learn from"
                    .formatted(folder, named(List.of(training, validation)), validation, training));
        }
    }

    /** Refuses classes that each have parts in them. */
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
                                ? "%s: holds only %s, which holds %s; give %s"
                                        .formatted(folder, name, named(inside), each)
                                : "%s: %s holds %s; arrange the folders as %s/%s, not as %s/%s"
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

    /** The folders in a folder, in the order of their names, also behind links; those that a dot begins are the system's. */
    private static List<Path> folders(Path folder) throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.filter(each -> !each.getFileName().toString().startsWith(".") && Files.isDirectory(each))
                    .sorted(Comparator.comparing(Path::toString))
                    .toList();
        } catch (IOException | UncheckedIOException e) {
            Throwable cause = e instanceof UncheckedIOException unchecked ? unchecked.getCause() : e;
            throw new IOException(folder + ": cannot be listed (" + cause + "); check permissions and links", cause);
        }
    }

    /** What a part of a data set is for. */
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
