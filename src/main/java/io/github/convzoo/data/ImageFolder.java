package io.github.convzoo.data;

import io.github.convzoo.image.ImageDecoder;
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
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A folder that holds a folder of images for each class, as torchvision's ImageFolder reads it: classes are numbered in the
 * order of their names, and images are looked for at any depth, also behind links. A file is an image by its suffix. Among the
 * suffixes are some of formats that are not decoded, such as heic, so that nobody loses images without noticing; such an image is
 * one that cannot be read. Names that begin with a dot are the system's, and left out.
 *
 * <p>Where all names are whole numbers, classes are numbered by their values, as timm does: 2 before 10. A name is what its bytes
 * are in UTF-8, whatever the JVM's locale; bytes that are not UTF-8 are read as Latin-1, which {@link #notes} says.
 *
 * <p>Images are turned upright as their EXIF data say. Give a decoder {@code withOrientation(false)} to leave them as they are
 * stored, as torchvision does.
 */
public final class ImageFolder extends ImageFiles {

    private static final Set<String> DECODED =
            Set.of("jpg", "jpeg", "jpe", "jfif", "png", "bmp", "gif", "webp", "tif", "tiff");

    /** Others that torchvision takes, and what phones write. */
    private static final Set<String> NOT_DECODED = Set.of("ppm", "pgm", "pbm", "heic", "heif", "avif");

    private ImageFolder(
            ImageDecoder decoder, List<String> classes, List<Path> files, int[] labels, List<String> notes) {
        super(decoder, classes, files, labels, notes);
    }

    /** A folder of images of one class. */
    private record ClassFolder(Path path, String name) {}

    /**
     * Lists a folder's images, to be turned upright; none is read yet.
     *
     * @param folder holds a folder for each class
     * @return the images, class by class
     * @throws IOException if the folder cannot be listed, has no folders in it, holds the parts of a data set instead of classes,
     *     or a class without images, or one whose name label files cannot keep
     */
    public static ImageFolder of(Path folder) throws IOException {
        return of(folder, new ImageDecoder());
    }

    /**
     * Lists a folder's images; none is read yet.
     *
     * @param folder holds a folder for each class
     * @param decoder reads the images
     * @return the images, class by class
     * @throws IOException as {@link #of(Path)}
     */
    public static ImageFolder of(Path folder, ImageDecoder decoder) throws IOException {
        return of(folder, decoder, List.of());
    }

    /** With notes besides its own. */
    static ImageFolder of(Path folder, ImageDecoder decoder, List<String> notes) throws IOException {
        List<ClassFolder> folders = foldersIn(folder);
        return of(
                folder,
                folders,
                IntStream.range(0, folders.size()).boxed().toList(),
                folders.stream().map(ClassFolder::name).toList(),
                decoder,
                notes);
    }

    /**
     * Lists the images of a folder whose classes are known, as to evaluate a network on; they are to be turned upright. Some
     * classes may have no folder.
     *
     * @param folder holds a folder for each class that there are images of: named as the class or, of ImageNet's classes and those
     *     whose names begin with a synset's identifier, as that
     * @param classes the classes' names in the order of their numbers, at least one; a folder whose name several of them have is
     *     refused
     * @return the images, class by class in the order of the folders' names
     * @throws IOException as {@link #of(Path)}, or if a folder is of no class, or of several
     */
    public static ImageFolder of(Path folder, List<String> classes) throws IOException {
        return of(folder, classes, new ImageDecoder());
    }

    /**
     * As {@link #of(Path, List)}, with a decoder.
     *
     * @param folder holds a folder for each class that there are images of
     * @param classes the classes' names in the order of their numbers
     * @param decoder reads the images
     * @return the images, class by class in the order of the folders' names
     * @throws IOException as {@link #of(Path, List)}
     */
    public static ImageFolder of(Path folder, List<String> classes, ImageDecoder decoder) throws IOException {
        // Before anything is listed: a list of no classes is a mistake in the program.
        ClassIndex index = new ClassIndex(classes);
        List<ClassFolder> folders = foldersIn(folder);
        if (areNumbers(folders, index)) {
            return of(
                    folder,
                    folders,
                    folders.stream().map(each -> Integer.valueOf(each.name())).toList(),
                    classes,
                    decoder,
                    List.of(folder + ": no folder has a class's name, so their names are taken as class numbers"));
        }
        List<Integer> numbers = new ArrayList<>();
        for (ClassFolder each : folders) {
            OptionalInt number = index.find(each.path().toString(), each.name());
            numbers.add(number.orElseThrow(() -> new IOException(each.path() + ": is none of the " + classes.size()
                    + " classes, such as '" + classes.get(0) + "'; is this the folder of another data set?")));
        }
        return of(folder, folders, numbers, classes, decoder, List.of());
    }

