package io.github.convzoo.serve;

import io.github.convzoo.image.ImageDecoder;
import io.github.convzoo.weights.ModelConfig;
import io.github.convzoo.zoo.LoadOptions;
import io.github.convzoo.zoo.OpenModel;
import java.util.regex.Pattern;

/**
 * A model to serve.
 *
 * @param name its name in URLs: ASCII letters, digits, and {@code . _ -}
 * @param model the model
 * @param options how to load it
 * @param config its configuration, with the options' changes
 * @param decoder decodes the images of requests
 */
public record Offer(String name, OpenModel model, LoadOptions options, ModelConfig config, ImageDecoder decoder) {

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,100}");

    /**
     * Checks the name.
     *
     * @throws IllegalArgumentException if it would need escapes in a URL, or means a folder
     */
    public Offer {
        if (!isName(name)) {
            throw new IllegalArgumentException("a model is served under a name of ASCII letters, digits, dots,"
                    + " underscores, and hyphens, not " + name + "; give it one, as in NAME=MODEL");
        }
    }

    /**
     * {@return whether a model can be served under a name}
     *
     * @param name the name
     */
    public static boolean isName(String name) {
        return NAME.matcher(name).matches() && !name.matches("\\.+");
    }
}
