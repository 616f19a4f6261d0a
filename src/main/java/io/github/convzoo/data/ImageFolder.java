package io.github.convzoo.data;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A folder that holds a folder of images for each class, as torchvision's ImageFolder reads it: classes are numbered in
 * the order of their names, and images are looked for at any depth, also behind links.
 *
 * <p>An image is taken as it is stored: EXIF orientation is not applied, because published accuracies are measured
 * without it.
 */
public final class ImageFolder extends ImageFiles {

    private static final Set<String> SUFFIXES = Set.of("jpg", "jpeg", "png", "bmp", "gif");

    private ImageFolder(List<String> classes, List<Path> files, int[] labels) {
        super(classes, files, labels);
    }

    /**
     * Lists a folder's images; none is read yet.
     *
     * @param folder holds a folder for each class
     * @return the images, class by class
     * @throws IOException if the folder cannot be listed, has no folders in it, or one without images
     */
    public static ImageFolder of(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            throw new IOException(folder + ": is no folder; give one that holds a folder of images for each class");
        }
        List<String> classes = new ArrayList<>();
        List<Path> files = new ArrayList<>();
        List<Integer> labels = new ArrayList<>();
        for (Path each : foldersIn(folder)) {
            List<Path> images = imagesBelow(each);
            if (images.isEmpty()) {
                throw new IOException(each + ": holds no image ("
                        + String.join(", ", SUFFIXES.stream().sorted().toList())
                        + "); add some or remove the folder, for it counts as a class");
            }
            for (Path image : images) {
                files.add(image);
                labels.add(classes.size());
            }
            classes.add(each.getFileName().toString());
        }
        if (classes.isEmpty()) {
            throw new IOException(folder + ": holds no folders; there must be a folder of images for each class");
        }
        return new ImageFolder(
                classes, files, labels.stream().mapToInt(Integer::intValue).toArray());
    }

    private static List<Path> foldersIn(Path folder) throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return sorted(entries.filter(Files::isDirectory));
        } catch (IOException | UncheckedIOException e) {
            throw unlisted(folder, e);
        }
    }

    private static List<Path> imagesBelow(Path folder) throws IOException {
        try (Stream<Path> entries = Files.walk(folder, FileVisitOption.FOLLOW_LINKS)) {
            return sorted(entries.filter(ImageFolder::isImage));
        } catch (IOException | UncheckedIOException e) {
            throw unlisted(folder, e);
        }
    }

    private static IOException unlisted(Path folder, Exception e) {
        Throwable cause = e instanceof UncheckedIOException unchecked ? unchecked.getCause() : e;
        return new IOException(folder + ": cannot be listed (" + cause + "); check permissions and links", cause);
    }

    private static List<Path> sorted(Stream<Path> paths) {
        return paths.sorted(Comparator.comparing(Path::toString)).toList();
    }

    private static boolean isImage(Path file) {
        String name = file.getFileName().toString();
        int dot = name.lastIndexOf('.');
        return dot >= 0
                && SUFFIXES.contains(name.substring(dot + 1).toLowerCase(Locale.ROOT))
                && Files.isRegularFile(file);
    }
}
