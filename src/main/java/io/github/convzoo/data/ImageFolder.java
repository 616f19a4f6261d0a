package io.github.convzoo.data;

import io.github.convzoo.image.ImageDecoder;
import io.github.convzoo.message.Reason;
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
 * A folder with one folder of images per class, like torchvision's ImageFolder: classes are numbered in the order of
 * their names, and images are found at any depth, also through links. A file is an image by its suffix. The suffixes
 * include some of formats that cannot be decoded, such as heic, so that no images are silently skipped; such an image
 * counts as unreadable. Names that start with a dot are hidden and ignored.
 *
 * <p>If all names are whole numbers, classes are numbered by value, as in timm: 2 before 10. A name is its bytes in
 * UTF-8, regardless of the JVM's locale; bytes that are not UTF-8 are read as Latin-1, and {@link #notes} says so.
 *
 * <p>Images are rotated upright by their EXIF orientation. Pass a decoder {@code withOrientation(false)} to keep them
 * as stored, as torchvision does.
 */
public final class ImageFolder extends ImageFiles {

    private static final Set<String> DECODED =
            Set.of("jpg", "jpeg", "jpe", "jfif", "png", "bmp", "gif", "webp", "tif", "tiff");

    /** Other suffixes that torchvision accepts, and those of phones' formats. */
    private static final Set<String> NOT_DECODED = Set.of("ppm", "pgm", "pbm", "heic", "heif", "avif");

    private ImageFolder(
            ImageDecoder decoder, List<String> classes, List<Path> files, int[] labels, List<String> notes) {
        super(decoder, classes, files, labels, notes);
    }

    /** A folder of images of one class. */
    private record ClassFolder(Path path, String name) {}

    /**
     * Lists a folder's images, which are rotated upright. None is read yet.
     *
     * @param folder a folder with one folder per class
     * @return the images, class by class
     * @throws IOException if the folder cannot be listed, has no subfolders, has the parts of a data set instead of
     *     classes, or has a class without images or with a name that label files cannot store
     */
    public static ImageFolder of(Path folder) throws IOException {
        return of(folder, new ImageDecoder());
    }

    /**
     * Lists a folder's images; none is read yet.
     *
     * @param folder a folder with one folder per class
     * @param decoder reads the images
     * @return the images, class by class
     * @throws IOException as in {@link #of(Path)}
     */
    public static ImageFolder of(Path folder, ImageDecoder decoder) throws IOException {
        return of(folder, decoder, List.of());
    }

