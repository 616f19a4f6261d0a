package io.github.convzoo.zoo;

import ai.djl.Device;
import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.image.Labels;
import io.github.convzoo.network.DpnOptions;
import io.github.convzoo.network.FamilyOptions;
import io.github.convzoo.network.NetworkOptions;
import io.github.convzoo.network.Variant;
import io.github.convzoo.weights.ExportedFile;
import io.github.convzoo.weights.LoadReport;
import io.github.convzoo.weights.Manifest;
import io.github.convzoo.weights.ModelConfig;
import io.github.convzoo.weights.ModelFolder;
import io.github.convzoo.weights.StateDict;
import io.github.convzoo.weights.WeightMatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A model before it is loaded: its weights, its configuration, and the options' changes.
 *
 * @param name the requested name
 * @param config the configuration, with the options' changes
 * @param declared the source of the configuration; null for the published or default configuration of the network
 * @param weights the weights file, or published weights that are not downloaded yet; null if there are none
 * @param remarks guesses, and settings overridden by options
 */
record ModelSource(
        String name,
        ModelConfig config,
        @Nullable String declared,
        @Nullable Weights weights,
        List<LoadReport.Remark> remarks) {

    /** The location of weights. */
    sealed interface Weights {

        /** In an open file, on which the tensors are views. */
        record Read(Checkpoint checkpoint) implements Weights {}

        /** In an exported file, together with the graph, for the configuration in its folder. */
        record Exported(ExportedFile file, ModelConfig declared) implements Weights {}

        /** Published weights. */
        record Published(Manifest.Row row) implements Weights {}
    }

    /**
     * Finds a model and applies the options.
     *
     * @param model the requested model; null to use only the options' weights
     * @throws IOException as in {@link #found}
     * @throws IllegalArgumentException as in {@link #found}
     */
    static ModelSource of(@Nullable ModelName model, LoadOptions options) throws IOException {
        return found(model, options).changed(options);
    }

    /**
     * Finds a model without applying the options. Published weights are not downloaded, but the configuration and
     * weights of a hub repository are.
     *
     * @param model the requested model; null to use only the options' weights
     * @throws IOException if a configuration cannot be read or fetched, or contradicts the name; the message names both
     * @throws IllegalArgumentException if there is no such model, or it does not support the options
     */
    static ModelSource found(@Nullable ModelName model, LoadOptions options) throws IOException {
        ModelName weights = options.weights;
        if (weights == null) {
            return alone(Objects.requireNonNull(model, "model"), options);
        }
        return model == null ? alone(weights, options) : of(model, weights, options);
    }

    /** A network to train from scratch; options about weights are ignored. */
    static ModelSource untrained(ModelName.Published name, LoadOptions options) {
        return published(name).changed(options);
    }

    private static ModelSource published(ModelName.Published name) {
        Manifest.@Nullable Row row = name.row();
        return new ModelSource(
                name.toString(),
                row == null ? ModelConfig.usual(name.variant()) : ModelConfig.of(row),
                null,
                row == null ? null : new Weights.Published(row),
                List.of());
    }

    private static ModelSource alone(ModelName name, LoadOptions options) throws IOException {
        if (name instanceof ModelName.Published published) {
            return published(published);
        }
        Found found = find(name, options);
        ModelConfig config = found.config.orElseThrow(
                () -> new IllegalArgumentException(name + ": the network is unknown, because there is no "
                        + ModelFolder.CONFIG + "; name the network, such as dla34, and pass this path as the weights"));
        return new ModelSource(name.toString(), config, found.where, found.weights, found.remarks);
    }

    /** Weights from one place for a network named elsewhere. The weights' own configuration takes precedence. */
    private static ModelSource of(ModelName model, ModelName weights, LoadOptions options) throws IOException {
        ModelSource base = alone(model, options);
        Found found = find(weights, options);
        if (found.config.isPresent()) {
            Variant says = found.config.get().variant();
            if (says != base.config.variant()) {
                throw new IOException(found.where + ": is for " + says.modelName() + ", but " + model + " is "
                        + base.config.variant().modelName() + "; omit the name, or pass other weights");
            }
            return new ModelSource(weights.toString(), found.config.get(), found.where, found.weights, found.remarks);
        }
        List<LoadReport.Remark> remarks = new ArrayList<>(found.remarks);
        remarks.add(guess(weights + ": no configuration found; using the preprocessing of "
                + (base.declared == null ? base.name : base.declared) + ", unless options override it"));
        // Labels and tag belong to the published weights.
        ModelConfig config = base.declared == null ? base.config.ofOtherWeights() : base.config;
        return new ModelSource(base.name, config, base.declared, found.weights, remarks);
    }

    /** What was found at a place: weights, and their configuration, if any. */
    private record Found(
            Weights weights, Optional<ModelConfig> config, String where, List<LoadReport.Remark> remarks) {}

    private static Found find(ModelName name, LoadOptions options) throws IOException {
        if (name instanceof ModelName.Hub hub) {
            return hub(HubModel.of(hub, options));
        }
        if (!(name instanceof ModelName.Local local)) {
            throw new IllegalArgumentException(name + " is a network's name; pass a weights file or folder");
        }
        Path path = local.path();
        List<ExportedFile> exported = exportedFiles(path);
        if (!exported.isEmpty()) {
            Path folder = Files.isDirectory(path) ? path : path.toAbsolutePath().getParent();
            return exported(Objects.requireNonNull(folder, "a file is in a folder"), exported, options);
        }
        Checkpoint checkpoint = checkpoint(path, options);
        Optional<ModelConfig> config = ModelFolder.config(path);
        return new Found(
                new Weights.Read(checkpoint),
                config.isPresent() ? config : ModelFolder.config(checkpoint),
                (config.isPresent() ? path.resolve(ModelFolder.CONFIG) : checkpoint.file()).toString(),
                List.of());
    }

    /** The exported files at a place; empty if it has weights. */
    private static List<ExportedFile> exportedFiles(Path path) throws IOException {
        if (!Files.isDirectory(path)) {
            return ExportedFile.of(path).stream().toList();
        }
        return ModelFolder.weights(path).isPresent() ? List.of() : ExportedFile.in(path);
    }

    /**
     * One of a folder's exported files: the one that the options or the device require, else ONNX if its runtime is
     * available.
     */
    private static Found exported(Path folder, List<ExportedFile> files, LoadOptions options) throws IOException {
        CompiledRuntime runtime = options.compiled.orElse(CompiledRuntime.FASTEST);
        boolean cpu = options.device == null || !options.device.isGpu();
        ExportedFile.Format wanted = runtime.isOnnx(cpu, ModelCompiler.find().hasOnnxRuntime())
                ? ExportedFile.Format.ONNX
                : ExportedFile.Format.TORCHSCRIPT;
        ExportedFile file = files.stream()
                .filter(each -> each.format() == wanted)
                .findFirst()
                .orElse(files.get(0));
        List<LoadReport.Remark> remarks = files.size() == 1
                ? List.of()
                : List.of(guess(folder + ": several exported files found; running "
                        + file.path().getFileName()));
        ModelConfig config = ModelFolder.config(folder)
                .orElseThrow(() -> new IOException(file.path() + ": no " + ModelFolder.CONFIG
                        + " next to this file; export it with convzoo export, or add one"));
        return new Found(
                new Weights.Exported(file, config),
                Optional.of(config),
                folder.resolve(ModelFolder.CONFIG).toString(),
                remarks);
    }

    /** The device of a model: the requested one, else the CPU if the exported file's runtime needs it. */
    @Nullable Device device(LoadOptions options) {
        boolean onnx =
                weights instanceof Weights.Exported exported && exported.file().format() == ExportedFile.Format.ONNX;
        return onnx && options.device == null ? Device.cpu() : options.device;
    }

    private static Found hub(HubModel hub) throws IOException {
        ModelConfig config = hub.config();
        return new Found(
                new Weights.Read(hub.checkpoint()),
                Optional.of(config),
                hub.name() + "/" + ModelFolder.CONFIG,
                hub.revision().stale().stream()
                        .map(why -> guess(hub.name() + " is used at commit "
                                + hub.revision().commit()
                                + ", as last time, because the hub was not queried (" + why + ")"))
                        .toList());
    }

    /**
     * Opens the weights at a place, whatever their network.
     *
     * @throws IOException if they cannot be read or fetched
     * @throws IllegalArgumentException if the options name none
     */
    static Checkpoint checkpoint(LoadOptions options) throws IOException {
        if (options.weights instanceof ModelName.Hub hub) {
            return HubModel.of(hub, options).checkpoint();
        }
        if (options.weights instanceof ModelName.Local local) {
            return checkpoint(local.path(), options);
        }
        throw new IllegalArgumentException("the options have no weights; pass a file, a folder, or a repository");
    }

    private static Checkpoint checkpoint(Path path, LoadOptions options) throws IOException {
        Path file = Files.isDirectory(path)
                ? ModelFolder.weights(path)
                        .orElseThrow(() -> new IOException(path + ": no weights found; pass a folder with "
                                + (Files.exists(path.resolve(ModelFolder.CONFIG)) ? "" : ModelFolder.CONFIG + " and ")
                                + ModelFolder.WEIGHTS))
                : path;
        return Checkpoint.read(file, options.reading.limits());
    }

    /** Applies the options; each change that contradicts a declared configuration becomes a remark. */
    ModelSource changed(LoadOptions options) {
        List<LoadReport.Remark> changes = new ArrayList<>(remarks);
        ModelConfig changed = config;
        NetworkOptions network = config.options();
        FamilyOptions family = network.family();
        if (options.lastActivation != null) {
            family = family.with(DpnOptions.LAST_ACTIVATION, options.lastActivation.toString());
        }
        if (options.testTimePool) {
            family = family.with(DpnOptions.TEST_TIME_POOL, "true");
        }
        network = network.withFamily(family);
        if (options.numClasses.isPresent()) {
            network = network.withNumClasses(options.numClasses.getAsInt());
        }
        if (options.inChannels.isPresent()) {
            network = network.withInChannels(options.inChannels.getAsInt());
        }
        changed = changed.withOptions(network);
        if (options.preprocessing != null) {
            changed = changed.withPreprocessing(options.preprocessing);
        }
        if (options.inputHeight.isPresent() && options.inputWidth.isPresent()) {
            changed = changed.withPreprocessing(
                    changed.preprocessing(options.inputHeight.getAsInt(), options.inputWidth.getAsInt()));
        }
        if (options.upright.isPresent()) {
            changed = changed.withUpright(options.upright.get());
        }
        if (declared != null) {
            addOverrides(changed, options.labels, changes);
        }
        network.family().settings().forEach((key, value) -> {
            boolean asked = !value.equals(config.options().family().settings().get(key));
            boolean published = weights instanceof Weights.Published;
            LoadReport.Remark.Kind kind = asked || declared != null || published
                    ? LoadReport.Remark.Kind.SETTING
                    : LoadReport.Remark.Kind.GUESS;
            String from =
                    asked ? "requested" : declared != null ? declared : published ? "as published" : "the default";
            if (!value.equals("false")) {
                changes.add(new LoadReport.Remark(kind, key.replace('_', ' ') + ": " + value + " (" + from + ")"));
            }
        });
        return new ModelSource(name, changed, declared, weights, changes);
    }

    private void addOverrides(ModelConfig changed, @Nullable Labels labels, List<LoadReport.Remark> changes) {
        addOverride(
                changed, changes, "number of classes", each -> each.options().numClasses());
        addOverride(changed, changes, "input channels", each -> each.options().inChannels());
        addOverride(
                changed,
                changes,
                "input size",
                each -> each.preprocessing().height() + " x "
                        + each.preprocessing().width());
        addOverride(
                changed, changes, "crop fraction", each -> each.preprocessing().cropFraction());
        addOverride(changed, changes, "crop mode", each -> each.preprocessing().cropMode());
        addOverride(changed, changes, "interpolation", each -> each.preprocessing()
                .resampling()
                .name()
                .toLowerCase(Locale.ROOT));
        if (changed.options().inChannels() == config.options().inChannels()) {
            addOverride(changed, changes, "normalization", each -> each.preprocessing()
                    .normalization());
        }
        addOverride(changed, changes, "orientation", each -> each.upright() ? "upright" : "as stored");
        for (String key : changed.options().family().settings().keySet()) {
            addOverride(
                    changed,
                    changes,
                    key.replace('_', ' '),
                    each -> String.valueOf(each.options().family().settings().get(key)));
        }
        if (labels != null && config.labels().filter(labels::equals).isEmpty()) {
            changes.add(override("the labels given instead of those of " + declared));
        }
    }

    private void addOverride(
            ModelConfig changed, List<LoadReport.Remark> changes, String what, Function<ModelConfig, Object> value) {
        Object before = value.apply(config);
        Object after = value.apply(changed);
        if (!before.equals(after)) {
            changes.add(override(what + " " + after + " instead of " + before + " of " + declared));
        }
    }

    private static LoadReport.Remark guess(String text) {
        return new LoadReport.Remark(LoadReport.Remark.Kind.GUESS, text);
    }

    private static LoadReport.Remark override(String text) {
        return new LoadReport.Remark(LoadReport.Remark.Kind.OVERRIDE, text);
    }

    /** The weights; published ones are downloaded. */
    Checkpoint read(LoadOptions options) throws IOException {
        if (weights instanceof Weights.Read read) {
            return read.checkpoint();
        }
        if (weights instanceof Weights.Exported exported) {
            throw new IOException(
                    exported.file().path() + ": this is an exported graph, which can only be run; weights are needed,"
                            + " such as the " + ModelFolder.WEIGHTS + " that it was exported from");
        }
        if (weights instanceof Weights.Published published) {
            return Checkpoint.read(
                    options.store().fetch(published.row(), options.progress).path(), options.reading.limits());
        }
        throw new IllegalArgumentException(
                "there are no published weights for " + config.variant().modelName() + "; pass a checkpoint file");
    }

    /** The configuration with the classes and input channels of the weights, unless these are requested or declared. */
    ModelConfig configFor(StateDict stateDict, LoadOptions options) {
        Variant variant = config.variant();
        NetworkOptions network = config.options();
        if (declared == null && options.numClasses.isEmpty()) {
            network = network.withNumClasses(stateDict.classes(variant).orElse(network.numClasses()));
        }
        if (declared == null && options.inChannels.isEmpty()) {
            network = network.withInChannels(stateDict.inChannels(variant).orElse(network.inChannels()));
        }
        return config.withOptions(network);
    }

    /** Refuses weights that contradict the declared configuration, naming both. */
    void requireDeclared(StateDict stateDict, LoadOptions options) throws IOException {
        if (declared == null) {
            return;
        }
        Variant variant = config.variant();
        Path file = stateDict.checkpoint().file();
        if (!WeightMatch.of(stateDict, variant).fits()) {
            for (WeightMatch match : WeightMatch.rank(stateDict)) {
                if (match.fits()) {
                    throw new IOException(
                            declared + ": is for " + variant.modelName() + ", but the weights in " + file + " are for "
                                    + match.variant().modelName() + "; correct the architecture, or use its weights");
                }
            }
        }
        if (options.numClasses.isEmpty()) {
            requireSame("classes", config.options().numClasses(), stateDict.classes(variant), file);
        }
        if (options.inChannels.isEmpty()) {
            requireSame("input channels", config.options().inChannels(), stateDict.inChannels(variant), file);
        }
    }

    private void requireSame(String what, int says, OptionalInt has, Path file) throws IOException {
        if (has.isPresent() && has.getAsInt() != says && says != 0) {
            throw new IOException(declared + ": has " + says + " " + what + ", but the weights in " + file + " have "
                    + has.getAsInt() + "; correct one of them");
        }
    }
}
