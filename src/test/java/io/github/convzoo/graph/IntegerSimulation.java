package io.github.convzoo.graph;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Runs a quantized graph in plain Java. Where a layer's input and weights are levels, products and sums are those of
 * integers; the rounding of a result is that of exact numbers. One sample at a time, slow, and with nothing in common
 * with any engine.
 */
public final class IntegerSimulation {

    /** A value: its sizes without the batch, its numbers, and the grid that they are on, if they are rounded. */
    private static final class Known {

        private final long[] sizes;
        private final double[] numbers;
        private final @Nullable Grid grid;

        Known(long[] sizes, double[] numbers, @Nullable Grid grid) {
            this.sizes = sizes;
            this.numbers = numbers;
            this.grid = grid;
        }

        int size(int axis) {
            return Math.toIntExact(sizes[axis]);
        }
    }

    /**
     * What a layer computes with: for one of 8 bits levels, which doubles hold exactly, as they do sums of their
     * products; and what the sums are multiplied with.
     */
    private static final class Operands {

        private final double[] inputs;
        private final double[] weights;
        private final double[] biases;
        private final double[] factors;

        Operands(Op.Convolution op, Known x, Tensor.Source parameters) {
            biases = new double[op.filters()];
            factors = new double[op.filters()];
            Constant bias = op.bias();
            if (op.weight() instanceof Constant.QuantizedWeight quantized) {
                Grid grid = Objects.requireNonNull(x.grid);
                inputs = Arrays.stream(x.numbers)
                        .map(number -> grid.level((float) number) - grid.zeroPoint())
                        .toArray();
                byte[] levels = quantized.levels(parameters);
                weights = IntStream.range(0, levels.length)
                        .mapToDouble(i -> levels[i])
                        .toArray();
                float[] scales = quantized.scales(parameters);
                Arrays.setAll(factors, filter -> (double) grid.scale() * scales[filter]);
                if (bias != null) {
                    int[] biasLevels = ((Constant.QuantizedBias) bias).levels(parameters);
                    Arrays.setAll(biases, filter -> biasLevels[filter]);
                }
            } else {
                inputs = x.numbers;
                float[] floats = op.weight().evaluate(parameters).values();
                weights = IntStream.range(0, floats.length)
                        .mapToDouble(i -> floats[i])
                        .toArray();
                Arrays.fill(factors, 1);
                if (bias != null) {
                    float[] biasFloats = bias.evaluate(parameters).values();
                    Arrays.setAll(biases, filter -> biasFloats[filter]);
                }
            }
        }
    }

    private final Graph graph;
    private final Tensor.Source parameters;

    public IntegerSimulation(Graph graph, Tensor.Source parameters) {
        this.graph = graph;
        this.parameters = parameters;
    }

