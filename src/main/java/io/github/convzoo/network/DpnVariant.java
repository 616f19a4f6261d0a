package io.github.convzoo.network;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The variants of {@link Dpn}: the published ones, and timm's DPN-48b, for which there are no weights. */
@SuppressWarnings("ImmutableEnumChecker") // List.of gives lists that cannot change
public enum DpnVariant implements Variant {
    /** A shallower DPN-68b with SiLU in the stem and at the end. */
    DPN48B(true, 10, 128, 32, true, LastActivation.SILU, blocks(3, 4, 6, 3), increments(16, 32, 32, 64)),
    /** DPN-68. */
    DPN68(true, 10, 128, 32, false, LastActivation.RELU, blocks(3, 4, 12, 3), increments(16, 32, 32, 64)),
    /** DPN-68 with two last convolutions per block, one for each path. */
    DPN68B(true, 10, 128, 32, true, LastActivation.RELU, blocks(3, 4, 12, 3), increments(16, 32, 32, 64)),
    /** DPN-92. */
    DPN92(false, 64, 96, 32, false, LastActivation.RELU, blocks(3, 4, 20, 3), increments(16, 32, 24, 128)),
    /** DPN-98. */
    DPN98(false, 96, 160, 40, false, LastActivation.RELU, blocks(3, 6, 20, 3), increments(16, 32, 32, 128)),
    /** DPN-131. */
    DPN131(false, 128, 160, 40, false, LastActivation.RELU, blocks(4, 8, 28, 3), increments(16, 32, 32, 128)),
    /** DPN-107. */
    DPN107(false, 128, 200, 50, false, LastActivation.RELU, blocks(4, 8, 20, 3), increments(20, 64, 64, 128));

    final boolean small;
    /** Channels of the stem. */
    final int init;
    /** Channels of the first stage's middle, from which the others follow. */
    final int kR;

    final int groups;
    final boolean b;
    /** The activation after the stem's and the last normalization. */
    final LastActivation activation;

    final List<Integer> blocks;
    /** Channels that a block adds to the dense path. */
    final List<Integer> increments;

    DpnVariant(
            boolean small,
            int init,
            int kR,
            int groups,
            boolean b,
            LastActivation activation,
            List<Integer> blocks,
            List<Integer> increments) {
        this.small = small;
        this.init = init;
        this.kR = kR;
        this.groups = groups;
        this.b = b;
        this.activation = activation;
        this.blocks = blocks;
        this.increments = increments;
    }

    @Override
    public String modelName() {
        return name().toLowerCase(Locale.ROOT);
    }

    @Override
    public NetworkOptions options() {
        return NetworkOptions.of(1000).withFamily(new DpnOptions(false, activation));
    }

    @Override
    public int inputSize() {
        return 224;
    }

    @Override
    public Optional<String> differenceToTimm(NetworkOptions options) {
        return options.family() instanceof DpnOptions dpn && dpn.lastActivation() != activation
                ? Optional.of("timm computes " + activation + " at the end of " + modelName()
                        + ", but these weights need " + dpn.lastActivation())
                : Optional.empty();
    }

    @Override
    public Dpn build(NetworkOptions options) {
        return new Dpn(this, options);
    }

    // Lets the table's columns read by name.

    private static List<Integer> blocks(Integer... counts) {
        return List.of(counts);
    }

    private static List<Integer> increments(Integer... channels) {
        return List.of(channels);
    }
}
