package io.github.convzoo.graph;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class LifetimesTest {

    private final Graph.Builder builder = new Graph.Builder();
    private final Value input = builder.input();

    private Value add(Op op, Value... inputs) {
        return builder.add("", op, List.of(inputs)).output();
    }

    @Test
    void values_endAtTheirLastUse_butInputsAndOutputsNever() {
        Value a = add(Op.Activation.RELU, input);
        Value b = add(Op.Activation.TANH, a);
        Value unread = add(Op.Activation.SILU, a);
        Value sum = add(new Op.Add(), b, b);
        Lifetimes lifetimes = new Lifetimes(builder.build(List.of(sum)));
        assertThat(lifetimes.endingAt(0)).isEmpty();
        assertThat(lifetimes.endingAt(1)).isEmpty();
        assertThat(lifetimes.endingAt(2)).containsExactly(a, unread);
        assertThat(lifetimes.endingAt(3)).containsExactly(b);
    }

    @Test
    void operand_mayBeOverwritten_atItsLastUseOnly() {
        Value a = add(Op.Activation.RELU, input);
        Value b = add(Op.Activation.TANH, a);
        Value sum = add(new Op.Add(), a, b);
        Lifetimes lifetimes = new Lifetimes(builder.build(List.of(add(new Op.Add(), sum, input), sum)));
        assertThat(lifetimes.mayOverwrite(1, a)).isFalse();
        assertThat(lifetimes.mayOverwrite(2, a)).isTrue();
        assertThat(lifetimes.mayOverwrite(2, b)).isTrue();
        assertThat(lifetimes.mayOverwrite(3, sum)).isFalse();
        assertThat(lifetimes.mayOverwrite(3, input)).isFalse();
    }

    @Test
    void operand_whoseMemoryIsThatOfAnother_mayNotBeOverwritten() {
        Value a = add(Op.Activation.RELU, input);
        Value view = add(Op.Reshape.FLATTEN, a);
        Value dropped = add(new Op.Dropout(), add(Op.Activation.TANH, a));
        List<Value> parts =
                builder.add("", new Op.Split(List.of(1L)), List.of(dropped)).outputs();
        Value sum = add(new Op.Add(), parts.get(0), parts.get(1));
        Value last = add(Op.Activation.SILU, view);
        Lifetimes lifetimes = new Lifetimes(builder.build(List.of(sum, last)));
        assertThat(lifetimes.mayOverwrite(2, a)).isFalse();
        assertThat(lifetimes.mayOverwrite(4, dropped)).isFalse();
        assertThat(lifetimes.mayOverwrite(5, parts.get(0))).isFalse();
        assertThat(lifetimes.mayOverwrite(6, view)).isFalse();
    }
}
