package io.github.convzoo.image;

import static io.github.convzoo.image.Fixtures.image;
import static io.github.convzoo.image.Fixtures.maxDifference;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whole photos against what Pillow made of them. */
class PhotosTest {

    private static final Pattern REFERENCE = Pattern.compile("(\\w+)_(bilinear|bicubic)_(\\d+)_(of_)?([\\d.]+)\\.png");

    static Stream<String> references() {
        return Fixtures.names("photos").filter(name -> REFERENCE.matcher(name).matches());
    }

    /** The JPEG too is exact: the decoder gives libjpeg-turbo's samples, see docs/reference/images.md. */
    @ParameterizedTest
    @MethodSource("references")
    void preprocessing_ofPhoto_equalsPillow(String name) {
        Matcher matcher = REFERENCE.matcher(name);
        assertThat(matcher.matches()).isTrue();
        String photo = matcher.group(1);
        Resampling resampling = Resampling.valueOf(matcher.group(2).toUpperCase(Locale.ROOT));
        int size = Integer.parseInt(matcher.group(3));
        Preprocessing preprocessing = matcher.group(4) != null
                ? Preprocessing.ofCropFraction(size, 1, resampling, Normalization.IMAGENET)
                        .withResizedSide(Integer.parseInt(matcher.group(5)))
                : Preprocessing.ofCropFraction(
                        size, Double.parseDouble(matcher.group(5)), resampling, Normalization.IMAGENET);

        RgbImage seen =
                preprocessing.resizeAndCrop(image("photos/" + photo + (photo.equals("rocket") ? ".jpg" : ".png")));

        assertThat(maxDifference(seen, image("photos/" + name))).isZero();
    }

    @Test
    void references_areAllThere() {
        assertThat(references()).hasSize(14);
    }
}
