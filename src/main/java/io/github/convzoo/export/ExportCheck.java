package io.github.convzoo.export;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.github.convzoo.graph.Type;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.function.Function;

/**
 * Runs a written file, and compares its outputs with the network's: those of the block, or of its recorded or changed
 * graph.
 */
final class ExportCheck {

    /** Sufficient for float32, whose rounding differs between runtimes. */
    private static final double MOST = 1e-4;

    /** Half precision differs by design; only gross errors are refused. */
    private static final double MOST_HALF = 0.1;

    /** Off-by-one levels in a few of many layers: up to 0.13 was measured for networks with low confidence. */
    private static final double MOST_INTEGERS = 0.3;

    private static final int BATCH = 2;

    private final ExportSource.Reference reference;
    private final Function<NDManager, NDArray> images;
    private final double most;

    private ExportCheck(ExportSource.Reference reference, Function<NDManager, NDArray> images, double most) {
        this.reference = reference;
        this.images = images;
        this.most = most;
    }

    /** Checks on random input. */
    static ExportCheck onNoise(ExportSource.Recorded recorded) {
        return new ExportCheck(recorded.reference(), manager -> noise(recorded.input(), manager), MOST);
    }

    /**
     * Checks on given input, for quantized computation: a difference in the last digit becomes one of a whole level.
     */
    static ExportCheck onImages(ExportSource.Reference reference, Function<NDManager, NDArray> images) {
        return new ExportCheck(reference, images, MOST_INTEGERS);
    }

    /**
     * Checks a file.
     *
     * @param written the current path of the file
     * @param place the final path of the file, for messages
     */
    List<ExportReport.Check> check(NetworkFile file, Path written, Path place, ExportOptions.Format format)
            throws IOException {
        List<ExportReport.Check> checks = new ArrayList<>();
        for (ExportRuntime runtime : ExportRuntime.of(format)) {
            double difference = difference(written, place, runtime);
            double allowed = file.precision() == Precision.FLOAT32 ? most : MOST_HALF;
            if (Double.isNaN(difference) && file.precision() != Precision.FLOAT32) {
                throw new ExportException(place + ": values of the network exceed the range of "
                        + file.precision().name().toLowerCase(Locale.ROOT)
                        + " or are not finite; nothing was written. Use another precision");
            }
            if (!(difference <= allowed)) {
                throw new ExportException(String.format(
                        Locale.ROOT,
                        "%s: %s computes different results from the network: the largest difference is %.1e of the"
                                + " largest output;"
                                + " nothing was written. Please report this",
                        place,
                        runtime.title(),
                        difference));
            }
            checks.add(new ExportReport.Check(runtime.title(), difference));
        }
        return checks;
    }

    private double difference(Path written, Path place, ExportRuntime runtime) throws IOException {
        double largest = 0;
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch");
                ExportedModel model = runtime.open(written)) {
            NDArray input = images.apply(manager);
            // A block may change its input.
            NDList expected = reference.run(new NDList(input.duplicate()));
            NDList actual = model.run(new NDList(input));
            List<Shape> shapes = shapes(expected);
            if (!shapes(actual).equals(shapes)) {
                throw new ExportException(place + ": with " + runtime.title() + ", the outputs are " + shapes(actual)
                        + ", but the network's are " + shapes + "; nothing was written. Please report this");
            }
            for (int i = 0; i < expected.size(); i++) {
                NDArray difference = expected.get(i).sub(actual.get(i)).abs().max();
                float scale = expected.get(i).abs().max().getFloat();
                if (!Float.isFinite(scale)) {
                    throw new ExportException(place + ": the network's output is " + scale
                            + " for random input; nothing was written. Its weights are damaged, or were trained for"
                            + " another input");
                }
                double relative = difference.getFloat() / Math.max(scale, Float.MIN_NORMAL);
                largest = Double.isNaN(relative) ? relative : Math.max(largest, relative);
            }
        }
        return largest;
    }

    private static List<Shape> shapes(NDList arrays) {
        return arrays.stream().map(NDArray::getShape).toList();
    }

    private static NDArray noise(Type input, NDManager manager) {
        Type type = input.with(0, BATCH);
        Shape shape = new Shape(type.sizes().stream().mapToLong(Long::longValue).toArray());
        int elements = Math.toIntExact(shape.size());
        Random random = new Random();
        if (type.element() == Type.Element.BYTE) {
            byte[] bytes = new byte[elements];
            random.nextBytes(bytes);
            return manager.create(ByteBuffer.wrap(bytes), shape, DataType.UINT8);
        }
        float[] values = new float[elements];
        for (int i = 0; i < elements; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return manager.create(values, shape);
    }
}
