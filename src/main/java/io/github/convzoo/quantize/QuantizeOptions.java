package io.github.convzoo.quantize;

import io.github.convzoo.export.ExportOptions;
import java.util.List;

/**
 * How to quantize a network.
 *
 * @param format the file format; its runtime computes with integers
 * @param calibration how to determine ranges from the images
 * @param floats layers to keep in float: names such as {@code fc}, which include everything below them, with * as a
 *     wildcard
 * @param weightBits 8, or 7 for processors without VNNI, which add pairs of products in 16 bits
 * @param classMaps whether the class activation maps of all classes are also an output, so that the file alone can
 *     explain images
 */
public record QuantizeOptions(
        ExportOptions.Format format, Calibration calibration, List<String> floats, int weightBits, boolean classMaps) {

    /**
     * Copies the list.
     *
     * @throws IllegalArgumentException if the number of bits is neither 7 nor 8
     */
    public QuantizeOptions {
        floats = List.copyOf(floats);
        if (weightBits != 7 && weightBits != 8) {
            throw new IllegalArgumentException("weights must have 7 or 8 bits, not " + weightBits);
        }
    }

    /**
     * Creates options without class activation maps.
     *
     * @param format the file format
     * @param calibration how to determine ranges from the images
     * @param floats layers to keep in float
     * @param weightBits 8 or 7
     * @throws IllegalArgumentException if the number of bits is neither 7 nor 8
     */
    public QuantizeOptions(ExportOptions.Format format, Calibration calibration, List<String> floats, int weightBits) {
        this(format, calibration, floats, weightBits, false);
    }

    /** {@return options for ONNX on processors with VNNI, with everything quantized} */
    public static QuantizeOptions onnx() {
        return new QuantizeOptions(ExportOptions.Format.ONNX, Calibration.MSE, List.of(), 8);
    }

    /** {@return options for TorchScript with oneDNN on x86 processors with VNNI, with everything quantized} */
    public static QuantizeOptions torchScript() {
        return new QuantizeOptions(ExportOptions.Format.TORCHSCRIPT, Calibration.MSE, List.of(), 8);
    }

    /**
     * {@return the options with another calibration}
     *
     * @param value how to determine ranges from the images
     */
    public QuantizeOptions withCalibration(Calibration value) {
        return new QuantizeOptions(format, value, floats, weightBits, classMaps);
    }

    /**
     * {@return the options with some layers in float}
     *
     * @param value their names
     */
    public QuantizeOptions withFloats(List<String> value) {
        return new QuantizeOptions(format, calibration, value, weightBits, classMaps);
    }

    /**
     * {@return the options with another width of weights}
     *
     * @param value 8 or 7
     */
    public QuantizeOptions withWeightBits(int value) {
        return new QuantizeOptions(format, calibration, floats, value, classMaps);
    }

    /**
     * {@return the options with or without the class activation maps of all classes as the last output}
     *
     * @param value whether they are an output
     */
    public QuantizeOptions withClassMaps(boolean value) {
        return new QuantizeOptions(format, calibration, floats, weightBits, value);
    }
}
