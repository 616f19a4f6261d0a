package io.github.convzoo.network;

import java.util.List;

/** The variants of {@link DpnPost}. */
@SuppressWarnings("ImmutableEnumChecker") // List.of gives lists that cannot change
public enum DpnPostVariant implements Variant {
    /** DPN-92, post-activation. */
    DPN92_POST("dpn92_post", 64, 32, List.of(3, 4, 20, 3), 96, List.of(16, 32, 24, 128)),
    /** DPN-98, post-activation. */
    DPN98_POST("dpn98_post", 96, 40, List.of(3, 6, 20, 3), 160, List.of(16, 32, 32, 128));

    private final String modelName;
    /** Channels of the stem. */
    final int stem;

    final int groups;
    final List<Integer> blocks;
    /** Channels of the first stage's middle; they double in each further stage. */
    final int middle;
    /** Channels that a block adds to the dense path. */
    final List<Integer> dense;

    DpnPostVariant(String modelName, int stem, int groups, List<Integer> blocks, int middle, List<Integer> dense) {
        this.modelName = modelName;
        this.stem = stem;
        this.groups = groups;
        this.blocks = blocks;
        this.middle = middle;
        this.dense = dense;
    }

    @Override
    public String modelName() {
        return modelName;
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
    public DpnPost build(NetworkOptions options) {
        return new DpnPost(this, options);
    }
}
