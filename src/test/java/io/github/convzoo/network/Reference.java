package io.github.convzoo.network;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import com.google.gson.Gson;
import com.google.gson.annotations.SerializedName;
import io.github.convzoo.nn.CanonicalNames;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What an independent implementation computes, and the weights and inputs it does so for, rebuilt from their names as
 * src/test/resources/reference/README.md says.
 */
public final class Reference {

    /** A model's file. */
    public record Model(
            String model,
            String salt,
            @SerializedName("input_shape") List<Long> inputShape,
            @SerializedName("num_classes") int numClasses,
            @SerializedName("trainable_parameters") long trainableParameters,
            List<List<Object>> state,
            @Nullable List<Stage> stages,
            @Nullable Float temperature,
            @Nullable @SerializedName("test_time_pool") Integer testTimePool,
            @Nullable @SerializedName("last_activation") String lastActivation,
            List<List<Float>> logits) {

        @Override
        public List<Stage> stages() {
            return stages == null ? List.of() : stages;
        }

        public Shape input() {
            return shape(inputShape);
        }
    }

    /** The output of a named module on the way. */
    public record Stage(String name, List<Long> shape, double mean, double std, List<Float> first) {}

    /** A training step's file. */
    public record Step(
            String model,
            String salt,
            @SerializedName("input_shape") List<Long> inputShape,
            @SerializedName("num_classes") int numClasses,
            @SerializedName("label_smoothing") float labelSmoothing,
            @SerializedName("sgd_learning_rate") float sgdLearningRate,
            double loss,
            @SerializedName("loss_after_step") double lossAfterStep,
            @SerializedName("gradient_norms") Map<String, Double> gradientNorms,
            @SerializedName("running_statistics_norms") Map<String, Double> runningStatisticsNorms) {

        public Shape input() {
            return shape(inputShape);
        }
    }

    private Reference() {}

    public static Model model(String name) {
        return read("/reference/" + name + ".json", Model.class);
    }

    public static Step step(String name) {
        return read("/reference/train_step/" + name + ".json", Step.class);
    }

    private static <R> R read(String resource, Class<R> type) {
        try (InputStream stream = Reference.class.getResourceAsStream(resource)) {
            if (stream == null) {
                throw new IllegalArgumentException("no resource " + resource);
            }
            try (Reader reader = new InputStreamReader(stream, StandardCharsets.UTF_8)) {
                return new Gson().fromJson(reader, type);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Shape shape(List<Long> dimensions) {
        return new Shape(dimensions.stream().mapToLong(Long::longValue).toArray());
    }

    /** Initializes a block for an input and gives every parameter the values that its name stands for. */
    public static void initialize(Block block, NDManager manager, String salt, Shape input) {
        CanonicalNames.parameters(block)
                .forEach((name, parameter) -> parameter.setInitializer((m, shape, type) -> {
                    try (NDArray view = m.create(weights(salt, name, shape), shape, DataType.FLOAT32)) {
                        return view.duplicate();
                    }
                }));
        block.initialize(manager, DataType.FLOAT32, input);
    }

    /** The input batch: an 8x8 coarse pattern in [-4, 4) with noise in [-1, 1) upon it. */
    public static NDArray image(NDManager manager, String salt, Shape shape) {
        int height = (int) shape.get(2);
        int width = (int) shape.get(3);
        double[] coarse = uniform(salt + "coarse", (int) (shape.get(0) * shape.get(1) * 64));
        double[] noise = uniform(salt + "input", (int) shape.size());
        ByteBuffer bytes = buffer(noise.length);
        FloatBuffer floats = bytes.asFloatBuffer();
        for (int i = 0; i < noise.length; i++) {
            int plane = i / (height * width);
            int row = i / width % height * 8 / height;
            int column = i % width * 8 / width;
            floats.put(i, (float) (4 * (2 * coarse[plane * 64 + row * 8 + column] - 1) + (2 * noise[i] - 1)));
        }
        return manager.create(bytes, shape, DataType.FLOAT32);
    }

    static ByteBuffer weights(String salt, String name, Shape shape) {
        double[] u = uniform(salt + name, (int) shape.size());
        String leaf = name.substring(name.lastIndexOf('.') + 1);
        return switch (leaf) {
            case "running_mean", "bias" -> floats(u, v -> (2 * v - 1) * 0.1);
            case "running_var" -> floats(u, v -> 0.75 + 0.5 * v);
            default -> {
                if (shape.dimension() == 1) {
                    yield floats(u, v -> 0.5 + 0.5 * v);
                }
                double fanIn = shape.slice(shape.dimension() == 5 ? 2 : 1).size();
                double bound = Math.sqrt(6 / fanIn);
                yield floats(u, v -> (2 * v - 1) * bound);
            }
        };
    }

    private static ByteBuffer floats(double[] u, DoubleUnaryOperator value) {
        ByteBuffer bytes = buffer(u.length);
        FloatBuffer floats = bytes.asFloatBuffer();
        IntStream.range(0, u.length).parallel().forEach(i -> floats.put(i, (float) value.applyAsDouble(u[i])));
        return bytes;
    }

    private static ByteBuffer buffer(int floats) {
        return ByteBuffer.allocateDirect(floats * Float.BYTES).order(ByteOrder.nativeOrder());
    }

    /** {@code n} doubles in [0, 1): splitmix64 of the key's FNV-1a hash. */
    public static double[] uniform(String key, int n) {
        long hash = 0xcbf29ce484222325L;
        for (byte b : key.getBytes(StandardCharsets.UTF_8)) {
            hash = (hash ^ (b & 0xff)) * 0x100000001b3L;
        }
        long seed = hash;
        double[] u = new double[n];
        Arrays.parallelSetAll(u, i -> {
            long z = seed + (i + 1L) * 0x9E3779B97F4A7C15L;
            z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
            z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
            z = z ^ (z >>> 31);
            return (z >>> 11) * 0x1.0p-53;
        });
        return u;
    }
}
