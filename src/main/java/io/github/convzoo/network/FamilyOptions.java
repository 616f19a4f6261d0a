package io.github.convzoo.network;

import java.util.Map;

/** What only the networks of one family can differ in. {@link Variant#options} has the family's default. */
public sealed interface FamilyOptions permits FamilyOptions.None, DpnOptions {

    /** Of a family that has no options of its own. */
    FamilyOptions NONE = new None();

    /** No options. */
    record None() implements FamilyOptions {
        @Override
        public Map<String, String> settings() {
            return Map.of();
        }

        @Override
        public FamilyOptions with(String name, String value) {
            throw new IllegalArgumentException(
                    DpnOptions.PUBLISHED.settings().containsKey(name)
                            ? name + " is an option of DPN only (dpn68, dpn68b, dpn92, dpn98, dpn131, dpn107);"
                                    + " leave it out"
                            : "there is no option " + name);
        }
    }

    /**
     * The options as a configuration file has them.
     *
     * @return names in lower case with underscores, and values as text; empty if the family has no options
     */
    Map<String, String> settings();

    /**
     * With one option as a configuration file has it.
     *
     * @param name one of the names of {@link #settings}
     * @param value its value as text
     * @return the changed options
     * @throws IllegalArgumentException if the family does not have the option, or the option does not have the value
     */
    FamilyOptions with(String name, String value);
}
