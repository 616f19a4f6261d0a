package io.github.convzoo.network;

import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What may differ between two networks of one variant. Start from {@link Variant#options} and change what differs.
 *
 * @param numClasses the number of logits; 0 leaves the classifier out and gives pooled features
 * @param inChannels the number of input channels
 * @param dropout the dropout rate in [0, 1); the paper's where empty. Only networks whose paper has dropout take one
 * @param testTimePool whether to classify each 7x7 window of the last map and pool the logits, for inputs larger than
 *     the trained size; DPN only
 * @param lastActivation what follows the last normalisation; {@link LastActivation#ELU} where empty; DPN only
 */
public record NetworkOptions(
        int numClasses,
        int inChannels,
        OptionalDouble dropout,
        boolean testTimePool,
        Optional<LastActivation> lastActivation) {

    /**
     * Checks every value.
     *
     * @param numClasses at least 0
     * @param inChannels at least 1
     * @param dropout empty or in [0, 1)
     * @param testTimePool false where there are no classes
     * @param lastActivation any
     */
    public NetworkOptions {
        if (numClasses < 0) {
            throw new IllegalArgumentException(
                    "the number of classes must be at least 1, or 0 for pooled features, not " + numClasses);
        }
        if (inChannels < 1) {
            throw new IllegalArgumentException("the number of input channels must be at least 1, not " + inChannels);
        }
        if (dropout.isPresent() && !(dropout.getAsDouble() >= 0 && dropout.getAsDouble() < 1)) {
            throw new IllegalArgumentException("the dropout rate must be in [0, 1), not " + dropout.getAsDouble());
        }
        if (testTimePool && numClasses == 0) {
            throw new IllegalArgumentException("test-time pooling pools logits: it needs at least 1 class, not 0");
        }
    }

    static NetworkOptions of(int numClasses) {
        return new NetworkOptions(numClasses, 3, OptionalDouble.empty(), false, Optional.empty());
    }

    /**
     * With another number of classes.
     *
     * @param value the number of logits; 0 leaves the classifier out
     * @return the changed options
     */
    public NetworkOptions withNumClasses(int value) {
        return new NetworkOptions(value, inChannels, dropout, testTimePool, lastActivation);
    }

    /**
     * With another number of input channels.
     *
     * @param value the number of input channels
     * @return the changed options
     */
    public NetworkOptions withInChannels(int value) {
        return new NetworkOptions(numClasses, value, dropout, testTimePool, lastActivation);
    }

    /**
     * With another dropout rate.
     *
     * @param value the rate in [0, 1)
     * @return the changed options
     */
    public NetworkOptions withDropout(double value) {
        return new NetworkOptions(numClasses, inChannels, OptionalDouble.of(value), testTimePool, lastActivation);
    }

    /**
     * With or without test-time pooling.
     *
     * @param value whether to classify each 7x7 window of the last map
     * @return the changed options
     */
    public NetworkOptions withTestTimePool(boolean value) {
        return new NetworkOptions(numClasses, inChannels, dropout, value, lastActivation);
    }

    /**
     * With another last activation.
     *
     * @param value what follows the last normalisation
     * @return the changed options
     */
    public NetworkOptions withLastActivation(LastActivation value) {
        return new NetworkOptions(numClasses, inChannels, dropout, testTimePool, Optional.of(value));
    }

    void refuseDropout(String model) {
        if (dropout.isPresent()) {
            throw new IllegalArgumentException(model + " has no dropout: leave the rate out");
        }
    }

    /** Refuses what only {@link Dpn} has. */
    void refuseDpnOptions(String model) {
        if (testTimePool) {
            throw new IllegalArgumentException(
                    model + " has no test-time pooling: only dpn68, dpn68b, dpn92, dpn98, dpn131 and dpn107 have");
        }
        if (lastActivation.isPresent()) {
            throw new IllegalArgumentException(model + " has no choice of a last activation: only dpn68, dpn68b, dpn92,"
                    + " dpn98, dpn131 and dpn107 have");
        }
    }
}
