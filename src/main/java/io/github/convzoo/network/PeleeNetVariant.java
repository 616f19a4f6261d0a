package io.github.convzoo.network;

/** The published variant of {@link PeleeNet}. */
public enum PeleeNetVariant implements Variant {
    /** PeleeNet. */
    PELEENET;

    @Override
    public String modelName() {
        return "peleenet";
    }

    @Override
    public NetworkOptions options() {
        return NetworkOptions.of(1000);
    }

    @Override
    public int inputSize() {
        return 224;
    }

    @Override
    public PeleeNet build(NetworkOptions options) {
        return new PeleeNet(options);
    }
}
