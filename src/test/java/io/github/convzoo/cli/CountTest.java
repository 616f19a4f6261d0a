package io.github.convzoo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class CountTest {

    @Test
    void of_zeroOneAndMany_useTheRightForm() {
        assertThat(Count.of(0, "image")).isEqualTo("0 images");
        assertThat(Count.of(1, "image")).isEqualTo("1 image");
        assertThat(Count.of(1_200, "class", "classes")).isEqualTo("1,200 classes");
    }
}
