package io.github.convzoo.zoo;

import ai.djl.modality.Classifications;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import java.nio.file.Files;
import java.nio.file.Path;

/** Loads a model through DJL's Criteria in a process of its own, and prints the classes' names. */
final class CriteriaMain {

    private CriteriaMain() {}

    public static void main(String[] args) throws Exception {
        Criteria.Builder<Path, Classifications> criteria =
                Criteria.builder().setTypes(Path.class, Classifications.class);
        switch (args[0]) {
            case "argument" ->
                criteria.optGroupId("io.github.convzoo")
                        .optArtifactId("dla46x_c")
                        .optArgument("weights", args[1]);
            case "option" ->
                criteria.optGroupId("io.github.convzoo")
                        .optArtifactId("dla46x_c")
                        .optOption("weights", args[1]);
            default ->
                criteria.optModelPath(Path.of(args[2]))
                        .optEngine("PyTorch")
                        .optArgument("weights", args[1])
                        .optArgument("blockFactory", CheckpointBlockFactory.class.getName())
                        .optArgument("translatorFactory", ClassifierTranslatorFactory.class.getName())
                        .optOption("hasParameter", "false");
        }
        try (ZooModel<Path, Classifications> model = criteria.build().loadModel()) {
            try (var predictor = model.newPredictor()) {
                Path photo;
                try (var photos = Files.list(Path.of(args[2]))) {
                    photo = photos.filter(each -> each.toString().endsWith("cat.png"))
                            .findFirst()
                            .orElseThrow();
                }
                System.out.println(predictor.predict(photo).getClassNames());
            }
        }
    }
}
