package io.github.convzoo.quantize;

import io.github.convzoo.export.ExportReport;
import java.util.List;

/**
 * The report of a quantization.
 *
 * @param written the file, and the differences between its results and the float simulation
 * @param images the number of images that determined the ranges
 * @param layers the number of convolutions and linear layers in int8
 * @param floats the names of the layers in float
 * @param notes doubts about the images
 */
public record QuantizationReport(
        ExportReport written, int images, int layers, List<String> floats, List<String> notes) {

    /** Copies the lists. */
    public QuantizationReport {
        floats = List.copyOf(floats);
        notes = List.copyOf(notes);
    }
}
