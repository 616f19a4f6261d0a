package io.github.convzoo.data;

import io.github.convzoo.image.ImageDecoder;
import io.github.convzoo.image.RgbImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** A data set with one file per image. */
abstract class ImageFiles implements LabeledImages {

    private final ImageDecoder decoder;
    private final List<String> classes;
    private final List<Path> files;
    private final int[] labels;
    private final List<String> notes;

    ImageFiles(ImageDecoder decoder, List<String> classes, List<Path> files, int[] labels, List<String> notes) {
        this.decoder = decoder;
        this.classes = List.copyOf(classes);
        this.files = List.copyOf(files);
        this.labels = labels;
        this.notes = List.copyOf(notes);
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

    @Override
    public final List<String> notes() {
        return notes;
    }
}
