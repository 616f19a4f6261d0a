package io.github.convzoo.data;

import io.github.convzoo.image.ImageNetSynsets;
import io.github.convzoo.image.Labels;
import io.github.convzoo.image.RgbImage;
import java.io.IOException;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A data set whose classes are ImageNet synsets, numbered like ImageNet's 1000 classes, so that an ImageNet network can
 * be evaluated on a subset of the classes, such as Imagenette, ImageNet-A or ImageNet-R.
 */
public final class ImageNetClasses implements LabeledImages {

    /** The number of ImageNet's classes. */
    public static final int COUNT = 1000;

    private final LabeledImages images;
    private final int[] numbers;
    private final List<String> names;

    private ImageNetClasses(LabeledImages images, int[] numbers) {
        this.images = images;
        this.numbers = numbers;
        this.names = IntStream.range(0, COUNT)
                .mapToObj(i -> ImageNetSynsets.id(i) + " " + Labels.imageNet().name(i))
                .toList();
    }

    /**
     * {@return whether all classes are named by synset identifiers, such as n01440764, so that {@link #of} can number
     * them}
     *
     * @param images a data set
     */
    public static boolean areIn(LabeledImages images) {
        return images.classes().stream().allMatch(ImageNetSynsets::isSynset);
    }

    /**
     * Numbers a data set's classes like ImageNet.
     *
     * @param images a data set whose classes are named by synset identifiers
     * @return a view with all 1000 classes, which are named by identifier and words
     * @throws IOException if a class is not one of the 1000; the message names it
     */
    public static LabeledImages of(LabeledImages images) throws IOException {
        int[] numbers = new int[images.classes().size()];
        for (int i = 0; i < numbers.length; i++) {
            String id = images.classes().get(i);
            if (ImageNetSynsets.number(id).isEmpty()) {
                throw new IOException(
                        "class '" + id + "' is not one of the network's 1000 ImageNet synsets; remove its images");
            }
            numbers[i] = ImageNetSynsets.number(id).getAsInt();
        }
        return new ImageNetClasses(images, numbers);
    }

    @Override
    public int size() {
        return images.size();
    }

    @Override
    public List<String> classes() {
        return names;
    }

    @Override
    public RgbImage image(int index) throws IOException {
        return images.image(index);
    }

    @Override
    public int label(int index) {
        return numbers[images.label(index)];
    }

    @Override
    public String name(int index) {
        return images.name(index);
    }

    @Override
    public List<String> notes() {
        return images.notes();
    }
}
