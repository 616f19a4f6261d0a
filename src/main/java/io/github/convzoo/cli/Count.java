package io.github.convzoo.cli;

import java.util.Locale;

/** Formats counts for people. */
final class Count {

    private Count() {}

    /** For example, 1 image or 1,200 images. */
    static String of(long number, String one) {
        return of(number, one, one + "s");
    }

    /** For example, 1 class or 1,000 classes. */
    static String of(long number, String one, String many) {
        return String.format(Locale.ROOT, "%,d %s", number, number == 1 ? one : many);
    }
}
