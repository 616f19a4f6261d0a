package io.github.convzoo.data;

import io.github.convzoo.image.ImageDecoder;
import io.github.convzoo.image.RgbImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Images in files of their own, read as they are stored: EXIF orientation is not applied. */
abstract class ImageFiles implements LabeledImages {

    private final ImageDecoder decoder = new ImageDecoder().withOrientation(false);
    private final List<String> classes;
    private final List<Path> files;
    private final int[] labels;

    ImageFiles(List<String> classes, List<Path> files, int[] labels) {
        this.classes = List.copyOf(classes);
        this.files = List.copyOf(files);
        this.labels = labels;
    }

    /** Classes that are told by their names have different ones. */
    static void requireDifferent(List<String> classes) {
        if (classes.isEmpty()) {
            throw new IllegalArgumentException("the name of at least one class is expected");
        }
        Set<String> seen = new HashSet<>();
        for (String name : classes) {
            if (!seen.add(name)) {
                throw new IllegalArgumentException(
                        "different names of classes are expected, but two are '" + name + "'");
            }
        }
    }

    @Override
    public final int size() {
        return files.size();
    }

    @Override
    public final List<String> classes() {
        return classes;
    }

    @Override
    public final RgbImage image(int index) throws IOException {
        return decoder.decode(files.get(index));
    }

    @Override
    public final int label(int index) {
        return labels[index];
    }

    @Override
    public final String name(int index) {
        return files.get(index).toString();
    }
}
