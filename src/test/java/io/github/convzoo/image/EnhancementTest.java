package io.github.convzoo.image;

import static io.github.convzoo.image.Fixtures.bytes;
import static io.github.convzoo.image.Fixtures.image;
import static io.github.convzoo.image.Fixtures.noise;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class EnhancementTest {

    private static final int STEP = 5;

    static Stream<String> references() {
        return new String(bytes("image/enhancement.txt"), StandardCharsets.US_ASCII).lines();
    }

    private static RgbImage enhanced(RgbImage image, String operation, double factor) {
        return switch (operation) {
            case "brightness" -> Enhancement.brightness(image, factor);
            case "contrast" -> Enhancement.contrast(image, factor);
            case "saturation" -> Enhancement.saturation(image, factor);
            case "hue" -> Enhancement.hue(image, factor);
            default -> throw new AssertionError(operation);
        };
    }

    /** 52 levels of each channel, blue changing fastest. */
    private static RgbImage colors() {
        int levels = 256 / STEP + 1;
        byte[] samples = new byte[3 * levels * levels * levels];
        int i = 0;
        for (int red = 0; red < 256; red += STEP) {
            for (int green = 0; green < 256; green += STEP) {
                for (int blue = 0; blue < 256; blue += STEP) {
                    samples[i++] = (byte) red;
                    samples[i++] = (byte) green;
                    samples[i++] = (byte) blue;
                }
            }
        }
        return RgbImage.of(levels * levels, levels, samples);
    }

    @ParameterizedTest
    @MethodSource("references")
    void enhancement_ofAllColors_equalsPillow(String line) {
        List<String> parts = List.of(line.split(" ", -1));
        CRC32 crc = new CRC32();
        crc.update(enhanced(colors(), parts.get(0), Double.parseDouble(parts.get(1)))
                .toBytes());

        assertThat("%08x".formatted(crc.getValue())).isEqualTo(parts.get(2));
    }

    @Test
    void references_areAllThere() {
        assertThat(references()).hasSize(25);
    }

    @ParameterizedTest
    @CsvSource({"brightness, 1.4", "contrast, 0.6", "saturation, 1.7", "hue, 0.2"})
    void enhancement_ofPhoto_equalsPillow(String operation, double factor) {
        assertThat(enhanced(image("image/rgb.png"), operation, factor))
                .isEqualTo(image("image/enhanced_" + operation + "_" + factor + ".png"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"brightness", "contrast", "saturation"})
    void enhancement_byOne_changesNothing(String operation) {
        RgbImage image = noise(20, 10, 1);

        assertThat(enhanced(image, operation, 1)).isEqualTo(image);
    }

    @ParameterizedTest
    @ValueSource(doubles = {-0.1, Double.NaN, Double.POSITIVE_INFINITY, 1e39})
    void enhancement_byImpossibleFactor_isRefused(double factor) {
        for (String operation : List.of("brightness", "contrast", "saturation")) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> enhanced(noise(2, 2, 1), operation, factor))
                    .withMessageContaining("not " + factor);
        }
    }

    @ParameterizedTest
    @ValueSource(doubles = {-0.51, 0.51, Double.NaN})
    void hue_byMoreThanHalfTheCircle_isRefused(double shift) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Enhancement.hue(noise(2, 2, 1), shift))
                .withMessageContaining("not " + shift);
    }
}
