package io.github.convzoo.quantize;

import io.github.convzoo.export.ExportOptions;
import java.util.List;

/**
 * How to quantize a network.
 *
 * @param format the file to write; its runtime computes with integers
 * @param calibration how ranges follow from the images
 * @param floats layers that keep computing with floats: names such as {@code fc}, which also stand for everything below them, with *
 *     for any characters
 * @param weightBits 8, or 7 for processors without VNNI, which add pairs of products in 16 bits
 */
public record QuantizeOptions(
        ExportOptions.Format format, Calibration calibration, List<String> floats, int weightBits) {

    /**
     * Copies the list.
     *
     * @param format the file to write
     * @param calibration how ranges follow from the images
     * @param floats layers that keep computing with floats
     * @param weightBits 8 or 7
     * @throws IllegalArgumentException if the number of bits is another one
     */
    public QuantizeOptions {
        floats = List.copyOf(floats);
        if (weightBits != 7 && weightBits != 8) {
            throw new IllegalArgumentException("weights have 7 or 8 bits, not " + weightBits);
        }
    }

    /**
     * ONNX for processors with VNNI, everything quantized.
     *
     * @return the options
     */
    public static QuantizeOptions onnx() {
        return new QuantizeOptions(ExportOptions.Format.ONNX, Calibration.MSE, List.of(), 8);
    }

    /**
     * TorchScript that calls oneDNN, for x86 processors with VNNI, everything quantized.
     *
     * @return the options
     */
    public static QuantizeOptions torchScript() {
        return new QuantizeOptions(ExportOptions.Format.TORCHSCRIPT, Calibration.MSE, List.of(), 8);
    }

    /**
     * With another calibration.
     *
     * @param value how ranges follow from the images
     * @return the changed options
     */
    public QuantizeOptions withCalibration(Calibration value) {
        return new QuantizeOptions(format, value, floats, weightBits);
    }

    /**
     * With some layers in floats.
     *
     * @param value their names
     * @return the changed options
     */
    public QuantizeOptions withFloats(List<String> value) {
        return new QuantizeOptions(format, calibration, value, weightBits);
    }

    /**
     * With another width of weights.
     *
     * @param value 8 or 7
     * @return the changed options
     */
    public QuantizeOptions withWeightBits(int value) {
        return new QuantizeOptions(format, calibration, floats, value);
    }
}