    /** Whether no folder has the name of a class, and every one the number of one. */
    private static boolean areNumbers(List<ClassFolder> folders, ClassIndex index) throws IOException {
        for (ClassFolder each : folders) {
            if (!each.name().matches("\\d{1,7}")
                    || Integer.parseInt(each.name()) >= index.size()
                    || index.find(each.path().toString(), each.name()).isPresent()) {
                return false;
            }
        }
        return true;
    }

    private static ImageFolder of(
            Path folder,
            List<ClassFolder> folders,
            List<Integer> numbers,
            List<String> classes,
            ImageDecoder decoder,
            List<String> more)
            throws IOException {
        List<Path> files = new ArrayList<>();
        List<Integer> labels = new ArrayList<>();
        boolean nested = true;
        for (int i = 0; i < folders.size(); i++) {
            ClassFolder each = folders.get(i);
            List<Path> images = imagesBelow(each.path());
            if (images.isEmpty()) {
                throw new IOException(each.path() + ": holds no image ("
                        + String.join(", ", DECODED.stream().sorted().toList())
                        + "); add some or remove the folder, for it counts as a class");
            }
            nested &= images.stream().noneMatch(image -> each.path().equals(image.getParent()));
            files.addAll(images);
            labels.addAll(Collections.nCopies(images.size(), numbers.get(i)));
        }
        if (nested && folders.size() == 1) {
            throw new IOException(
                    "%s: holds a single folder, %s, whose images lie in folders again; give %s if those are the classes"
                            .formatted(
                                    folder,
                                    folders.get(0).name(),
                                    folders.get(0).path()));
        }
        return new ImageFolder(
                decoder,
                classes,
                files,
                labels.stream().mapToInt(Integer::intValue).toArray(),
                notes(folder, folders, nested, more));
    }

    private static List<String> notes(Path folder, List<ClassFolder> folders, boolean nested, List<String> more) {
        List<String> notes = new ArrayList<>(more);
        if (nested) {
            notes.add(folder + ": no class has images in its own folder, only in folders below it;"
                    + " if those are the classes, give one of " + folder + "'s folders");
        }
        for (ClassFolder each : folders) {
            if (PathNames.isGuessed(each.path())) {
                notes.add("the name of a folder in " + folder + " is not UTF-8 and was read as Latin-1: '" + each.name()
                        + "'");
            }
        }
        return notes;
    }

    /** The classes' folders in the order of their numbers, at least one. */
    private static List<ClassFolder> foldersIn(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            throw new IOException(folder + ": is not a folder; give one that holds a folder of images for each class");
        }
        List<Path> listed = listed(folder);
        if (listed.isEmpty()) {
            throw new IOException(folder + ": holds no folders; there must be a folder of images for each class");
        }
        FolderParts.requireClasses(folder);
        Map<String, ClassFolder> folders = new HashMap<>();
        for (Path each : listed) {
            String name = PathNames.of(each);
            if (!name.equals(name.strip()) || name.isEmpty() || name.matches("(?s).*[\\p{Cc}\u2028\u2029].*")) {
                throw new IOException(each
                        + ": its name begins or ends with a space, or has a line break or another control character,"
                        + " which label files cannot keep; rename it");
            }
            @Nullable ClassFolder same = folders.put(name, new ClassFolder(each, name));
            if (same != null) {
                throw new IOException(
                        "%s: two folders, %s and %s, have the name '%s', one in UTF-8 and one in Latin-1; rename one"
                                .formatted(folder, same.path().toUri(), each.toUri(), name));
            }
        }
        Comparator<String> order = ClassIndex.order(List.copyOf(folders.keySet()));
        return folders.values().stream()
                .sorted(Comparator.comparing(ClassFolder::name, order))
                .toList();
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
     * The class that a folder of images stands for: its name, read as UTF-8 whatever the locale; or as Latin-1, if it is not UTF-8.
     *
     * @param folder the folder; it has a name, as a root has not
     * @return the name of the class
     */
    public static String className(Path folder) {
        return PathNames.of(folder);
    }

    /**
     * Whether a file counts as an image, by its name alone. A link to nothing does too, as one that cannot be read.
     *
     * @param file the file
     * @return whether its suffix is that of an image, of a format that is decoded or not
     */
    public static boolean isImage(Path file) {
        return isImage(file.getFileName().toString());
    }

    /** Whether a file's name ends as those of images do. */
    static boolean isImage(String name) {
        String suffix = name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
        // A dot in front would hide it.
        return name.indexOf('.') > 0 && (DECODED.contains(suffix) || NOT_DECODED.contains(suffix));
    }
}
