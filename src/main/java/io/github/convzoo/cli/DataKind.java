package io.github.convzoo.cli;

import io.github.convzoo.data.Cifar;
import io.github.convzoo.data.FashionMnist;
import io.github.convzoo.data.LabeledImages;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** The kinds of data sets, by their names on the command line. */
enum DataKind {
    IMAGE_FOLDER,
    IMAGE_LIST,
    FASHION_MNIST,
    CIFAR10,
    CIFAR100;

    /** The side of images of Fashion-MNIST (padded) and CIFAR. */
    static final int SMALL_SIDE = 32;

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** Whether all images are small and have the same size. */
    boolean isSmall() {
        return this == FASHION_MNIST || this == CIFAR10 || this == CIFAR100;
    }

    /**
     * The test set, for kinds that have one.
     *
     * @param path the data set's folder
     * @throws IllegalArgumentException if the kind has no test set
     */
    LabeledImages test(Path path) throws IOException {
        return switch (this) {
            case IMAGE_FOLDER, IMAGE_LIST -> throw noTestSet();
            case FASHION_MNIST -> FashionMnist.test(path, FashionMnist.SIDE);
            case CIFAR10 -> Cifar.test10(path);
            case CIFAR100 -> Cifar.test100(path);
        };
    }

    /**
     * The training set that belongs to the test set.
     *
     * @param path the data set's folder
     * @throws IllegalArgumentException if the kind has no test set
     */
    LabeledImages training(Path path) throws IOException {
        return switch (this) {
            case FASHION_MNIST -> FashionMnist.training(path, FashionMnist.SIDE);
            case CIFAR10 -> Cifar.training10(path);
            case CIFAR100 -> Cifar.training100(path);
            case IMAGE_FOLDER, IMAGE_LIST -> throw noTestSet();
        };
    }

    private IllegalArgumentException noTestSet() {
        return new IllegalArgumentException(this + " has no test set of its own");
    }

    /** The folder that a list's paths are relative to: the list's own. */
    static Path besides(Path list) {
        Path parent = list.toAbsolutePath().getParent();
        return parent == null ? Path.of("") : parent;
    }

    /** Accepts the kinds by their command-line names only. */
    static final class Converter implements ITypeConverter<DataKind> {

        @Override
        public DataKind convert(String value) {
            for (DataKind each : DataKind.values()) {
                if (each.toString().equals(value)) {
                    return each;
                }
            }
            throw new TypeConversionException(
                    "expected image-folder, image-list, fashion-mnist, cifar10 or cifar100, not '" + value + "'");
        }
    }
}
