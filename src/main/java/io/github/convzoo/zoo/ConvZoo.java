package io.github.convzoo.zoo;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.modality.Classifications;
import ai.djl.modality.cv.Image;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.NoopTranslator;
import ai.djl.translate.Translator;
import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.image.Labels;
import io.github.convzoo.image.Normalization;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.image.Resampling;
import io.github.convzoo.image.RgbImage;
import io.github.convzoo.network.AlexNetVariant;
import io.github.convzoo.network.DlaVariant;
import io.github.convzoo.network.DpnPostVariant;
import io.github.convzoo.network.DpnVariant;
import io.github.convzoo.network.Network;
import io.github.convzoo.network.PeleeNetVariant;
import io.github.convzoo.network.Variant;
import io.github.convzoo.weights.LoadReport;
import io.github.convzoo.weights.StateDict;
import io.github.convzoo.weights.WeightLoader;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Loads networks with their weights as DJL models.
 *
 * <p>A model may be shared by threads; a predictor made from it belongs to one. The parameters are frozen, so that
 * prediction keeps nothing for gradients on any thread. {@code newTrainer} leaves them so: a network that is to be
 * trained is built from its {@link Variant} and loaded with {@link WeightLoader}.
 */
public final class ConvZoo {

    private static final String ENGINE = "PyTorch";

    private ConvZoo() {}

    /**
     * Loads an image classifier.
     *
     * @param modelName the network, such as {@code dla34}; {@link Variant#all} has them all
     * @param inputType what an image comes as: {@link Path}, DJL's {@link Image} or {@link RgbImage}
     * @param options the weights, and how to use them
     * @param <I> what an image comes as
     * @return the model; close it to free its memory
     * @throws CheckpointException if the checkpoint is unreadable or does not fit
     * @throws IllegalArgumentException if there is no such network, or it does not have what the options ask for
     */
    public static <I> ZooModel<I, Classifications> load(String modelName, Class<I> inputType, LoadOptions options)
            throws CheckpointException {
        Variant variant = Variant.of(modelName);
        Preprocessing preprocessing = options.preprocessing().orElseGet(() -> published(variant));
        ImageTranslator.Reader<I> reader = ImageTranslator.reader(inputType);
        if (options.inChannels() != 3) {
            throw new IllegalArgumentException("images have 3 channels, not " + options.inChannels()
                    + "; load the logits instead and give the network arrays");
        }
        return model(variant, options, preprocessing, network -> {
            int classes = network.options().numClasses();
            if (classes == 0) {
                throw new IllegalArgumentException("a classifier needs at least 1 class, not 0");
            }
            Labels labels = options.labels().orElseGet(() -> ImageTranslator.numbers(classes));
            if (labels.size() != classes) {
                throw new IllegalArgumentException("there are " + labels.size() + " labels, and the weights have "
                        + classes + " classes; give as many labels");
            }
            return new ImageTranslator<>(reader, preprocessing, labels, options.topK());
        });
    }

    /**
     * Loads a network for arrays.
     *
     * @param modelName the network, such as {@code dla34}; {@link Variant#all} has them all
     * @param options the weights, and how to use them; labels and top-k play no part
     * @return a model from (N, channels, H, W) to logits (N, classes), or features where the number of classes is 0;
     *     close it to free its memory
     * @throws CheckpointException if the checkpoint is unreadable or does not fit
     * @throws IllegalArgumentException if there is no such network, or it does not have what the options ask for
     */
    public static ZooModel<NDList, NDList> loadLogits(String modelName, LoadOptions options)
            throws CheckpointException {
        Variant variant = Variant.of(modelName);
        Preprocessing preprocessing = options.preprocessing().orElseGet(() -> published(variant));
        return model(variant, options, preprocessing, network -> new NoopTranslator());
    }

    /**
     * The preprocessing that a network was published with.
     *
     * @param variant the network
     * @return from an image of any size to the network's input
     */
    public static Preprocessing published(Variant variant) {
        if (variant instanceof DpnVariant) {
            return Preprocessing.DPN;
        }
        if (variant instanceof DlaVariant || variant instanceof PeleeNetVariant) {
            return Preprocessing.IMAGENET;
        }
        // The forms that tutorials train; what they do is what is usual.
        if (variant instanceof DpnPostVariant || variant instanceof AlexNetVariant) {
            return Preprocessing.ofCropFraction(
                    variant.inputSize(), 0.875, Resampling.BILINEAR, Normalization.IMAGENET);
        }
        throw new IllegalStateException("no preprocessing for " + variant);
    }

    private interface TranslatorFactory<I, O> {
        Translator<I, O> of(Network network);
    }

    private static <I, O> ZooModel<I, O> model(
            Variant variant, LoadOptions options, Preprocessing preprocessing, TranslatorFactory<I, O> translator)
            throws CheckpointException {
        StateDict stateDict = StateDict.of(Checkpoint.read(options.weights()));
        int classes = options.numClasses().orElseGet(() -> classes(stateDict, variant));
        Network network = variant.build(options.network(variant, classes));
        Optional<Device> device = options.device();
        Model model = Model.newInstance(variant.modelName(), device.orElse(null), ENGINE);
        try {
            Shape input = new Shape(1, options.inChannels(), preprocessing.height(), preprocessing.width());
            LoadReport report = WeightLoader.load(
                    stateDict, network, model.getNDManager(), input, WeightLoader.Classifier.MUST_MATCH);
            network.freezeParameters(true);
            network.foldNorms();
            model.setBlock(network);
            options.onLoaded().accept(report);
            return new ZooModel<>(model, translator.of(network));
        } catch (CheckpointException | RuntimeException e) {
            model.close();
            throw e;
        }
    }

    private static int classes(StateDict stateDict, Variant variant) {
        return stateDict.classes(variant).orElse(variant.options().numClasses());
    }
}
