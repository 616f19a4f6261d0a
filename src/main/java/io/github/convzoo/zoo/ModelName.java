package io.github.convzoo.zoo;

import io.github.convzoo.message.Spelling;
import io.github.convzoo.network.Variant;
import io.github.convzoo.weights.Manifest;
import io.github.convzoo.weights.ModelFolder;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The name of a model. */
sealed interface ModelName {

    /** The prefix of the name of a hub repository, as in timm. */
    String HUB = "hf-hub:";

    /** The optional prefix of the name of a folder, as in timm. */
    String FOLDER = "local-dir:";

    /**
     * The name of a network, or of a set of its published weights.
     *
     * @param variant the network
     * @param row the published weights: those of the tag, or the network's first; null if it has none
     */
    record Published(Variant variant, Manifest.@Nullable Row row) implements ModelName {

        @Override
        public String toString() {
            return row == null ? variant.modelName() : row.name();
        }
    }

    /** A model folder, or a weights file that contains its configuration. */
    record Local(Path path) implements ModelName {

        @Override
        public String toString() {
            return path.toString();
        }
    }

    /**
     * A repository on the Hugging Face hub.
     *
     * @param repository {@code owner/name}
     * @param revision a branch, tag, or commit
     */
    record Hub(String repository, String revision) implements ModelName {

        private static final Pattern PATTERN = Pattern.compile("([^/@]+/[^/@]+)(?:@(.+))?");

        static Hub of(String text) {
            Matcher matcher = PATTERN.matcher(text.substring(HUB.length()));
            if (!matcher.matches()) {
                throw new IllegalArgumentException(
                        text + " is not a repository name; write hf-hub:owner/name or hf-hub:owner/name@revision");
            }
            return new Hub(matcher.group(1), matcher.group(2) == null ? "main" : matcher.group(2));
        }

        @Override
        public String toString() {
            return HUB + repository + (revision.equals("main") ? "" : "@" + revision);
        }
    }

    /**
     * Parses a name. A network's name takes precedence over a folder of the same name.
     *
     * @param text {@code model}, {@code model.tag}, a folder or file, or {@code hf-hub:owner/name[@revision]}
     * @throws IllegalArgumentException if there is no such model
     */
    static ModelName of(String text) {
        return of(text, Path.of(""));
    }

    /**
     * Parses a name.
     *
     * @param here the folder whose model folders a misspelled name may mean
     */
    static ModelName of(String text, Path here) {
        if (text.startsWith(HUB)) {
            return Hub.of(text);
        }
        if (text.startsWith(FOLDER)) {
            return new Local(path(text.substring(FOLDER.length())));
        }
        try {
            return published(text);
        } catch (IllegalArgumentException e) {
            if (text.startsWith("file:")
                    || text.startsWith("jar:")
                    || text.contains("/")
                    || text.contains("\\")
                    || exists(text)) {
                return new Local(path(text));
            }
            String question = Spelling.question(text, folders(here));
            if (!question.isEmpty()) {
                throw new IllegalArgumentException("no network and no folder is named " + text + question, e);
            }
            throw e;
        }
    }

    /**
     * Parses the name of a network or of a set of published weights.
     *
     * @param name {@code model} or {@code model.tag}
     * @throws IllegalArgumentException if there is no such network, or it has no such weights
     */
    static Published published(String name) {
        int dot = name.indexOf('.');
        if (dot < 0) {
            return new Published(Variant.of(name), Manifest.first(name).orElse(null));
        }
        Variant variant = Variant.of(name.substring(0, dot));
        for (Manifest.Row row : rows(variant)) {
            if (row.name().equals(name)) {
                return new Published(variant, row);
            }
        }
        List<String> names = rows(variant).stream().map(Manifest.Row::name).toList();
        throw new IllegalArgumentException("there are no published weights " + name
                + (names.isEmpty() ? "; " + variant.modelName() + " has none" : Spelling.advice(name, names)));
    }

    /** The published weights of a network; the network's name alone means the first. */
    static List<Manifest.Row> rows(Variant variant) {
        return Manifest.rows().stream()
                .filter(row -> row.model().equals(variant.modelName()))
                .toList();
    }

    /** A path as text, or as a URL with the scheme {@code file}. */
    static Path path(String text) {
        try {
            return PathText.path(text);
        } catch (InvalidPathException e) {
            throw new IllegalArgumentException(text + " is not a path (" + e.getReason() + ")", e);
        }
    }

    /** The model folders in a folder, for suggestions. */
    private static List<String> folders(Path here) {
        List<String> names = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(here)) {
            for (Path each : files) {
                if (Files.exists(each.resolve(ModelFolder.CONFIG))) {
                    names.add(String.valueOf(each.getFileName()));
                }
            }
        } catch (IOException | DirectoryIteratorException e) {
            return List.of();
        }
        names.sort(null);
        return names;
    }

    private static boolean exists(String text) {
        try {
            return Files.exists(Path.of(text));
        } catch (InvalidPathException e) {
            return false;
        }
    }
}
