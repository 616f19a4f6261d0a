package io.github.convzoo.network;

import java.util.Map;

/** The options of one family of networks. {@link Variant#options} has the family's defaults. */
public sealed interface FamilyOptions permits FamilyOptions.None, DpnOptions {

    /** For a family without its own options. */
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
                                    + " omit it"
                            : "unknown option " + name);
        }
    }

    /**
     * {@return the options as in a configuration file: names in lower case with underscores, and values as text; empty
     * if the family has no options}
     */
    Map<String, String> settings();

    /**
     * {@return the options with one option set as in a configuration file}
     *
     * @param name one of the names of {@link #settings}
     * @param value its value as text
     * @throws IllegalArgumentException if the family has no such option, or the value is invalid
     */
    FamilyOptions with(String name, String value);
}
