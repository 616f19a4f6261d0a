package io.github.convzoo.cli;

import java.util.List;

/** What is reported about one image. The records' fields are those of the JSON results. */
sealed interface ImageResult {

    /** The image's path or URL, as given. */
    String image();

    /** The best classes, best first. */
    record Classified(String image, List<Prediction> predictions) implements ImageResult {}

    /** The reason why an image has no result, on one line. */
    record Failed(String image, String error) implements ImageResult {}
}
