package io.github.convzoo.nn;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.index.dim.NDIndexAll;
import ai.djl.ndarray.index.dim.NDIndexElement;
import ai.djl.ndarray.index.dim.NDIndexSlice;
import ai.djl.ndarray.internal.NDArrayEx;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.github.convzoo.graph.Op;
import io.github.convzoo.graph.Type;
import io.github.convzoo.graph.Value;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;

/**
 * An array that depends on the input of a traced block. Operations on it are recorded; its shape is known, its values
 * are not.
 *
 * <p>Its first axis is always the batch.
 */
final class RecordedArray extends StandInArray {

    /** Arrays that would share memory in the engine. */
    private static final class Memory {
        private int arrays;
    }

    private final Type type;
    private final Memory memory;
    private final NDArrayEx functions;
    private Value value;
    private boolean closed;

    RecordedArray(Trace trace, Type type, Value value) {
        this(trace, type, value, new Memory());
    }

    private RecordedArray(Trace trace, Type type, Value value, Memory memory) {
        super(trace, Recording.shape(type), DataType.FLOAT32);
        this.type = type;
        this.value = value;
        this.memory = memory;
        memory.arrays++;
        functions = RecordedFunctions.of(this);
    }

    Type type() {
        return type;
    }

    Value value() {
        return value;
    }

    /** Creates an array that would be a view on this one's memory in the engine. */
    RecordedArray view(Type other, Value viewed) {
        return new RecordedArray(trace, other, viewed, memory);
    }

    RecordedArray view() {
        return view(type, value);
    }

    private RecordedArray record(Op op) {
        return trace.add(op, List.of(this)).get(0);
    }

    /** Anything that cannot be recorded ends up here. */
    @Override
    public ByteBuffer toByteBuffer(boolean tryDirect) {
        throw trace.refusal(Trace.NO_VALUES);
    }

    @Override
    public NDArrayEx getNDArrayInternal() {
        return functions;
    }

