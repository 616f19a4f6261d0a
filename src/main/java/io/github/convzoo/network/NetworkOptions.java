package io.github.convzoo.network;

import java.util.OptionalDouble;

/**
 * The options of a network. Start from {@link Variant#options} and change what differs.
 *
 * @param numClasses the number of logits, at least 0; 0 omits the classifier and returns pooled features
 * @param inChannels the number of input channels, at least 1
 * @param dropout the dropout rate in [0, 1); the paper's if empty. Only for networks whose paper uses dropout
 * @param family the options of the variant's family
 */
public record NetworkOptions(int numClasses, int inChannels, OptionalDouble dropout, FamilyOptions family) {

    /**
     * Validates the values.
     *
     * @throws IllegalArgumentException if a value is out of range
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
    }

    static NetworkOptions of(int numClasses) {
        return new NetworkOptions(numClasses, 3, OptionalDouble.empty(), FamilyOptions.NONE);
    }

    /**
     * {@return the options with another number of classes}
     *
     * @param value the number of logits; 0 omits the classifier
     */
    public NetworkOptions withNumClasses(int value) {
        return new NetworkOptions(value, inChannels, dropout, family);
    }

    /**
     * {@return the options with another number of input channels}
     *
     * @param value the number of input channels
     */
    public NetworkOptions withInChannels(int value) {
        return new NetworkOptions(numClasses, value, dropout, family);
    }

    /**
     * {@return the options with another dropout rate}
     *
     * @param value the rate in [0, 1)
     */
    public NetworkOptions withDropout(double value) {
        return new NetworkOptions(numClasses, inChannels, OptionalDouble.of(value), family);
    }

    /**
     * {@return the options with other family options}
     *
     * @param value the options of the family
     */
    public NetworkOptions withFamily(FamilyOptions value) {
        return new NetworkOptions(numClasses, inChannels, dropout, value);
    }

    void refuseDropout(String model) {
        if (dropout.isPresent()) {
            throw new IllegalArgumentException(model + " has no dropout; omit the rate");
        }
    }

    /** Refuses options of another family. */
    void refuseFamilyOptions(String model) {
        if (!(family instanceof FamilyOptions.None)) {
            throw new IllegalArgumentException(
                    model + " has no options such as " + family.settings().keySet() + "; omit them");
        }
    }
}
