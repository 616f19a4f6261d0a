package io.github.convzoo.zoo;

import ai.djl.Model;
import ai.djl.modality.Classifications;
import ai.djl.modality.Input;
import ai.djl.modality.Output;
import ai.djl.ndarray.NDList;
import ai.djl.translate.NoopTranslator;
import ai.djl.translate.TranslateException;
import ai.djl.translate.Translator;
import ai.djl.translate.TranslatorFactory;
import ai.djl.util.Pair;
import io.github.convzoo.image.RgbImage;
import io.github.convzoo.network.Network;
import java.io.IOException;
import java.io.Serializable;
import java.lang.reflect.Type;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Turns what DJL's {@code Criteria} names as input into a network's, and logits into what it names as output: images of
 * the types that {@link ConvZoo#load(String, Class, LoadOptions)} takes to {@link Classifications}, {@link Input} to
 * {@link Output} as DJL Serving has them, {@link NDList} to {@link NDList} as the network takes and gives them.
 *
 * <p>For DJL to name in the argument {@code translatorFactory}, with {@link CheckpointBlockFactory} beside it. The argument
 * {@code model} is the network's name; {@code labels}, {@code topK} and {@code inputSize} may be there too.
 */
public final class ClassifierTranslatorFactory implements TranslatorFactory, Serializable {

    private static final long serialVersionUID = 1L;

    /** For DJL to call. */
    public ClassifierTranslatorFactory() {}

    @Override
    public Set<Pair<Type, Type>> getSupportedTypes() {
        Set<Pair<Type, Type>> types = new HashSet<>();
        for (Class<?> each : ImageReader.ALL.keySet()) {
            types.add(new Pair<>(each, Classifications.class));
        }
        types.add(new Pair<>(Input.class, Output.class));
        types.add(new Pair<>(NDList.class, NDList.class));
        return types;
    }

    /**
     * Makes a translator.
     *
     * @throws IllegalArgumentException if the types are not supported, or an argument has no meaning
     * @throws TranslateException if the block gives no logits, or the labels cannot be read
     */
    @Override
    @SuppressWarnings("unchecked")
    public <I, O> Translator<I, O> newInstance(Class<I> input, Class<O> output, Model model, Map<String, ?> arguments)
            throws TranslateException {
        if (!isSupported(input, output)) {
            throw new IllegalArgumentException("from " + input.getName() + " to " + output.getName()
                    + " is not supported; images to " + Classifications.class.getName()
                    + ", Input to Output and NDList to "
                    + "NDList are");
        }
        if (input == NDList.class) {
            return (Translator<I, O>) new NoopTranslator();
        }
        if (!(model.getBlock() instanceof Network network)) {
            throw new TranslateException(model.getName() + " gives no logits; ask for NDList to NDList");
        }
        ImageReader<?> reader = input == Input.class ? ImageReader.of(RgbImage.class) : ImageReader.of(input);
        ImageTranslator<?> translator;
        try {
            translator = ConvZoo.classifier(
                    network, reader, name(network, arguments), new Arguments(arguments).labelled(home(model)));
        } catch (IOException e) {
            throw new TranslateException(e.getMessage(), e);
        }
        return (Translator<I, O>)
                (input == Input.class ? new ServingTranslator((ImageTranslator<RgbImage>) translator) : translator);
    }

    private static String name(Network network, Map<String, ?> arguments) {
        Object name = arguments.get(Arguments.MODEL);
        return name == null ? network.modelName() : name.toString();
    }

    private static @Nullable Path home(Model model) {
        return model.getModelPath();
    }
}
