package io.github.convzoo.cli;

import java.util.regex.Pattern;

/** Names with {@code *} for any characters and {@code ?} for any one. */
final class Glob {

    private Glob() {}

    static boolean isGlob(String name) {
        return name.contains("*") || name.contains("?");
    }

    static Pattern of(String glob) {
        StringBuilder regex = new StringBuilder();
        for (int i = 0; i < glob.length(); i++) {
            char c = glob.charAt(i);
            regex.append(c == '*' ? ".*" : c == '?' ? "." : Pattern.quote(String.valueOf(c)));
        }
        return Pattern.compile(regex.toString(), Pattern.DOTALL);
    }
}
