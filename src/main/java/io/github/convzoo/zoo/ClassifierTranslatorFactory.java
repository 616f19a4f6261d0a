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
import io.github.convzoo.weights.ModelConfig;
import java.io.IOException;
import java.io.Serializable;
import java.lang.reflect.Type;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Translates between the input and output types of DJL's {@code Criteria} and a network's arrays: images of the types
 * that {@link ConvZoo#load(String, Class, LoadOptions)} accepts to {@link Classifications}; {@link Input} to {@link
 * Output}, as in DJL Serving; and {@link NDList} to {@link NDList}, as the network's inputs and outputs.
 *
 * <p>Name this class in DJL's argument {@code translatorFactory}, together with {@link CheckpointBlockFactory}, which
 * determines the preprocessing. The arguments {@code labels} and {@code topK} are also supported.
 */
public final class ClassifierTranslatorFactory implements TranslatorFactory, Serializable {

    private static final long serialVersionUID = 1L;

    /** For DJL to call. */
    public ClassifierTranslatorFactory() {}

    @Override
    public Set<Pair<Type, Type>> getSupportedTypes() {
        Set<Pair<Type, Type>> types = new HashSet<>();
        for (Class<?> each : ImageReader.TYPES) {
            types.add(new Pair<>(each, Classifications.class));
        }
        types.add(new Pair<>(Input.class, Output.class));
        types.add(new Pair<>(NDList.class, NDList.class));
        return types;
    }

    /**
     * Creates a translator.
     *
     * @throws IllegalArgumentException if the types are not supported, or an argument is unknown or invalid
     * @throws TranslateException if the block outputs no logits, or the labels cannot be read
     */
    @Override
    @SuppressWarnings("unchecked")
    public <I, O> Translator<I, O> newInstance(Class<I> input, Class<O> output, Model model, Map<String, ?> arguments)
            throws TranslateException {
        if (!isSupported(input, output)) {
            throw new IllegalArgumentException(unsupported(input, output));
        }
        Arguments given = new Arguments(arguments);
        given.refuseUnknown(model.getModelPath());
        if (input == NDList.class) {
            return (Translator<I, O>)
                    (model.getBlock() instanceof Network network ? ConvZoo.logits(network) : new NoopTranslator());
        }
        if (!(model.getBlock() instanceof Network network)) {
            throw new TranslateException(model.getName() + " outputs no logits; use the types NDList to NDList");
        }
        try {
            ModelConfig config = config(model, network, given);
            LoadOptions options = given.labeled(model.getModelPath());
            if (input == Input.class) {
                return (Translator<I, O>) new ServingTranslator(
                        ConvZoo.classifier(config, RgbImage.class, options), ConvZoo.decoder(config, options));
            }
            return (Translator<I, O>) ConvZoo.classifier(config, input, options);
        } catch (IOException e) {
            throw new TranslateException(e.getMessage(), e);
        }
    }

    /** A message that lists the supported types. */
    static String unsupported(Type input, Type output) {
        return "from " + input.getTypeName() + " to " + output.getTypeName() + " is not supported; use "
                + ImageReader.names() + " to " + Classifications.class.getName()
                + ", Input to Output, or NDList to NDList";
    }

    /** The block's configuration: from {@link CheckpointBlockFactory}, or from the arguments for any other block. */
    private static ModelConfig config(Model model, Network network, Arguments given) throws IOException {
        @Nullable String json = model.getProperty(CheckpointBlockFactory.CONFIG);
        if (json != null) {
            return ModelConfig.parse(json, model.getName());
        }
        Object name = given.values().get(Arguments.MODEL);
        ModelName asked = ModelName.of(name == null ? network.modelName() : name.toString());
        return ModelSource.of(asked, given.options(model.getModelPath()))
                .config()
                .withOptions(network.options());
    }
}
