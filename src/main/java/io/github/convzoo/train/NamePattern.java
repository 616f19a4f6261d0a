package io.github.convzoo.train;

import java.util.Collection;
import java.util.List;
import java.util.regex.Pattern;

/** Canonical names of parameters, with {@code *} for any characters and {@code ?} for any one. */
final class NamePattern {

    private final String text;
    private final Pattern regex;

    NamePattern(String text) {
        this.text = text;
        StringBuilder regex = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            regex.append(c == '*' ? ".*" : c == '?' ? "." : Pattern.quote(String.valueOf(c)));
        }
        this.regex = Pattern.compile(regex.toString());
    }

    /** Those of the names that match: a pattern that none matches is a mistake. */
    List<String> in(Collection<String> names) {
        List<String> matching =
                names.stream().filter(name -> regex.matcher(name).matches()).toList();
        if (matching.isEmpty()) {
            throw new IllegalArgumentException("no parameter's name matches " + text + "; a name is such as "
                    + names.stream().findFirst().orElse("(there are none)") + ", * stands for any characters");
        }
        return matching;
    }
}
