package io.github.convzoo.network;

import ai.djl.ndarray.types.Shape;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** The variants of {@link AlexNet}. */
public enum AlexNetVariant implements Variant {
    /** Static convolutions throughout. */
    ALEXNET("alexnet", false),
    /** The last three convolutions dynamic. */
    ALEXNET_DY("alexnet_dy", true);

    private final String modelName;
    final boolean dynamic;

    AlexNetVariant(String modelName, boolean dynamic) {
        this.modelName = modelName;
        this.dynamic = dynamic;
    }

    @Override
    public String modelName() {
        return modelName;
    }

    @Override
    public NetworkOptions options() {
        return NetworkOptions.of(10);
    }

    @Override
    public int inputSize() {
        return 128;
    }

    /** The number of inputs of the linear layers is the number of values of the last map. */
    @Override
    public OptionalInt inputSize(Map<String, Shape> shapes) {
        OptionalLong features = features(shapes);
        return features.isPresent() ? AlexNet.inputSide(features.getAsLong()) : OptionalInt.empty();
    }

    @Override
    public boolean fitsInput(Map<String, Shape> shapes, int height, int width) {
        OptionalLong features = features(shapes);
        return features.isEmpty() || features.getAsLong() == AlexNet.features(height, width);
    }

    private static OptionalLong features(Map<String, Shape> shapes) {
        Shape weight = shapes.get(AlexNet.FIRST_LINEAR + ".weight");
        return weight == null || weight.dimension() != 2 ? OptionalLong.empty() : OptionalLong.of(weight.get(1));
    }

    @Override
    public AlexNet build(NetworkOptions options) {
        return new AlexNet(this, options);
    }
}