    // Life

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            memory.arrays--;
        }
    }

    @Override
    public NDArray duplicate() {
        return new RecordedArray(trace, type, value);
    }

    @Override
    public NDArray stopGradient() {
        return view();
    }

    @Override
    public NDArray toDevice(Device device, boolean copy) {
        if (!device.equals(getDevice())) {
            throw trace.refusal("it moves an array to another device");
        }
        return copy ? duplicate() : this;
    }

    @Override
    public NDArray toType(DataType other, boolean copy) {
        if (other != DataType.FLOAT32) {
            throw trace.refusal("graphs compute in float32 only, not in " + other);
        }
        return copy ? duplicate() : this;
    }

    // Arithmetic

    @Override
    public NDArray add(Number n) {
        return trace.shifted(this, n.floatValue());
    }

    @Override
    public NDArray add(NDArray other) {
        return other instanceof RecordedArray recorded
                ? trace.add(new Op.Add(), List.of(this, recorded)).get(0)
                : trace.shifted(this, other, false);
    }

    @Override
    public NDArray sub(Number n) {
        return trace.shifted(this, -n.floatValue());
    }

    @Override
    public NDArray sub(NDArray other) {
        return other instanceof RecordedArray recorded ? add(recorded.neg()) : trace.shifted(this, other, true);
    }

    @Override
    public NDArray mul(Number n) {
        return record(new Op.Scale(n.floatValue()));
    }

    @Override
    public NDArray mul(NDArray other) {
        if (other instanceof RecordedArray recorded) {
            boolean larger = type.elementsPerSample() >= recorded.type.elementsPerSample();
            return trace.add(new Op.Multiply(), larger ? List.of(this, recorded) : List.of(recorded, this))
                    .get(0);
        }
        return trace.scaled(this, other, false);
    }

    @Override
    public NDArray div(Number n) {
        return record(new Op.Scale(1 / n.floatValue()));
    }

    @Override
    public NDArray div(NDArray other) {
        if (other instanceof RecordedArray) {
            throw trace.refusal("graphs have no quotient of two values");
        }
        return trace.scaled(this, other, true);
    }

    @Override
    public NDArray neg() {
        return record(new Op.Scale(-1));
    }

    @Override
    public NDArray maximum(Number n) {
        return record(new Op.Clip(n.floatValue(), Float.POSITIVE_INFINITY));
    }

    @Override
    public NDArray minimum(Number n) {
        return record(new Op.Clip(Float.NEGATIVE_INFINITY, n.floatValue()));
    }

    @Override
    public NDArray clip(Number min, Number max) {
        return record(new Op.Clip(min.floatValue(), max.floatValue()));
    }

    @Override
    public NDArray tanh() {
        return record(Op.Activation.TANH);
    }

    // Arithmetic in place

    @Override
    public NDArray addi(Number n) {
        return become(add(n));
    }

    @Override
    public NDArray addi(NDArray other) {
        return become(add(other));
    }

    @Override
    public NDArray subi(Number n) {
        return become(sub(n));
    }

    @Override
    public NDArray subi(NDArray other) {
        return become(sub(other));
    }

    @Override
    public NDArray muli(Number n) {
        return become(mul(n));
    }

    @Override
    public NDArray muli(NDArray other) {
        return become(mul(other));
    }

    @Override
    public NDArray divi(Number n) {
        return become(div(n));
    }

    @Override
    public NDArray divi(NDArray other) {
        return become(div(other));
    }

    @Override
    public NDArray negi() {
        return become(neg());
    }

    private NDArray become(NDArray result) {
        RecordedArray recorded = (RecordedArray) result;
        if (memory.arrays > 1) {
            throw trace.refusal("it changes an array in place that shares its memory with another");
        }
        if (!recorded.type.equals(type)) {
            throw trace.refusal("it changes an array of " + type + " in place to one of " + recorded.type);
        }
        value = recorded.value;
        return this;
    }

    @Override
    public NDArray softmax(int axis) {
        if (axis(axis) != 1) {
            throw trace.refusal("graphs have a softmax over axis 1 only, not over axis " + axis + " of " + type);
        }
        return record(new Op.Softmax());
    }

    // Shapes

    @Override
    public RecordedArray reshape(Shape wanted) {
        return trace.reshaped(this, wanted.getShape());
    }

    @Override
    public NDArray flatten() {
        return trace.reshaped(this, shape.size());
    }

    @Override
    public NDArray flatten(int startDim, int endDim) {
        int start = axis(startDim);
        int end = axis(endDim);
        LongStream before = LongStream.of(shape.slice(0, start).getShape());
        long flat = shape.slice(start, end + 1).size();
        LongStream after = LongStream.of(shape.slice(end + 1).getShape());
        return trace.reshaped(
                this,
                LongStream.concat(LongStream.concat(before, LongStream.of(flat)), after)
                        .toArray());
    }

    @Override
    public NDArray expandDims(int axis) {
        List<Long> sizes = new ArrayList<>(type.sizes());
        sizes.add(axis < 0 ? axis + sizes.size() + 1 : axis, 1L);
        return trace.reshaped(this, sizes.stream().mapToLong(Long::longValue).toArray());
    }

    @Override
    public NDArray squeeze(int[] axes) {
        List<Integer> removed = Arrays.stream(axes).map(this::axis).boxed().toList();
        List<Long> sizes = new ArrayList<>();
        for (int axis = 0; axis < type.rank(); axis++) {
            if (!removed.contains(axis)) {
                sizes.add(type.get(axis));
            } else if (axis == 0 || type.get(axis) != 1) {
                throw trace.refusal("it removes axis " + axis + " of " + type);
            }
        }
        return trace.reshaped(this, sizes.stream().mapToLong(Long::longValue).toArray());
    }

    @Override
    public NDList split(long sections, int axis) {
        long size = type.get(axis(axis));
        if (sections < 1 || size % sections != 0) {
            throw trace.refusal("axis " + axis + " of " + type + " cannot be split into " + sections + " equal parts");
        }
        return split(
                LongStream.range(1, sections).map(i -> i * (size / sections)).toArray(), axis);
    }

    @Override
    public NDList split(long[] indices, int axis) {
        if (axis(axis) != 1) {
            throw trace.refusal("graphs split axis 1 only, not axis " + axis + " of " + type);
        }
        if (indices.length == 0) {
            return new NDList(this);
        }
        Op split = new Op.Split(Arrays.stream(indices).boxed().toList());
        return new NDList(trace.add(split, List.of(this)).toArray(NDArray[]::new));
    }

    /** Selects a range of the channels, as one part of a split. */
    @Override
    public NDArray get(NDIndex index) {
        List<NDIndexElement> axes = index.getIndices();
        int ellipsis = index.getEllipsisIndex();
        if (ellipsis >= 0 && ellipsis < axes.size()) {
            throw trace.refusal("graphs select a range of axis 1 only, and the ellipsis hides which axis this is");
        }
        for (int axis = 0; axis < axes.size(); axis++) {
            if (!(axes.get(axis) instanceof NDIndexAll) && (axis != 1 || !(axes.get(axis) instanceof NDIndexSlice))) {
                throw trace.refusal("graphs select a range of axis 1 only");
            }
        }
        if (axes.size() < 2 || !(axes.get(1) instanceof NDIndexSlice slice)) {
            return view();
        }
        long channels = type.get(1);
        long from = slice.getMin() == null ? 0 : fromEnd(slice.getMin(), channels);
        long to = slice.getMax() == null ? channels : Math.min(channels, fromEnd(slice.getMax(), channels));
        if ((slice.getStep() != null && slice.getStep() != 1) || from < 0 || from >= to) {
            throw trace.refusal("graphs select a range of axis 1 only");
        }
        long[] borders =
                LongStream.of(from, to).filter(at -> at > 0 && at < channels).toArray();
        return split(borders, 1).get(from > 0 ? 1 : 0);
    }

    private static long fromEnd(long index, long size) {
        return index < 0 ? index + size : index;
    }

    private int axis(int axis) {
        int result = axis < 0 ? axis + type.rank() : axis;
        if (result < 0 || result >= type.rank()) {
            throw trace.refusal("a value of " + type + " has no axis " + axis);
        }
        return result;
    }
}
