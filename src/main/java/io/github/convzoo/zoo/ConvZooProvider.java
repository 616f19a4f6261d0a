package io.github.convzoo.zoo;

import ai.djl.repository.zoo.ModelZoo;
import ai.djl.repository.zoo.ZooProvider;
import io.github.convzoo.network.Variant;
import io.github.convzoo.weights.Manifest;
import java.util.Set;

/**
 * Adds the networks to DJL's {@link ModelZoo}, under the group {@code io.github.convzoo}. Each network and each set of
 * published weights is an artifact with its name as the artifact id. DJL finds this class on the class path; you need
 * not use it.
 */
public final class ConvZooProvider implements ZooProvider {

    /** For DJL to call. */
    public ConvZooProvider() {}

    @Override
    public ModelZoo getModelZoo() {
        return new Zoo();
    }

    private static final class Zoo extends ModelZoo {

        Zoo() {
            ConvZooRepository repository = new ConvZooRepository();
            for (Variant variant : Variant.all().values()) {
                addModel(new ZooLoader(variant, null, repository.resource(variant.modelName())));
                for (Manifest.Row row : ModelName.rows(variant)) {
                    addModel(new ZooLoader(variant, row, repository.resource(row.name())));
                }
            }
        }

        @Override
        public String getGroupId() {
            return ConvZooRepository.GROUP_ID;
        }

        @Override
        public Set<String> getSupportedEngines() {
            return Set.of(ConvZoo.ENGINE);
        }
    }
}
