package io.github.convzoo.nn;

import ai.djl.ndarray.NDArray;
import io.github.convzoo.graph.Constant;
import java.nio.ByteBuffer;
import java.util.function.BinaryOperator;

/**
 * A parameter, as a traced block sees it. It combines with a recorded array on either side; alone, it computes like the
 * parameter's own array, but is not modified.
 */
final class ParameterArray extends StandInArray {

    private final NDArray live;
    private final Constant.Parameter constant;

    ParameterArray(Trace trace, NDArray live, Constant.Parameter constant) {
        super(trace, live.getShape(), live.getDataType());
        this.live = live;
        this.constant = constant;
    }

    Constant.Parameter constant() {
        return constant;
    }

    NDArray live() {
        return live;
    }

    @Override
    public ByteBuffer toByteBuffer(boolean tryDirect) {
        return live.toByteBuffer(tryDirect);
    }

    @Override
    public NDArray add(NDArray other) {
        return other instanceof RecordedArray recorded ? recorded.add(this) : compute(other, NDArray::add);
    }

    @Override
    public NDArray mul(NDArray other) {
        return other instanceof RecordedArray recorded ? recorded.mul(this) : compute(other, NDArray::mul);
    }

    @Override
    public NDArray sub(NDArray other) {
        return other instanceof RecordedArray recorded ? recorded.neg().add(this) : compute(other, NDArray::sub);
    }

    private NDArray compute(NDArray other, BinaryOperator<NDArray> operation) {
        return operation.apply(live, other instanceof ParameterArray parameter ? parameter.live : other);
    }

    // In place

    @Override
    public NDArray addi(Number n) {
        throw changed();
    }

    @Override
    public NDArray addi(NDArray other) {
        throw changed();
    }

    @Override
    public NDArray subi(Number n) {
        throw changed();
    }

    @Override
    public NDArray subi(NDArray other) {
        throw changed();
    }

    @Override
    public NDArray muli(Number n) {
        throw changed();
    }

    @Override
    public NDArray muli(NDArray other) {
        throw changed();
    }

    @Override
    public NDArray divi(Number n) {
        throw changed();
    }

    @Override
    public NDArray divi(NDArray other) {
        throw changed();
    }

    @Override
    public NDArray modi(Number n) {
        throw changed();
    }

    @Override
    public NDArray modi(NDArray other) {
        throw changed();
    }

    @Override
    public NDArray powi(Number n) {
        throw changed();
    }

    @Override
    public NDArray powi(NDArray other) {
        throw changed();
    }

    @Override
    public NDArray signi() {
        throw changed();
    }

    @Override
    public NDArray negi() {
        throw changed();
    }

    private IllegalArgumentException changed() {
        return trace.refusal("it changes the parameter " + constant.name());
    }
}
