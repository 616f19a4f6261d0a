package io.github.convzoo.zoo;

import ai.djl.Model;
import ai.djl.translate.Translator;
import io.github.convzoo.image.Labels;
import java.io.ByteArrayInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLConnection;
import java.net.URLStreamHandler;
import java.nio.charset.StandardCharsets;
import java.util.function.Function;

/** A classifier that provides its labels where DJL's tools look for them, in the artifact {@code synset.txt}. */
final class LabeledModel<I, O> extends GuardedModel<I, O> {

    private static final String SYNSET = "synset.txt";

    private final byte[] synset;

    LabeledModel(Model model, Translator<I, O> translator, Labels labels) {
        super(model, translator);
        synset = (String.join("\n", labels.names()) + "\n").getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public String[] getArtifactNames() {
        return new String[] {SYNSET};
    }

    @Override
    public <T> T getArtifact(String name, Function<InputStream, T> function) throws IOException {
        try (InputStream in = getArtifactAsStream(name)) {
            return function.apply(in);
        }
    }

    @Override
    public InputStream getArtifactAsStream(String name) throws IOException {
        return getArtifact(name).openStream();
    }

    @Override
    public URL getArtifact(String name) throws IOException {
        if (!name.equals(SYNSET)) {
            throw new FileNotFoundException(name + ": the model's only artifact is " + SYNSET);
        }
        return new URL(null, "convzoo:" + SYNSET, new URLStreamHandler() {
            @Override
            protected URLConnection openConnection(URL url) {
                return new URLConnection(url) {
                    @Override
                    public void connect() {}

                    @Override
                    public InputStream getInputStream() {
                        return new ByteArrayInputStream(synset);
                    }
                };
            }
        });
    }
}
