package io.github.convzoo.zoo;

import ai.djl.ndarray.types.Shape;
import com.google.gson.Gson;
import io.github.convzoo.Samples;
import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.checkpoint.Safetensors;
import io.github.convzoo.checkpoint.Tensor;
import io.github.convzoo.network.DlaVariant;
import io.github.convzoo.weights.StateDict;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;

/** A dla46x_c that a user fine-tuned on three classes with timm, as files of a repository. */
public final class FineTuned {

    public static final String REPOSITORY = "me/flowers";
    public static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

    public static final String FIRST = "model-00001-of-00002.safetensors";
    public static final String SECOND = "model-00002-of-00002.safetensors";
    public static final String INDEX = "model.safetensors.index.json";

    private FineTuned() {}

    public static List<Tensor> tensors() throws IOException {
        return List.copyOf(Samples.state(
                        DlaVariant.DLA46X_C.build(DlaVariant.DLA46X_C.options().withNumClasses(3)),
                        new Shape(1, 3, 32, 32))
                .values());
    }

    private static byte[] config() throws IOException {
        return Files.readAllBytes(Samples.resource("model-folder/dla46x_c/config.json"));
    }

    private static byte[] bytes(List<Tensor> tensors, Path folder) throws IOException {
        Path file = folder.resolve("some.safetensors");
        Safetensors.write(file, tensors, Map.of("format", "pt"));
        return Files.readAllBytes(file);
    }

    /** The files, with the weights in one. They may be changed. */
    public static Map<String, byte[]> inOneFile(Path folder) throws IOException {
        return new ConcurrentHashMap<>(Map.of("config.json", config(), "model.safetensors", bytes(tensors(), folder)));
    }

    /** The files, with the weights in two and an index. They may be changed. */
    public static Map<String, byte[]> inTwoFiles(Path folder) throws IOException {
        List<Tensor> first = new ArrayList<>();
        List<Tensor> second = new ArrayList<>();
        Map<String, String> map = new LinkedHashMap<>();
        for (Tensor tensor : tensors()) {
            (map.size() % 2 == 0 ? first : second).add(tensor);
            map.put(tensor.name(), map.size() % 2 == 0 ? FIRST : SECOND);
        }
        return new ConcurrentHashMap<>(Map.of(
                "config.json",
                config(),
                INDEX,
                new Gson()
                        .toJson(Map.of("metadata", Map.of("total_size", 1), "weight_map", map))
                        .getBytes(StandardCharsets.UTF_8),
                FIRST,
                bytes(first, folder),
                SECOND,
                bytes(second, folder)));
    }

    /** The classifier's bias in a checkpoint, as numbers. */
    public static List<Float> bias(Checkpoint checkpoint) throws IOException {
        Tensor bias = Objects.requireNonNull(StateDict.of(checkpoint).tensors().get("fc.bias"));
        float[] values = new float[(int) bias.size()];
        bias.toFloats(FloatBuffer.wrap(values));
        List<Float> list = new ArrayList<>();
        for (float value : values) {
            list.add(value);
        }
        return list;
    }
}
