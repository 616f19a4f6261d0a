package io.github.convzoo.network;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The published variants of {@link Dla}; two of them with Res2Net's blocks (Gao et al., 2019). */
@SuppressWarnings("ImmutableEnumChecker") // List.of gives lists that cannot change
public enum DlaVariant implements Variant {
    /** DLA-34. */
    DLA34(Dla.Kind.BASIC, 1, 64, false, levels(1, 1, 1, 2, 2, 1), channels(16, 32, 64, 128, 256, 512)),
    /** DLA-46-C, compact. */
    DLA46_C(Dla.Kind.BOTTLENECK, 1, 64, false, levels(1, 1, 1, 2, 2, 1), channels(16, 32, 64, 64, 128, 256)),
    /** DLA-46-X-C, compact, with grouped convolutions. */
    DLA46X_C(Dla.Kind.BOTTLENECK, 32, 4, false, levels(1, 1, 1, 2, 2, 1), channels(16, 32, 64, 64, 128, 256)),
    /** DLA-60-X-C, compact, with grouped convolutions. */
    DLA60X_C(Dla.Kind.BOTTLENECK, 32, 4, false, levels(1, 1, 1, 2, 3, 1), channels(16, 32, 64, 64, 128, 256)),
    /** DLA-60. */
    DLA60(Dla.Kind.BOTTLENECK, 1, 64, false, levels(1, 1, 1, 2, 3, 1), channels(16, 32, 128, 256, 512, 1024)),
    /** DLA-60-X, with grouped convolutions. */
    DLA60X(Dla.Kind.BOTTLENECK, 32, 4, false, levels(1, 1, 1, 2, 3, 1), channels(16, 32, 128, 256, 512, 1024)),
    /** DLA-102. */
    DLA102(Dla.Kind.BOTTLENECK, 1, 64, true, levels(1, 1, 1, 3, 4, 1), channels(16, 32, 128, 256, 512, 1024)),
    /** DLA-102-X, with grouped convolutions. */
    DLA102X(Dla.Kind.BOTTLENECK, 32, 4, true, levels(1, 1, 1, 3, 4, 1), channels(16, 32, 128, 256, 512, 1024)),
    /** DLA-102-X2, with twice the groups. */
    DLA102X2(Dla.Kind.BOTTLENECK, 64, 4, true, levels(1, 1, 1, 3, 4, 1), channels(16, 32, 128, 256, 512, 1024)),
    /** DLA-169. */
    DLA169(Dla.Kind.BOTTLENECK, 1, 64, true, levels(1, 1, 2, 3, 5, 1), channels(16, 32, 128, 256, 512, 1024)),
    /** DLA-60 with Res2Net's blocks. */
    DLA60_RES2NET(Dla.Kind.BOTTLE2NECK, 1, 28, false, levels(1, 1, 1, 2, 3, 1), channels(16, 32, 128, 256, 512, 1024)),
    /** DLA-60 with Res2NeXt's blocks. */
    DLA60_RES2NEXT(Dla.Kind.BOTTLE2NECK, 8, 4, false, levels(1, 1, 1, 2, 3, 1), channels(16, 32, 128, 256, 512, 1024));

    final Dla.Kind kind;
    final int cardinality;
    final int baseWidth;
    final boolean residualRoot;
    final List<Integer> levels;
    final List<Integer> channels;

    DlaVariant(
            Dla.Kind kind,
            int cardinality,
            int baseWidth,
            boolean residualRoot,
            List<Integer> levels,
            List<Integer> channels) {
        this.kind = kind;
        this.cardinality = cardinality;
        this.baseWidth = baseWidth;
        this.residualRoot = residualRoot;
        this.levels = levels;
        this.channels = channels;
    }

    @Override
    public String modelName() {
        return name().toLowerCase(Locale.ROOT);
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
    public Optional<String> differenceToTimm(NetworkOptions options) {
        return Optional.empty();
    }

    @Override
    public Dla build(NetworkOptions options) {
        return new Dla(this, options);
    }

    // Lets the table's columns read by name.

    private static List<Integer> levels(Integer... depths) {
        return List.of(depths);
    }

    private static List<Integer> channels(Integer... counts) {
        return List.of(counts);
    }
}
