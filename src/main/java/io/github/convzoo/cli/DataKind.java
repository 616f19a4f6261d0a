package io.github.convzoo.cli;

import io.github.convzoo.data.Cifar;
import io.github.convzoo.data.FashionMnist;
import io.github.convzoo.data.LabeledImages;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** The kinds of data sets by the names that the command line has for them. */
enum DataKind {
    IMAGE_FOLDER,
    IMAGE_LIST,
    FASHION_MNIST,
    CIFAR10,
    CIFAR100;

    /** The side of the images of Fashion-MNIST, padded, and of CIFAR. */
    static final int SMALL_SIDE = 32;

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** Whether all images are small and of one size. */
    boolean isSmall() {
        return this == FASHION_MNIST || this == CIFAR10 || this == CIFAR100;
    }

    /**
     * The test set of a kind that has its own.
     *
     * @param path the data set's folder
     * @throws IllegalArgumentException if the kind has none
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
     * What comes with a test set to learn from.
     *
     * @param path the data set's folder
     * @throws IllegalArgumentException if the kind has no test set of its own
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

    /** The folder that a list's paths are relative to: its own. */
    static Path besides(Path list) {
        Path parent = list.toAbsolutePath().getParent();
        return parent == null ? Path.of("") : parent;
    }

    /** Knows the kinds by the command line's names alone. */
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
