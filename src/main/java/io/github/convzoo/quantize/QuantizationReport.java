package io.github.convzoo.quantize;

import io.github.convzoo.export.ExportReport;
import java.util.List;

/**
 * What a quantization has written.
 *
 * @param written the file, and how much its results differ from the quantized graph's in floats
 * @param images how many images the ranges are from
 * @param layers how many convolutions and linear layers compute with 8 bits
 * @param floats the names of those that compute with floats
 * @param notes what is doubtful about the images
 */
public record QuantizationReport(
        ExportReport written, int images, int layers, List<String> floats, List<String> notes) {

    /**
     * Copies the lists.
     *
     * @param written the file
     * @param images how many images the ranges are from
     * @param layers how many layers compute with 8 bits
     * @param floats the names of those that compute with floats
     * @param notes what is doubtful about the images
     */
    public QuantizationReport {
        floats = List.copyOf(floats);
        notes = List.copyOf(notes);
    }
}
