package io.github.convzoo.zoo;

/** An image, decoded and preprocessed by {@link StagedModel#prepare}: the network's input, channels x height x width. */
public final class PreparedImage {

    final float[] values;

    PreparedImage(float[] values) {
        this.values = values;
    }
}
