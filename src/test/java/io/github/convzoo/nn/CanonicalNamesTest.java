package io.github.convzoo.nn;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.norm.BatchNorm;
import org.junit.jupiter.api.Test;

class CanonicalNamesTest {

    private static Block conv() {
        return Conv2d.builder().setFilters(2).setKernelShape(new Shape(1, 1)).build();
    }

    @Test
    void names_dropTheNumbersOfDjl() {
        Block block = new SequentialBlock().add(conv()).add(BatchNorm.builder().build());
        assertThat(CanonicalNames.parameters(block))
                .containsOnlyKeys(
                        "Conv2d.weight",
                        "Conv2d.bias",
                        "BatchNorm.weight",
                        "BatchNorm.bias",
                        "BatchNorm.running_mean",
                        "BatchNorm.running_var");
    }

    @Test
    void names_thatWouldBeEqual_keepTheirNumbers_inThatBlockOnly() {
        Block inner = new SequentialBlock().add(conv()).add(Activation.reluBlock());
        Block block = new SequentialBlock().add(conv()).add(inner).add(conv());
        assertThat(CanonicalNames.parameters(block))
                .containsOnlyKeys(
                        "01Conv2d.weight",
                        "01Conv2d.bias",
                        "02SequentialBlock.Conv2d.weight",
                        "02SequentialBlock.Conv2d.bias",
                        "03Conv2d.weight",
                        "03Conv2d.bias");
        assertThat(CanonicalNames.blocks(block)).containsEntry(inner, "02SequentialBlock");
    }

    @Test
    void names_ofMoreThanNineChildren_dropBothDigits() {
        Sequence block = new Sequence();
        for (int i = 0; i < 11; i++) {
            block.add("conv" + i, conv());
        }
        assertThat(CanonicalNames.parameters(block))
                .hasSize(22)
                .containsKeys("conv8.weight", "conv9.weight", "conv10.bias");
    }
}