    /** The first output for one sample. */
    public double[] run(float[] sample, long... sizes) {
        Map<Value, Known> values = new HashMap<>();
        double[] numbers = new double[sample.length];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = sample[i];
        }
        values.put(graph.inputs().get(0), new Known(sizes, numbers, null));
        for (Node node : graph.nodes()) {
            List<Known> inputs = node.inputs().stream()
                    .map(input -> Objects.requireNonNull(values.get(input)))
                    .toList();
            values.put(node.output(), compute(node.op(), inputs));
        }
        return Objects.requireNonNull(values.get(graph.outputs().get(0))).numbers;
    }

    private Known compute(Op op, List<Known> inputs) {
        Known x = inputs.get(0);
        if (op instanceof Op.FakeQuantize fake) {
            double[] numbers = new double[x.numbers.length];
            for (int i = 0; i < numbers.length; i++) {
                numbers[i] = (level(x.numbers[i], fake.grid()) - fake.grid().zeroPoint())
                        * (double) fake.grid().scale();
            }
            return new Known(x.sizes, numbers, fake.grid());
        } else if (op instanceof Op.Convolution conv) {
            return convolution(conv, x);
        } else if (op instanceof Op.Linear linear) {
            Known pixel = new Known(new long[] {x.numbers.length, 1, 1}, x.numbers, x.grid);
            Known result = convolution(
                    new Op.Convolution(linear.weight(), linear.bias(), linear.units(), Window.square(1, 1, 0), 1),
                    pixel);
            return new Known(new long[] {linear.units()}, result.numbers, null);
        } else if (op == Op.Activation.RELU) {
            double[] numbers = x.numbers.clone();
            for (int i = 0; i < numbers.length; i++) {
                numbers[i] = Math.max(0, numbers[i]);
            }
            return new Known(x.sizes, numbers, null);
        } else if (op instanceof Op.Add) {
            double[] numbers = x.numbers.clone();
            for (int i = 0; i < numbers.length; i++) {
                numbers[i] += inputs.get(1).numbers[i];
            }
            return new Known(x.sizes, numbers, null);
        } else if (op instanceof Op.Concat) {
            double[] numbers = inputs.stream()
                    .flatMapToDouble(each -> Arrays.stream(each.numbers))
                    .toArray();
            long[] sizes = x.sizes.clone();
            sizes[0] = inputs.stream().mapToLong(each -> each.sizes[0]).sum();
            return new Known(sizes, numbers, null);
        } else if (op instanceof Op.MaxPool pool) {
            return pool(pool.window(), x, true);
        } else if (op instanceof Op.AveragePool pool) {
            return pool(pool.window(), x, false);
        } else if (op == Op.GlobalPool.AVERAGE) {
            int each = x.numbers.length / x.size(0);
            double[] numbers = new double[x.size(0)];
            for (int i = 0; i < x.numbers.length; i++) {
                numbers[i / each] += x.numbers[i] / each;
            }
            return new Known(new long[] {x.sizes[0]}, numbers, null);
        } else if (op instanceof Op.Reshape reshape) {
            boolean pixel = reshape.equals(Op.Reshape.TO_PIXEL);
            long[] sizes = pixel ? new long[] {x.sizes[0], 1, 1} : new long[] {x.numbers.length};
            return new Known(sizes, x.numbers, x.grid);
        }
        throw new UnsupportedOperationException(op.kind());
    }

    private static long level(double number, Grid grid) {
        return Math.max(0, Math.min(Grid.LAST, (long) Math.rint(number / grid.scale()) + grid.zeroPoint()));
    }

    private Known convolution(Op.Convolution op, Known x) {
        Operands operands = new Operands(op, x, parameters);
        Window window = op.window();
        Window.Size kernel = window.kernel();
        int height = out(
                x.size(1),
                kernel.height(),
                window.stride().height(),
                window.padding().height());
        int width = out(
                x.size(2),
                kernel.width(),
                window.stride().width(),
                window.padding().width());
        int channels = x.size(0) / op.groups();
        int filters = op.filters() / op.groups();
        double[] result = new double[op.filters() * height * width];
        for (int i = 0; i < result.length; i++) {
            int filter = i / width / height;
            int row = i / width % height * window.stride().height()
                    - window.padding().height();
            int column = i % width * window.stride().width() - window.padding().width();
            double sum = operands.biases[filter];
            int weight = filter * channels * kernel.height() * kernel.width();
            for (int channel = 0; channel < channels; channel++) {
                int map = (filter / filters * channels + channel) * x.size(1);
                for (int h = row; h < row + kernel.height(); h++) {
                    for (int w = column; w < column + kernel.width(); w++, weight++) {
                        if (h >= 0 && h < x.size(1) && w >= 0 && w < x.size(2)) {
                            sum += operands.inputs[(map + h) * x.size(2) + w] * operands.weights[weight];
                        }
                    }
                }
            }
            result[i] = sum * operands.factors[filter];
        }
        return new Known(new long[] {op.filters(), height, width}, result, null);
    }

    /** No network here has dilated windows. */
    private static int out(int size, int kernel, int stride, int padding) {
        return (size + 2 * padding - kernel) / stride + 1;
    }

    private static Known pool(Window window, Known x, boolean largest) {
        int height = out(
                x.size(1),
                window.kernel().height(),
                window.stride().height(),
                window.padding().height());
        int width = out(
                x.size(2),
                window.kernel().width(),
                window.stride().width(),
                window.padding().width());
        double[] result = new double[x.size(0) * height * width];
        for (int i = 0; i < result.length; i++) {
            int c = i / width / height;
            double best = Double.NEGATIVE_INFINITY;
            double sum = 0;
            for (int kh = 0; kh < window.kernel().height(); kh++) {
                int row = i / width % height * window.stride().height()
                        - window.padding().height()
                        + kh;
                for (int kw = 0; kw < window.kernel().width(); kw++) {
                    int column = i % width * window.stride().width()
                            - window.padding().width()
                            + kw;
                    if (row >= 0 && row < x.size(1) && column >= 0 && column < x.size(2)) {
                        double number = x.numbers[(c * x.size(1) + row) * x.size(2) + column];
                        best = Math.max(best, number);
                        sum += number;
                    }
                }
            }
            result[i] = largest
                    ? best
                    : sum / (window.kernel().height() * window.kernel().width());
        }
        return new Known(new long[] {x.sizes[0], height, width}, result, largest ? x.grid : null);
    }
}
