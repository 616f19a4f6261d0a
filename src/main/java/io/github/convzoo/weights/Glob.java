package io.github.convzoo.weights;

import java.util.regex.Pattern;

/** Names with {@code *} for any characters and {@code ?} for any one; nothing else stands for something else. */
public final class Glob {

    private Glob() {}

    /**
     * Whether a name has characters that stand for others.
     *
     * @param name a name
     * @return whether it may match several
     */
    public static boolean isGlob(String name) {
        return name.contains("*") || name.contains("?");
    }

    /**
     * What a name must match.
     *
     * @param glob a name with such characters or without
     * @return to be matched against the whole of a name
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
