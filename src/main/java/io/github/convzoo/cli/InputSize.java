package io.github.convzoo.cli;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The input size in pixels, as given by {@code --input-size}. */
record InputSize(int height, int width) {

    private static final Pattern SIZE = Pattern.compile("(-?\\d{1,9})(?:x(-?\\d{1,9}))?");

    /** Parses S, for a square, or HxW. */
    static InputSize of(String text) {
        Matcher matcher = SIZE.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException(
                    "--input-size must be a side, such as 224, or height x width, such as 192x320, not " + text);
        }
        int height = Integer.parseInt(matcher.group(1));
        int width = matcher.group(2) == null ? height : Integer.parseInt(matcher.group(2));
        if (height < 1 || width < 1) {
            throw new IllegalArgumentException("--input-size must be at least 1, not " + Math.min(height, width));
        }
        return new InputSize(height, width);
    }
}
