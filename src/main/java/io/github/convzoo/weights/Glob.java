package io.github.convzoo.weights;

import java.util.regex.Pattern;

/** Name patterns with {@code *} for any characters and {@code ?} for one character; there are no other wildcards. */
public final class Glob {

    private Glob() {}

    /**
     * {@return whether a name has wildcards, so that it may match several names}
     *
     * @param name a name
     */
    public static boolean isGlob(String name) {
        return name.contains("*") || name.contains("?");
    }

    /**
     * Compiles a name pattern.
     *
     * @param glob a name with or without wildcards
     * @return a pattern to match against whole names
     */
    public static Pattern of(String glob) {
        StringBuilder regex = new StringBuilder();
        for (int i = 0; i < glob.length(); i++) {
            char c = glob.charAt(i);
            regex.append(c == '*' ? ".*" : c == '?' ? "." : Pattern.quote(String.valueOf(c)));
        }
        return Pattern.compile(regex.toString(), Pattern.DOTALL);
    }
}
