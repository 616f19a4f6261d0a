package io.github.convzoo.zoo;

import ai.djl.Application;
import ai.djl.repository.AbstractRepository;
import ai.djl.repository.Artifact;
import ai.djl.repository.MRL;
import ai.djl.repository.Metadata;
import ai.djl.util.Progress;
import io.github.convzoo.network.Variant;
import io.github.convzoo.weights.Manifest;
import io.github.convzoo.weights.WeightStore;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The manifest as a DJL repository: one artifact per set of published weights. */
final class ConvZooRepository extends AbstractRepository {

    static final String GROUP_ID = "io.github.convzoo";

    private static final Application APPLICATION = Application.CV.IMAGE_CLASSIFICATION;

    ConvZooRepository() {
        super(GROUP_ID, URI.create("convzoo:models"));
    }

    /** The DJL resource of a network, or of one set of its published weights. */
    MRL resource(String name) {
        return model(APPLICATION, GROUP_ID, name);
    }

    @Override
    public boolean isRemote() {
        return true;
    }

    @Override
    public Metadata locate(MRL mrl) {
        Metadata metadata = new Metadata();
        metadata.setGroupId(mrl.getGroupId());
        metadata.setArtifactId(mrl.getArtifactId());
        metadata.setApplication(APPLICATION);
        metadata.setName(mrl.getArtifactId());
        metadata.setRepositoryUri(mrl.toURI());
        List<Artifact> artifacts = new ArrayList<>();
        ModelName.Published name = ModelName.published(mrl.getArtifactId());
        for (Manifest.Row row : ModelName.rows(name.variant())) {
            if (mrl.getArtifactId().contains(".") && !row.equals(name.row())) {
                continue;
            }
            Artifact artifact = new Artifact();
            artifact.setName(row.name());
            artifact.setProperties(Map.of(ZooLoader.TAG, row.tag()));
            // For loaders other than ConvZoo's.
            artifact.setArguments(new ConcurrentHashMap<>(Map.of(
                    Arguments.MODEL,
                    row.name(),
                    "blockFactory",
                    CheckpointBlockFactory.class.getName(),
                    "translatorFactory",
                    ClassifierTranslatorFactory.class.getName())));
            artifact.setOptions(Map.of("hasParameter", "false"));
            artifacts.add(artifact);
        }
        metadata.setArtifacts(artifacts);
        return metadata;
    }

    @Override
    public Artifact resolve(MRL mrl, Map<String, String> filter) throws IOException {
        return mrl.match(filter);
    }

    @Override
    public void prepare(Artifact artifact, Progress progress) throws IOException {
        WeightStore.fromEnvironment().fetch(Manifest.find(artifact.getName()), progress);
    }

    @Override
    public Path getResourceDirectory(Artifact artifact) throws IOException {
        WeightStore store = WeightStore.fromEnvironment();
        return store.find(Manifest.find(artifact.getName()))
                .map(file -> file.path())
                // DJL checks whether it exists to decide whether everything is downloaded.
                .orElseGet(() -> store.files().directory().resolve(artifact.getName() + ".absent"));
    }

    @Override
    public Path getCacheDirectory() {
        return WeightStore.fromEnvironment().files().directory();
    }

    @Override
    public List<MRL> getResources() {
        return Variant.all().keySet().stream().map(this::resource).toList();
    }
}
