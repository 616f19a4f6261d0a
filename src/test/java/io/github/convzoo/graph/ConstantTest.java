package io.github.convzoo.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class ConstantTest {

    private static final Map<String, Tensor> PARAMETERS = Map.of(
            "weight", new Tensor(List.of(3L, 2L, 1L, 2L), new float[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}),
            "gamma", Tensor.vector(1, 2, 3),
            "beta", Tensor.vector(10, 20, 30),
            "mean", Tensor.vector(1, 0, -1),
            "variance", Tensor.vector(3.5f, 0, 8.5f),
            "bias", Tensor.vector(4, 5, 6));

    private static final Constant WEIGHT = new Constant.Parameter("weight");

    private static Tensor evaluate(Constant constant) {
        return constant.evaluate(name -> Objects.requireNonNull(PARAMETERS.get(name)));
    }

    private static Constant parameter(String name) {
        return new Constant.Parameter(name);
    }

    @Test
    void normScale_isGammaByTheDeviation() {
        Constant scale = new Constant.NormScale(parameter("gamma"), parameter("variance"), 0.5f);
        assertThat(evaluate(scale).values())
                .containsExactly(new float[] {0.5f, 2 / (float) Math.sqrt(0.5), 1}, within(1e-6f));
    }

    @Test
    void normShift_isTheOffsetAfterTheFactor() {
        Constant scale = new Constant.Literal(Tensor.vector(2, 3, 4));
        Constant shift = new Constant.NormShift(parameter("beta"), parameter("mean"), scale);
        assertThat(evaluate(shift).values()).containsExactly(8, 20, 34);
    }

    @Test
    void sum_addsEachElement_andLeavesTheParameter() {
        Constant sum = new Constant.Sum(parameter("beta"), parameter("mean"));
        float[] betas = evaluate(parameter("beta")).values().clone();
        float[] means = evaluate(parameter("mean")).values();
        assertThat(evaluate(sum).values())
                .containsExactly(betas[0] + means[0], betas[1] + means[1], betas[2] + means[2]);
        assertThat(evaluate(parameter("beta")).values()).containsExactly(betas);
    }

    @Test
    void scaled_multipliesEachFilterByItsNumber_andLeavesTheParameter() {
        Constant scaled = new Constant.Scaled(WEIGHT, new Constant.Literal(Tensor.vector(1, 10, 100)));
        assertThat(evaluate(scaled).values()).containsExactly(1, 2, 3, 4, 50, 60, 70, 80, 900, 1000, 1100, 1200);
        assertThat(evaluate(scaled).sizes()).containsExactly(3L, 2L, 1L, 2L);
        assertThat(evaluate(WEIGHT).values()[4]).isEqualTo(5);
    }

    @Test
    void rows_areSomeOfTheFilters() {
        Tensor rows = evaluate(new Constant.Rows(WEIGHT, 1, 3));
        assertThat(rows.values()).containsExactly(5, 6, 7, 8, 9, 10, 11, 12);
        assertThat(rows.sizes()).containsExactly(2L, 2L, 1L, 2L);
    }

    @Test
    void entry_isOneRowWithoutItsAxis() {
        Tensor entry = evaluate(new Constant.Entry(WEIGHT, 1));
        assertThat(entry.values()).containsExactly(5, 6, 7, 8);
        assertThat(entry.sizes()).containsExactly(2L, 1L, 2L);
    }

    @Test
    void stacked_areAllFiltersInOrder() {
        Tensor stacked = evaluate(new Constant.Stacked(List.of(new Constant.Rows(WEIGHT, 2, 3), WEIGHT)));
        assertThat(stacked.sizes()).containsExactly(4L, 2L, 1L, 2L);
        assertThat(stacked.values()).startsWith(9, 10, 11, 12, 1, 2).hasSize(16);
    }

    @Test
    void spread_putsZerosBeforeAndAfter() {
        Tensor spread = evaluate(new Constant.Spread(WEIGHT, List.of(0, 1, 2), 4));
        assertThat(spread.sizes()).containsExactly(3L, 4L, 1L, 2L);
        assertThat(spread.values())
                .containsExactly(
                        1, 2, 3, 4, 0, 0, 0, 0, //
                        0, 0, 5, 6, 7, 8, 0, 0, //
                        0, 0, 0, 0, 9, 10, 11, 12);
    }

    @Test
    void tensor_ofTheWrongLength_isRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Tensor(List.of(2L, 3L), new float[5]))
                .withMessage("a tensor of [2, 3] has 6 elements, not 5");
    }

    @Test
    void repeated_isAVectorOfOneNumber_andRefusesMore() {
        Constant number = new Constant.Literal(new Tensor(List.of(1L, 1L), new float[] {3}));
        Tensor repeated = new Constant.Repeated(number, 4).evaluate(name -> Tensor.vector());
        assertThat(repeated.sizes()).containsExactly(4L);
        assertThat(repeated.values()).containsExactly(3, 3, 3, 3);
        Constant two = new Constant.Repeated(new Constant.Literal(Tensor.vector(1, 2)), 4);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> two.evaluate(name -> Tensor.vector()))
                .withMessage("only one number can be repeated, not 2");
    }
}
