package io.github.convzoo.network;

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

    @Override
    public AlexNet build(NetworkOptions options) {
        return new AlexNet(this, options);
    }
}
