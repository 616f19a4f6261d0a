package io.github.convzoo.network;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The options of {@link Dpn}.
 *
 * @param testTimePool whether to classify each 7x7 window of the last map and pool the logits, for inputs larger than
 *     the training size
 * @param lastActivation the activation after the last normalization
 */
public record DpnOptions(boolean testTimePool, LastActivation lastActivation) implements FamilyOptions {

    /** The options of the published networks: no test-time pooling, and ReLU at the end. */
    public static final DpnOptions PUBLISHED = new DpnOptions(false, LastActivation.RELU);

    /** The name of the last activation in {@link #settings}. */
    public static final String LAST_ACTIVATION = "last_activation";

    /** The name of test-time pooling in {@link #settings}. */
    public static final String TEST_TIME_POOL = "test_time_pool";

    @Override
    public Map<String, String> settings() {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put(LAST_ACTIVATION, lastActivation.toString());
        settings.put(TEST_TIME_POOL, Boolean.toString(testTimePool));
        return settings;
    }

    @Override
    public DpnOptions with(String name, String value) {
        return switch (name) {
            case LAST_ACTIVATION -> new DpnOptions(testTimePool, LastActivation.of(value));
            case TEST_TIME_POOL -> new DpnOptions(flag(value), lastActivation);
            default ->
                throw new IllegalArgumentException(
                        "DPN has no option " + name + "; it has " + LAST_ACTIVATION + " and " + TEST_TIME_POOL);
        };
    }

    private static boolean flag(String value) {
        return switch (value) {
            case "true" -> true;
            case "false" -> false;
            default -> throw new IllegalArgumentException(TEST_TIME_POOL + " must be true or false, not " + value);
        };
    }
}
