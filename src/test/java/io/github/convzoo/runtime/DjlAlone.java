package io.github.convzoo.runtime;

import ai.djl.inference.Predictor;
import ai.djl.modality.Classifications;
import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.ImageFactory;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import java.nio.file.Path;

/** Loads a model folder with DJL alone, as DJL Serving does, and prints an image's classes. Uses nothing of ConvZoo. */
final class DjlAlone {

    private DjlAlone() {}

    /** Arguments: the folder, and images. */
    public static void main(String[] args) throws Exception {
        try {
            Class.forName("io.github.convzoo.zoo.ConvZoo");
            throw new IllegalStateException("ConvZoo is on the class path");
        } catch (ClassNotFoundException e) {
            // As it must be.
        }
        // DJL reads serving.properties itself: engine, model name, translator, and its arguments.
        Criteria<Image, Classifications> criteria = Criteria.builder()
                .setTypes(Image.class, Classifications.class)
                .optModelPath(Path.of(args[0]))
                .build();
        try (ZooModel<Image, Classifications> model = criteria.loadModel();
                Predictor<Image, Classifications> predictor = model.newPredictor()) {
            for (int i = 1; i < args.length; i++) {
                Classifications result =
                        predictor.predict(ImageFactory.getInstance().fromFile(Path.of(args[i])));
                System.out.println("classes " + result.items().size());
                for (Classifications.Classification each :
                        result.topK(result.items().size())) {
                    System.out.println(each.getProbability() + "\t" + each.getClassName());
                }
            }
        }
    }
}
