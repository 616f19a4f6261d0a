package io.github.convzoo.nn;

import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Measures shapes, and refuses those on which the arrays' operations would fail. */
class ShapeOperations implements Operations<Shape> {

    @Override
    public Shape run(Block block, List<Shape> inputs) {
        Shape output = block.getOutputShapes(inputs.toArray(Shape[]::new))[0];
        for (int i = 1; i < output.dimension(); i++) {
            if (output.get(i) < 1) {
                throw new IllegalArgumentException("the input is too small: a map of " + inputs.get(0)
                        + " would become one of " + output + " in a " + Layer.kind(block));
            }
        }
        return output;
    }

    @Override
    public Shape keep(Shape value) {
        return value;
    }

    @Override
    public void discard(Shape value) {}

    @Override
    public Shape relu(Shape x) {
        return x;
    }

    @Override
    public Shape elu(Shape x) {
        return x;
    }

    @Override
    public Shape add(Shape a, Shape b) {
        if (!a.equals(b)) {
            throw new IllegalArgumentException(
                    "maps of " + a + " and " + b + " cannot be added: the input's size does not fit the strides");
        }
        return a;
    }

    @Override
    public Shape concat(List<Shape> parts) {
        Shape first = parts.get(0);
        long channels = 0;
        for (Shape part : parts) {
            if (part.dimension() != first.dimension() || !part.slice(2).equals(first.slice(2))) {
                throw new IllegalArgumentException("maps of " + first + " and " + part
                        + " cannot be concatenated: the input's size does not fit the strides");
            }
            channels += part.get(1);
        }
        return withChannels(first, channels);
    }

    @Override
    public List<Shape> splitAt(Shape x, long... channels) {
        List<Shape> parts = new ArrayList<>(channels.length + 1);
        long start = 0;
        for (long end : channels) {
            parts.add(withChannels(x, end - start));
            start = end;
        }
        parts.add(withChannels(x, x.get(1) - start));
        for (Shape part : parts) {
            if (part.get(1) < 1) {
                throw new IllegalArgumentException(
                        "a map of " + x + " cannot be split at channels " + Arrays.toString(channels));
            }
        }
        return parts;
    }

    @Override
    public Shape maxPool(Shape x, int kernel, int stride, int padding) {
        return pool(x, kernel, stride, padding);
    }

    @Override
    public Shape averagePool(Shape x, int kernel, int stride, int padding) {
        return pool(x, kernel, stride, padding);
    }

    @Override
    public Shape globalAveragePool(Shape x) {
        return x.slice(0, 2);
    }

    @Override
    public Shape globalAverageMaxPool(Shape x) {
        return x.slice(0, 2);
    }

    @Override
    public Shape flatten(Shape x) {
        return new Shape(x.get(0), x.slice(1).size());
    }

    @Override
    public Shape toPixel(Shape x) {
        return new Shape(x.get(0), x.get(1), 1, 1);
    }

    private static Shape pool(Shape x, int kernel, int stride, int padding) {
        long height = (x.get(2) + 2L * padding - kernel) / stride + 1;
        long width = (x.get(3) + 2L * padding - kernel) / stride + 1;
        if (x.get(2) + 2L * padding < kernel || x.get(3) + 2L * padding < kernel) {
            throw new IllegalArgumentException(
                    "the input is too small: a map of " + x + " does not hold a pool of " + kernel + " x " + kernel);
        }
        return new Shape(x.get(0), x.get(1), height, width);
    }

    private static Shape withChannels(Shape x, long channels) {
        long[] dimensions = x.getShape().clone();
        dimensions[1] = channels;
        return new Shape(dimensions);
    }
}
