package io.github.convzoo.serve;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.github.convzoo.image.RgbImage;
import io.github.convzoo.plot.ExplanationPicture;
import io.github.convzoo.zoo.ActivationMap;
import io.github.convzoo.zoo.Explanation;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import javax.imageio.ImageIO;

/**
 * Explanations, as TorchServe's path of that name: where an image has evidence for a class. The response is a picture
 * of the map over the image, or the map itself as JSON if the client asks for that ({@code Accept: application/json}).
 */
final class Explanations {

    private static final String CLASS = "class";

    private final Predictions predictions;

    Explanations(Predictions predictions) {
        this.predictions = predictions;
    }

    CompletionStage<Answer> explain(ServedModel model, Call call) throws Problem {
        call.allowQuery(Set.of(CLASS));
        boolean json = wantsJson(call.header("Accept").orElse("*/*"));
        Predictions.Content content = predictions.content(call, Set.of(CLASS));
        if (content.images().size() != 1) {
            throw new Problem(
                    Problem.Kind.BAD_REQUEST,
                    "an explanation is of one image, not " + content.images().size());
        }
        Optional<String> query = call.query(CLASS);
        String field = content.fields().get(CLASS);
        if (query.isPresent() && field != null) {
            throw new Problem(Problem.Kind.BAD_REQUEST, "class is given in the URL and in the form; give it once");
        }
        RgbImage image = predictions.image(model, content.images().get(0), call);
        call.memory().take(cost(image, json), "its image and explanation");
        return model.explain(
                        new ServedModel.Question(image, query.or(() -> Optional.ofNullable(field))), call.deadline())
                .thenApply(done ->
                        answer(image, done.outputs().get(0), json).with(Predictions.TIMING, Predictions.timing(done)));
    }

    /** The whole image waits, and is copied to be drawn on. Its map is small. */
    private static long cost(RgbImage image, boolean json) {
        long samples = 3L * image.width() * image.height();
        return AnswerCost.BASE + (json ? samples : 2 * samples + AnswerCost.PICTURE);
    }

    /** JSON if it is named before pictures. */
    private static boolean wantsJson(String accept) throws Problem {
        String types = accept.toLowerCase(Locale.ROOT);
        int json = types.indexOf("application/json");
        int png = types.indexOf("image/png");
        int any = Math.max(types.indexOf("image/*"), types.indexOf("*/*"));
        if (json < 0 && png < 0 && any < 0) {
            throw new Problem(
                    Problem.Kind.NOT_ACCEPTABLE, "an explanation is image/png or application/json, not " + accept);
        }
        return json >= 0 && (png < 0 || json < png);
    }

    private static Answer answer(RgbImage image, Explanation explanation, boolean json) {
        try {
            return json ? Answer.json(json(explanation)) : Answer.bytes("image/png", png(image, explanation));
        } catch (IOException e) {
            throw new CompletionException(e);
        }
    }

    private static byte[] png(RgbImage image, Explanation explanation) throws IOException {
        BufferedImage picture = ExplanationPicture.overlay(image, explanation);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        ImageIO.write(picture, "png", bytes);
        return bytes.toByteArray();
    }

    private static JsonObject json(Explanation explanation) {
        JsonObject json = new JsonObject();
        json.addProperty("className", explanation.className());
        json.addProperty("classNumber", explanation.classNumber());
        json.addProperty("probability", explanation.probability());
        json.addProperty("predicted", explanation.predicted());
        json.addProperty("imageWidth", explanation.imageWidth());
        json.addProperty("imageHeight", explanation.imageHeight());
        JsonArray area = new JsonArray();
        List.of(
                        explanation.area().left(),
                        explanation.area().top(),
                        explanation.area().width(),
                        explanation.area().height())
                .forEach(area::add);
        json.add("area", area);
        ActivationMap map = explanation.map();
        JsonArray rows = new JsonArray();
        for (int y = 0; y < map.height(); y++) {
            JsonArray row = new JsonArray();
            for (int x = 0; x < map.width(); x++) {
                row.add(map.value(y, x));
            }
            rows.add(row);
        }
        json.add("map", rows);
        return json;
    }
}