    /** With notes in addition to its own. */
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
     * Lists the images of a folder whose classes are known, for example for evaluation; they are rotated upright.
     * Classes may lack a folder.
     *
     * @param folder a folder with one folder per class that has images: named like the class or, for ImageNet's classes
     *     and for names that start with a synset's identifier, by the identifier
     * @param classes the class names in the order of their numbers, at least one; a folder whose name belongs to
     *     several of them is refused
     * @return the images, class by class in the order of the folders' names
     * @throws IOException as in {@link #of(Path)}, or if a folder matches no class, or several
     */
    public static ImageFolder of(Path folder, List<String> classes) throws IOException {
        return of(folder, classes, new ImageDecoder());
    }

    /**
     * Lists images like {@link #of(Path, List)}, with a decoder.
     *
     * @param folder a folder with one folder per class that has images
     * @param classes the classes' names in the order of their numbers
     * @param decoder reads the images
     * @return the images, class by class in the order of the folders' names
     * @throws IOException as in {@link #of(Path, List)}
     */
    public static ImageFolder of(Path folder, List<String> classes, ImageDecoder decoder) throws IOException {
        // Before anything is listed: an empty list of classes is a bug in the caller.
        ClassIndex index = new ClassIndex(classes);
        List<ClassFolder> folders = foldersIn(folder);
        if (areNumbers(folders, index)) {
            return of(
                    folder,
                    folders,
                    folders.stream().map(each -> Integer.valueOf(each.name())).toList(),
                    classes,
                    decoder,
                    List.of(folder + ": no folder has the name of a class, so folder names are read as class numbers"));
        }
        List<Integer> numbers = new ArrayList<>();
        for (ClassFolder each : folders) {
            OptionalInt number = index.find(each.path().toString(), each.name());
            numbers.add(number.orElseThrow(() -> new IOException(each.path() + ": not one of the " + classes.size()
                    + " classes, such as '" + classes.get(0) + "'; check that the folder belongs to this data set")));
        }
        return of(folder, folders, numbers, classes, decoder, List.of());
    }

    /** Whether no folder has the name of a class, but every folder the number of one. */
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
                throw new IOException(each.path() + ": no images found ("
                        + String.join(", ", DECODED.stream().sorted().toList())
                        + "); add some, or remove the folder because it counts as a class");
            }
            nested &= images.stream().noneMatch(image -> each.path().equals(image.getParent()));
            files.addAll(images);
            labels.addAll(Collections.nCopies(images.size(), numbers.get(i)));
        }
        if (nested && folders.size() == 1) {
            throw new IOException(
                    "%s: has a single folder, %s, whose images are in subfolders; pass %s if those are the classes"
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
            notes.add(folder + ": images are only in subfolders of the class folders;"
                    + " if the subfolders are the classes, pass one of the folders in " + folder);
        }
        for (ClassFolder each : folders) {
            if (PathNames.isGuessed(each.path())) {
                notes.add("the name of a folder in " + folder + " is not UTF-8, so it was read as Latin-1: '"
                        + each.name() + "'");
            }
        }
        return notes;
    }

    /** The classes' folders in the order of their numbers, at least one. */
    private static List<ClassFolder> foldersIn(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            throw new IOException(folder + ": not a folder; pass one with one folder of images per class");
        }
        List<Path> listed = listed(folder);
        if (listed.isEmpty()) {
            throw new IOException(folder + ": no folders found; put the images of each class into a folder of its own");
        }
        FolderParts.requireClasses(folder);
        Map<String, ClassFolder> folders = new HashMap<>();
        for (Path each : listed) {
            String name = PathNames.of(each);
            if (!name.equals(name.strip()) || name.isEmpty() || name.matches("(?s).*[\\p{Cc}\u2028\u2029].*")) {
                throw new IOException(each
                        + ": its name starts or ends with a space, or has a line break or another control character,"
                        + " which label files cannot store; rename it");
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
                    throw new IOException(each + " is a broken link; fix or remove it");
                }
            }
            return folders.stream().filter(Files::isDirectory).toList();
        } catch (IOException | UncheckedIOException e) {
            throw unlisted(folder, e);
        }
    }

    /** The images of a class's folder, which itself is not hidden. */
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

    static IOException unlisted(Path folder, Exception e) {
        return new IOException(
                folder + ": cannot be listed (" + Reason.within(folder, e) + "); check permissions and links", e);
    }

    private static List<Path> sorted(Stream<Path> paths) {
        return paths.sorted(Comparator.comparing(Path::toString)).toList();
    }

    private static boolean isHidden(Path file) {
        return file.getFileName().toString().startsWith(".");
    }

    /**
     * {@return the class name of a folder of images: its name, read as UTF-8 regardless of the locale; or as Latin-1,
     * if it is not UTF-8}
     *
     * @param folder the folder; it must have a name, which a root does not
     */
    public static String className(Path folder) {
        return PathNames.of(folder);
    }

    /**
     * {@return whether a file's name has the suffix of an image, even of a format that cannot be decoded} A broken link
     * also counts, as an unreadable image.
     *
     * @param file the file
     */
    public static boolean isImage(Path file) {
        return isImage(file.getFileName().toString());
    }

    /** Whether a file's name has the suffix of an image. */
    static boolean isImage(String name) {
        String suffix = name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
        // A leading dot would hide it.
        return name.indexOf('.') > 0 && (DECODED.contains(suffix) || NOT_DECODED.contains(suffix));
    }
}
