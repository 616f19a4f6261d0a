package io.github.convzoo.cli;

import io.github.convzoo.image.CropMode;
import io.github.convzoo.image.Normalization;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.image.Resampling;
import io.github.convzoo.weights.ModelConfig;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How an image becomes the network's input, if not as the model's configuration says. */
final class InputOptions {

    @Option(
            names = "--input-size",
            paramLabel = "S|HxW",
            description =
                    "The network's input in pixels: the side of a square, or height x width. Default: the model's.")
    @Nullable String inputSize;

    @Option(
            names = "--resize",
            paramLabel = "S",
            description = "Resize images to this side, in pixels, before the center is cropped. Default: by the model's"
                    + " crop fraction.")
    @Nullable Integer resize;

    @Option(
            names = "--crop-mode",
            paramLabel = "center|squash|border",
            description =
                    "Resize the shorter side (center), both sides (squash: the aspect ratio is lost), or the longer"
                            + " side (border: the rest is filled). Default: the model's.")
    @Nullable CropMode cropMode;

    @Option(
            names = "--interpolation",
            paramLabel = "nearest|bilinear|bicubic",
            description = "The filter of the resize. Default: the model's.")
    @Nullable Resampling interpolation;

    @Option(
            names = "--mean",
            paramLabel = "R,G,B",
            split = ",",
            description =
                    "What is subtracted from samples of 0 to 1; one number for all channels. Default: the model's.")
    List<Double> mean = new ArrayList<>();

    @Option(
            names = "--std",
            paramLabel = "R,G,B",
            split = ",",
            description = "What samples are then divided by; one number for all channels. Default: the model's.")
    List<Double> std = new ArrayList<>();

    @Option(
            names = "--no-resize",
            description = "Crop the image, or pad it with black, to the input size instead of resizing it first.")
    boolean noResize;

    @Option(
            names = "--ignore-orientation",
            description =
                    "Take images as they are stored, as torchvision does, instead of turning them upright as their"
                            + " EXIF orientation says.")
    boolean ignoreOrientation;

    /** The configuration with what the options change. */
    ModelConfig apply(ModelConfig config) {
        if (noResize && (resize != null || cropMode != null)) {
            throw new IllegalArgumentException("--no-resize excludes --resize and --crop-mode: leave one out");
        }
        atLeastOne("--resize", resize);
        Preprocessing preprocessing = config.preprocessing();
        if (inputSize != null) {
            InputSize size = InputSize.of(inputSize);
            preprocessing = config.preprocessing(size.height(), size.width());
        }
        if (noResize) {
            preprocessing = preprocessing.withCropMode(CropMode.UNRESIZED);
        }
        if (cropMode != null) {
            preprocessing = preprocessing.withCropMode(cropMode);
        }
        if (resize != null) {
            preprocessing = preprocessing.withResizedSide(resize);
        }
        if (interpolation != null) {
            preprocessing = preprocessing.withResampling(interpolation);
        }
        preprocessing = preprocessing.withNormalization(normalization(preprocessing.normalization()));
        ModelConfig changed =
                preprocessing.equals(config.preprocessing()) ? config : config.withPreprocessing(preprocessing);
        return ignoreOrientation ? changed.withUpright(false) : changed;
    }

    private Normalization normalization(Normalization usual) {
        if (mean.isEmpty() && std.isEmpty()) {
            return usual;
        }
        try {
            return new Normalization(
                    repeated(mean, usual.mean(), usual.channels()), repeated(std, usual.std(), usual.channels()));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("--mean and --std: " + e.getMessage(), e);
        }
    }

    private static List<Double> repeated(List<Double> given, List<Double> usual, int channels) {
        if (given.isEmpty()) {
            return usual;
        }
        return given.size() == 1 ? Collections.nCopies(channels, given.get(0)) : given;
    }

    private static void atLeastOne(String option, @Nullable Integer value) {
        if (value != null && value < 1) {
            throw new IllegalArgumentException(option + " must be at least 1, not " + value);
        }
    }
}
