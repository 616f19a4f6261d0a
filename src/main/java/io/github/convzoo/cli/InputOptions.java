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

/** Options that override how the model's configuration turns an image into input. */
final class InputOptions {

    @Option(
            names = "--input-size",
            paramLabel = "S|HxW",
            description = "The input size in pixels: the side of a square, or height x width. Default: the model's.")
    @Nullable String inputSize;

    @Option(
            names = "--resize",
            paramLabel = "S",
            description = "Resize images to this side, in pixels, before the center crop. Default: from the model's"
                    + " crop fraction.")
    @Nullable Integer resize;

    @Option(
            names = "--crop-mode",
            paramLabel = "center|squash|border",
            description = "How to resize: the shorter side (center), both sides, ignoring the aspect ratio (squash), or"
                    + " the longer"
                    + " side, filling the rest (border). Default: the model's.")
    @Nullable CropMode cropMode;

    @Option(
            names = "--interpolation",
            paramLabel = "nearest|bilinear|bicubic",
            description = "The resize filter. Default: the model's.")
    @Nullable Resampling interpolation;

    @Option(
            names = "--mean",
            paramLabel = "R,G,B",
            split = ",",
            description =
                    "Subtracted from samples between 0 and 1; one number, or one per channel. Default: the model's.")
    List<Double> mean = new ArrayList<>();

    @Option(
            names = "--std",
            paramLabel = "R,G,B",
            split = ",",
            description = "Divides samples after the mean is subtracted; one number, or one per channel. Default: the"
                    + " model's.")
    List<Double> std = new ArrayList<>();

    @Option(
            names = "--no-resize",
            description = "Crop or pad (with black) the image to the input size without resizing it.")
    boolean noResize;

    @Option(
            names = "--ignore-orientation",
            description = "Keep images as stored, like torchvision, instead of rotating them upright by their EXIF"
                    + " orientation.")
    boolean ignoreOrientation;

    /** The configuration with the overrides applied. */
    ModelConfig apply(ModelConfig config) {
        if (noResize && (resize != null || cropMode != null)) {
            throw new IllegalArgumentException("--no-resize cannot be combined with --resize or --crop-mode; omit one");
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
