package io.github.convzoo.zoo;

import ai.djl.Application;
import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.repository.MRL;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ModelLoader;
import ai.djl.repository.zoo.ModelNotFoundException;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.TranslateException;
import ai.djl.translate.Translator;
import ai.djl.translate.TranslatorFactory;
import ai.djl.util.Progress;
import io.github.convzoo.network.Variant;
import io.github.convzoo.weights.Manifest;
import io.github.convzoo.weights.WeightStore;
import java.io.IOException;
import java.nio.file.Files;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Loads one network for DJL's {@code Criteria}. */
final class ZooLoader implements ModelLoader {

    /** The filter that selects one of a network's published sets of weights. */
    static final String TAG = "tag";

    private final Variant variant;
    private final Manifest.@Nullable Row row;
    private final MRL mrl;

    /**
     * Creates a loader of a network.
     *
     * @param row the only published weights to load; null for all of the network's, selected by the filter
     */
    ZooLoader(Variant variant, Manifest.@Nullable Row row, MRL mrl) {
        this.variant = variant;
        this.row = row;
        this.mrl = mrl;
    }

    @Override
    public String getGroupId() {
        return mrl.getGroupId();
    }

    @Override
    public String getArtifactId() {
        return mrl.getArtifactId();
    }

    @Override
    public Application getApplication() {
        return mrl.getApplication();
    }

    @Override
    public MRL getMrl() {
        return mrl;
    }

    @Override
    public <I, O> ZooModel<I, O> loadModel(Criteria<I, O> criteria) throws IOException, ModelNotFoundException {
        TranslatorFactory factory = criteria.getTranslatorFactory() == null
                ? new ClassifierTranslatorFactory()
                : criteria.getTranslatorFactory();
        if (!factory.isSupported(criteria.getInputClass(), criteria.getOutputClass())) {
            throw new ModelNotFoundException(
                    ClassifierTranslatorFactory.unsupported(criteria.getInputClass(), criteria.getOutputClass()));
        }
        if (criteria.getBlock() != null) {
            throw new IllegalArgumentException(variant.modelName() + " brings its own block; omit the block option");
        }
        Arguments arguments = arguments(criteria);
        int[] levels = arguments.featureLevels();
        LoadOptions options = CheckpointBlockFactory.forLevels(arguments.options(null), levels)
                .withProgress(criteria.getProgress());
        if (criteria.getDevice() != null) {
            options = options.withDevice(criteria.getDevice());
        }
        if (factory instanceof ClassifierTranslatorFactory) {
            arguments.refuseUnknown(null);
            if (criteria.getInputClass() != NDList.class) {
                requireClassifier(options, levels);
            }
        }
        String name = name(criteria, options);
        ModelSource source = ModelSource.of(ModelName.published(name), options);
        String modelName = criteria.getModelName() == null ? name : criteria.getModelName();
        Model model = NativeLibrary.newModel(modelName, criteria.getDevice());
        try {
            model.setBlock(CheckpointBlockFactory.block(model, source, options, levels));
            Map<String, Object> all = new HashMap<>(arguments.values());
            all.put(Arguments.MODEL, name);
            Translator<I, O> translator =
                    factory.newInstance(criteria.getInputClass(), criteria.getOutputClass(), model, all);
            return translator instanceof ImageTranslator.Classifier<?> classifier
                    ? new LabeledModel<>(model, translator, classifier.labels())
                    : new GuardedModel<>(model, translator);
        } catch (TranslateException e) {
            model.close();
            if (e.getCause() instanceof IOException problem) {
                throw problem;
            }
            throw new ModelNotFoundException(e.getMessage(), e);
        } catch (IOException | RuntimeException e) {
            model.close();
            throw e;
        }
    }

    private static void requireClassifier(LoadOptions options, int @Nullable [] levels) {
        if (levels != null) {
            throw new IllegalArgumentException("feature maps need the types NDList to NDList; omit the argument "
                    + Arguments.Key.FEATURES_ONLY.text + " for classes");
        }
        ConvZoo.requireImages(options);
    }

    // DJL tries every matching loader, and an exception would keep it from trying the others.

    @Override
    public <I, O> boolean isDownloaded(Criteria<I, O> criteria) throws IOException, ModelNotFoundException {
        if (criteria.getArtifactId() == null) {
            return true;
        }
        LoadOptions options = arguments(criteria).options(null);
        if (options.weights != null) {
            return options.weights instanceof ModelName.Local local && Files.exists(local.path());
        }
        Manifest.Row found = ModelName.published(name(criteria, options)).row();
        return found == null || WeightStore.fromEnvironment().find(found).isPresent();
    }

    @Override
    public <I, O> void downloadModel(Criteria<I, O> criteria, @Nullable Progress progress)
            throws IOException, ModelNotFoundException {
        if (criteria.getArtifactId() == null) {
            return;
        }
        LoadOptions options = arguments(criteria).options(null);
        Manifest.Row found = ModelName.published(name(criteria, options)).row();
        if (options.weights == null && found != null) {
            WeightStore.fromEnvironment().fetch(found, progress);
        }
    }

    private static Arguments arguments(Criteria<?, ?> criteria) {
        Map<String, Object> all = new HashMap<>();
        if (criteria.getOptions() != null) {
            criteria.getOptions().forEach((name, value) -> {
                // Other options belong to the engine.
                if (Arguments.isKey(name)) {
                    all.put(name, value);
                }
            });
        }
        if (criteria.getArguments() != null) {
            all.putAll(criteria.getArguments());
        }
        return new Arguments(all);
    }

    /** The name of the model that the criteria ask for. */
    private String name(Criteria<?, ?> criteria, LoadOptions options) throws ModelNotFoundException {
        if (criteria.getArtifactId() == null) {
            // Any network would match, and each is a download, so another model was meant.
            throw new ModelNotFoundException("models of " + getGroupId() + " are selected by artifact id");
        }
        Map<String, String> filters = criteria.getFilters() == null ? Map.of() : criteria.getFilters();
        List<Manifest.Row> rows = row == null ? ModelName.rows(variant) : List.of(row);
        for (Manifest.Row each : rows) {
            if (filters.isEmpty() || filters.equals(Map.of(TAG, each.tag()))) {
                return each.name();
            }
        }
        if (filters.isEmpty() && options.weights != null) {
            return variant.modelName();
        }
        throw new ModelNotFoundException(variant.modelName() + " has "
                + (rows.isEmpty()
                        ? "no published weights; pass a file in the argument " + Arguments.Key.WEIGHTS.text
                        : "weights with the filter " + TAG + " "
                                + String.join(
                                        ", ",
                                        rows.stream().map(Manifest.Row::tag).toList()))
                + (filters.isEmpty() ? "" : ", not " + filters));
    }

    @Override
    public String toString() {
        return mrl.toString();
    }
}
