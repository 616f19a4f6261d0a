package io.github.convzoo.zoo;

/** An image that {@link StagedModel#prepare} decoded and preprocessed: channels x height x width floats. */
public final class PreparedImage {

    final float[] values;

    PreparedImage(float[] values) {
        this.values = values;
    }
}
