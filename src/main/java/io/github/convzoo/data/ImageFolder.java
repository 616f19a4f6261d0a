package io.github.convzoo.data;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A folder that holds a folder of images for each class, as torchvision's ImageFolder reads it: classes are numbered in
 * the order of their names, and images are looked for at any depth, also behind links. A file is an image by its suffix.
 * Among the suffixes are some of formats that are not decoded, such as webp, for nobody should lose images unawares; such
 * an image is one that cannot be read. Names that begin with a dot are the system's, and left out.
 *
 * <p>An image is taken as it is stored: EXIF orientation is not applied, because published accuracies are measured
 * without it.
 */
public final class ImageFolder extends ImageFiles {

    private static final Set<String> DECODED = Set.of("jpg", "jpeg", "jpe", "jfif", "png", "bmp", "gif");

    /** Others that torchvision takes, and what phones write. */
    private static final Set<String> NOT_DECODED =
            Set.of("webp", "tif", "tiff", "ppm", "pgm", "pbm", "heic", "heif", "avif");

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
        List<Path> folders = foldersIn(folder);
        List<String> classes =
                folders.stream().map(each -> each.getFileName().toString()).toList();
        return of(folders, classes);
    }

    /**
     * Lists the images of a folder whose classes are known, as to evaluate a network on: some of them may have no folder.
     *
     * @param folder holds a folder for each class that there are images of
     * @param classes the classes' names in the order of their numbers; at least one, no two the same
     * @return the images, class by class in the order of the folders' names
     * @throws IOException as {@link #of(Path)}, or if a folder is of no class
     */
    public static ImageFolder of(Path folder, List<String> classes) throws IOException {
        requireDifferent(classes);
        List<Path> folders = foldersIn(folder);
        for (Path each : folders) {
            if (!classes.contains(each.getFileName().toString())) {
                throw new IOException(each + ": is none of the " + classes.size() + " classes, such as '"
                        + classes.get(0) + "'; is this the folder of another data set?");
            }
        }
        return of(folders, classes);
    }

    private static ImageFolder of(List<Path> folders, List<String> classes) throws IOException {
        List<Path> files = new ArrayList<>();
        List<Integer> labels = new ArrayList<>();
        for (Path each : folders) {
            List<Path> images = imagesBelow(each);
            if (images.isEmpty()) {
                throw new IOException(each + ": holds no image ("
                        + String.join(", ", DECODED.stream().sorted().toList())
                        + "); add some or remove the folder, for it counts as a class");
            }
            files.addAll(images);
            labels.addAll(Collections.nCopies(
                    images.size(), classes.indexOf(each.getFileName().toString())));
        }
        return new ImageFolder(
                classes, files, labels.stream().mapToInt(Integer::intValue).toArray());
    }

    /** The classes' folders, at least one. */
    private static List<Path> foldersIn(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            throw new IOException(folder + ": is no folder; give one that holds a folder of images for each class");
        }
        List<Path> folders = listed(folder);
        if (folders.isEmpty()) {
            throw new IOException(folder + ": holds no folders; there must be a folder of images for each class");
        }
        return folders;
    }

    private static List<Path> listed(Path folder) throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            List<Path> folders = sorted(
                    entries.filter(each -> !isHidden(each) && (Files.isDirectory(each) || Files.isSymbolicLink(each))));
            for (Path each : folders) {
                if (!Files.exists(each)) {
                    throw new IOException(each + " links to nothing; mend the link or remove it");
                }
            }
            return folders.stream().filter(Files::isDirectory).toList();
        } catch (IOException | UncheckedIOException e) {
            throw unlisted(folder, e);
        }
    }

    /** Of a class's folder, which is not hidden itself. */
    private static List<Path> imagesBelow(Path folder) throws IOException {
        List<Path> images = new ArrayList<>();
        try {
            Files.walkFileTree(
                    folder, Set.of(FileVisitOption.FOLLOW_LINKS), Integer.MAX_VALUE, new SimpleFileVisitor<>() {
                        @Override
                        public FileVisitResult preVisitDirectory(Path each, BasicFileAttributes attributes) {
                            return isHidden(each) ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
                        }

                        @Override
                        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                            if (isImage(file)) {
                                images.add(file);
                            }
                            return FileVisitResult.CONTINUE;
                        }

                        @Override
                        public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
                            if (isHidden(file)) {
                                return FileVisitResult.CONTINUE;
                            }
                            throw e;
                        }
                    });
        } catch (IOException e) {
            throw unlisted(folder, e);
        }
        return sorted(images.stream());
    }

    private static IOException unlisted(Path folder, Exception e) {
        Throwable cause = e instanceof UncheckedIOException unchecked ? unchecked.getCause() : e;
        return new IOException(folder + ": cannot be listed (" + cause + "); check permissions and links", cause);
    }

    private static List<Path> sorted(Stream<Path> paths) {
        return paths.sorted(Comparator.comparing(Path::toString)).toList();
    }

    private static boolean isHidden(Path file) {
        return file.getFileName().toString().startsWith(".");
    }

    /**
     * Whether a file counts as an image, by its name alone. A link to nothing does too, as one that cannot be read.
     *
     * @param file the file
     * @return whether its suffix is that of an image, of a format that is decoded or not
     */
    public static boolean isImage(Path file) {
        String name = file.getFileName().toString();
        String suffix = name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
        // A dot in front would hide it.
        return name.indexOf('.') > 0 && (DECODED.contains(suffix) || NOT_DECODED.contains(suffix));
    }
}
