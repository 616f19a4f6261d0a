package io.github.convzoo.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class OpTest {

    private static final Constant NONE = new Constant.Literal(Tensor.vector(1));

    private static List<String> types(Op op, Type... inputs) {
        return op.types(Arrays.asList(inputs)).stream().map(Type::toString).toList();
    }

    private static void assertRefused(String message, Op op, Type... inputs) {
        assertThatIllegalArgumentException().isThrownBy(() -> types(op, inputs)).withMessageContaining(message);
    }

    @Test
    void convolution_rounds_itsSidesDown() {
        Window window =
                new Window(new Window.Size(3, 5), new Window.Size(2, 3), new Window.Size(1, 0), new Window.Size(1, 2));
        Op.Convolution conv = new Op.Convolution(NONE, null, 6, window, 2);
        // (10 + 2 - 3) / 2 + 1 and (20 - 9) / 3 + 1
        assertThat(types(conv, Type.of(Type.ANY, 4, 10, 20))).containsExactly("(N, 6, 5, 4)");
        assertThat(types(conv, Type.of(2, 4, 1, 9))).containsExactly("(2, 6, 1, 1)");
        assertRefused("a map of (2, 4, 10, 8) is smaller than the window of a Conv2d", conv, Type.of(2, 4, 10, 8));
        assertRefused("2 groups and 6 filters does not fit a map of (2, 3, 9, 9)", conv, Type.of(2, 3, 9, 9));
        assertRefused("expects a value of (N, C, H, W), not (2, 3)", conv, Type.of(2, 3));
        assertThat(conv)
                .extracting(Op::details)
                .isEqualTo("[6 in 2 groups, kernel 3x5, stride 2x3, padding 1x0, dilation 1x2]");
    }

    @Test
    void fusedConvolution_hasAsManyInputsAsItReads() {
        Op.Convolution conv = new Op.Convolution(NONE, null, 4, Window.square(3, 1, 1), 1);
        Type map = Type.of(Type.ANY, 4, 6, 6);
        Op sum = new Op.FusedConvolution(conv, true, false);
        Op rectified = new Op.FusedConvolution(conv, false, true);
        assertThat(types(sum, map, map)).containsExactly("(N, 4, 6, 6)");
        assertThat(types(rectified, map)).containsExactly("(N, 4, 6, 6)");
        assertRefused("a Conv2d+Add has two inputs, not 1", sum, map);
        assertRefused("a Conv2d+Add has two inputs, not 3", sum, map, map, map);
        assertRefused("a Conv2d+ReLU has one input, not 2", rectified, map, map);
    }

    @Test
    void linear_changesTheLastAxis() {
        assertThat(types(new Op.Linear(NONE, null, 5), Type.of(Type.ANY, 9))).containsExactly("(N, 5)");
        assertRefused("expects a value of (N, features), not (9)", new Op.Linear(NONE, null, 5), Type.of(9));
    }

    @Test
    void affine_takesMapsAndVectors_ofFloats() {
        Op affine = new Op.Affine(NONE, NONE);
        assertThat(types(affine, Type.of(Type.ANY, 4, 3, 2))).containsExactly("(N, 4, 3, 2)");
        assertThat(types(affine, Type.of(Type.ANY, 4))).containsExactly("(N, 4)");
        assertRefused("a Affine expects a value of (N, C) or (N, C, H, W), not (1, 4, 3)", affine, Type.of(1, 4, 3));
        assertRefused(
                "expects a value of (N, C)", affine, new Type(Type.Element.BYTE, List.of(Type.ANY, 32L, 48L, 3L)));
    }

    @Test
    void elementwiseOperations_keepTheType_andPrintWhatTheyDo() {
        assertThat(types(new Op.LeakyRelu(0.1f), Type.of(Type.ANY, 4, 3, 2))).containsExactly("(N, 4, 3, 2)");
        assertThat(types(new Op.Clip(0, 6), Type.of(2, 4))).containsExactly("(2, 4)");
        assertThat(types(Op.Activation.GELU, Type.of(2, 4))).containsExactly("(2, 4)");
        assertRefused("a Clip has one input, not 2", new Op.Clip(0, 6), Type.of(2, 4), Type.of(2, 4));
        assertThat(List.of(new Op.LeakyRelu(0.1f), new Op.Clip(0, 6)))
                .extracting(op -> op.kind() + op.details())
                .containsExactly("LeakyReLU[0.1]", "Clip[0.0 to 6.0]");
    }

    @Test
    void clip_ofBoundsThatDoNotAscend_isRefused() {
        assertThat(new Op.Clip(1, 1).max()).isEqualTo(1);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Op.Clip(2, 1))
                .withMessage("a Clip's bounds must ascend, not 2.0 to 1.0");
        assertThatIllegalArgumentException().isThrownBy(() -> new Op.Clip(Float.NaN, 1));
    }

    @Test
    void concat_addsChannels_andRefusesOtherSizes() {
        assertThat(types(new Op.Concat(), Type.of(2, 3, 4, 5), Type.of(2, 7, 4, 5)))
                .containsExactly("(2, 10, 4, 5)");
        assertRefused("cannot be concatenated", new Op.Concat(), Type.of(2, 3, 4, 5), Type.of(2, 3, 5, 5));
        assertRefused("cannot be concatenated", new Op.Concat(), Type.of(2, 3, 4, 5), Type.of(2, 3));
    }

    @Test
    void split_givesEachRange_andRefusesEmptyOnes() {
        Op split = new Op.Split(List.of(2L, 5L));
        assertThat(types(split, Type.of(1, 6, 4, 4))).containsExactly("(1, 2, 4, 4)", "(1, 3, 4, 4)", "(1, 1, 4, 4)");
        assertRefused("a map of (1, 5, 4, 4) cannot be split at channels [2, 5]", split, Type.of(1, 5, 4, 4));
        assertRefused("cannot be split", new Op.Split(List.of(0L)), Type.of(1, 5, 4, 4));
    }

    @Test
    void pools_roundDown_andRefuseMapsThatAreTooSmall() {
        assertThat(types(new Op.MaxPool(Window.square(3, 2, 1)), Type.of(1, 2, 7, 8)))
                .containsExactly("(1, 2, 4, 4)");
        assertThat(types(new Op.AveragePool(Window.square(2, 2, 0)), Type.of(1, 2, 7, 8)))
                .containsExactly("(1, 2, 3, 4)");
        assertRefused(
                "is smaller than the window of a MaxPool2d",
                new Op.MaxPool(Window.square(3, 2, 0)),
                Type.of(1, 2, 2, 8));
        assertThat(types(Op.GlobalPool.AVERAGE, Type.of(Type.ANY, 2, 7, 8))).containsExactly("(N, 2)");
    }

    @Test
    void reshape_keepsTheBatch_andEveryElement() {
        assertThat(types(Op.Reshape.FLATTEN, Type.of(Type.ANY, 2, 3, 4))).containsExactly("(N, 24)");
        assertThat(types(Op.Reshape.TO_PIXEL, Type.of(3, 5))).containsExactly("(3, 5, 1, 1)");
        assertThat(types(new Op.Reshape(List.of(0L, 6L, -1L)), Type.of(3, 4, 3)))
                .containsExactly("(3, 6, 2)");
        assertRefused("cannot be reshaped to [0, 5, -1]", new Op.Reshape(List.of(0L, 5L, -1L)), Type.of(3, 4, 3));
        assertRefused("cannot be reshaped", new Op.Reshape(List.of(0L, 0L, 0L)), Type.of(3, 4));
        assertRefused("does not keep the batch", new Op.Reshape(List.of(3L, -1L)), Type.of(3, 4));
    }

    @Test
    void multiply_broadcastsSingleAxesOfTheSecond() {
        Type map = Type.of(Type.ANY, 4, 3, 3);
        assertThat(types(new Op.Multiply(), map, Type.of(Type.ANY, 1, 1, 1))).containsExactly("(N, 4, 3, 3)");
        assertThat(types(new Op.Multiply(), map, Type.of(Type.ANY, 4, 1, 1))).containsExactly("(N, 4, 3, 3)");
        assertRefused("cannot be multiplied", new Op.Multiply(), map, Type.of(Type.ANY, 2, 1, 1));
        assertRefused("cannot be multiplied", new Op.Multiply(), map, Type.of(1, 4, 3, 3));
    }

    @Test
    void pixels_takeBytesAsImagesHaveThem() {
        Type bytes = new Type(Type.Element.BYTE, List.of(Type.ANY, 32L, 48L, 3L));
        assertThat(bytes).hasToString("(N, 32, 48, 3) of bytes");
        assertThat(types(new Op.Pixels(), bytes)).containsExactly("(N, 3, 32, 48)");
        assertRefused("expects a value of (N, H, W, C) of bytes", new Op.Pixels(), Type.of(1, 32, 48, 3));
        assertRefused(
                "a Conv2d expects a value of (N, C, H, W)",
                new Op.Convolution(NONE, null, 6, Window.square(1, 1, 0), 1),
                bytes);
    }

    @Test
    void sizes_thatCannotBe_areRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> Type.of(1, -1)).withMessageContaining("axis 1");
        assertThatIllegalArgumentException().isThrownBy(() -> Type.of(-2, 1)).withMessageContaining("axis 0");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Window.square(0, 1, 0))
                .withMessage("a window's kernel must be at least 1, not 0");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Window.square(1, 0, 0))
                .withMessageContaining("stride");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Window.square(1, 1, -1))
                .withMessageContaining("padding");
    }
}
