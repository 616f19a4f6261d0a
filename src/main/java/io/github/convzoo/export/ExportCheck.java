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
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/**
 * Runs a written file on random input, and compares its outputs with those of the network: the block, or its graph as it was
 * recorded.
 */
final class ExportCheck {

    /** Enough for float32, whose rounding differs between runtimes. */
    private static final double MOST = 1e-4;

    private static final int BATCH = 2;

    private final ExportSource.Recorded recorded;
    private final NetworkFile file;

    ExportCheck(ExportSource.Recorded recorded, NetworkFile file) {
        this.recorded = recorded;
        this.file = file;
    }

    /**
     * Checks a file.
     *
     * @param written where it is now
     * @param place where it will be, for messages
     */
    ExportReport check(Path written, Path place, ExportOptions.Format format) throws IOException {
        List<ExportReport.Check> checks = new ArrayList<>();
        for (ExportRuntime runtime : ExportRuntime.of(format)) {
            double difference = difference(written, runtime);
            // Half precision differs by design; only nonsense is refused.
            double most = file.precision() == Precision.FLOAT32 ? MOST : 0.1;
            if (!(difference <= most)) {
                throw new ExportException(String.format(
                        Locale.ROOT,
                        "%s: %s computes something else than the network: the largest difference is %.1e of the largest output;"
                                + " nothing was written. Please report this",
                        place,
                        runtime.title(),
                        difference));
            }
            checks.add(new ExportReport.Check(runtime.title(), difference));
        }
        return new ExportReport(
                place,
                Files.size(written),
                recorded.graph().nodes().size(),
                file.graph().nodes().size(),
                checks,
                List.of());
    }

    private double difference(Path written, ExportRuntime runtime) throws IOException {
        double largest = 0;
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch");
                ExportedModel model = runtime.open(written)) {
            NDArray input = input(manager);
            NDList expected = recorded.reference().run(new NDList(input));
            NDList actual = model.run(new NDList(input));
            for (int i = 0; i < expected.size(); i++) {
                NDArray difference = expected.get(i).sub(actual.get(i)).abs().max();
                NDArray scale = expected.get(i).abs().max();
                double relative = difference.getFloat() / Math.max(scale.getFloat(), Float.MIN_NORMAL);
                largest = Double.isNaN(relative) ? relative : Math.max(largest, relative);
            }
        }
        return largest;
    }

    private NDArray input(NDManager manager) {
        Type type = file.input().with(0, BATCH);
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
