package io.github.convzoo.train;

import com.google.gson.FieldNamingPolicy;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.TypeAdapter;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.util.Locale;

/**
 * The metrics of an epoch. Accuracies are fractions.
 *
 * @param epoch its number, starting at 1
 * @param step the number of updates up to its end
 * @param learningRate the learning rate of its last step
 * @param temperature the temperature of its dynamic convolutions' attention; 1 if there are none
 * @param trainLoss the mean loss over the training batches, with augmentation and regularization
 * @param trainAccuracy the accuracy on the same batches
 * @param valLoss the mean cross-entropy of the validation images; NaN, like the accuracies, without validation
 * @param valTop1 the top-1 validation accuracy
 * @param valTop5 the top-5 validation accuracy
 * @param valBalanced the mean per-class validation accuracy, over classes with images
 * @param seconds the duration, including validation
 * @param imagesPerSecond the training speed, excluding validation
 */
public record EpochMetrics(
        int epoch,
        long step,
        double learningRate,
        double temperature,
        double trainLoss,
        double trainAccuracy,
        double valLoss,
        double valTop1,
        double valTop5,
        double valBalanced,
        double seconds,
        double imagesPerSecond) {

    /** JSON cannot represent values that are not finite. */
    private static final TypeAdapter<Double> FINITE = new TypeAdapter<>() {

        @Override
        public void write(JsonWriter out, Double value) throws IOException {
            if (Double.isFinite(value)) {
                out.value(value);
            } else {
                out.nullValue();
            }
        }

        @Override
        public Double read(JsonReader in) throws IOException {
            if (in.peek() == JsonToken.NULL) {
                in.nextNull();
                return Double.NaN;
            }
            return in.nextDouble();
        }
    };

    private static final Gson GSON = new GsonBuilder()
            .serializeNulls()
            .setFieldNamingPolicy(FieldNamingPolicy.LOWER_CASE_WITH_UNDERSCORES)
            .registerTypeAdapter(double.class, FINITE)
            .registerTypeAdapter(Double.class, FINITE)
            .create();

    static final String CSV_HEAD = "epoch,step,learning_rate,temperature,train_loss,train_accuracy,val_loss,val_top1,"
            + "val_top5,val_balanced,seconds,images_per_second";

    String toCsv() {
        return String.format(
                Locale.ROOT,
                "%d,%d,%.9g,%.6g,%.6f,%.6f,%s,%s,%s,%s,%.2f,%.1f",
                epoch,
                step,
                learningRate,
                temperature,
                trainLoss,
                trainAccuracy,
                sixDigits(valLoss),
                sixDigits(valTop1),
                sixDigits(valTop5),
                sixDigits(valBalanced),
                seconds,
                imagesPerSecond);
    }

    /** A cell is empty if nothing was measured. */
    private static String sixDigits(double value) {
        return Double.isNaN(value) ? "" : String.format(Locale.ROOT, "%.6f", value);
    }

    String toJson() {
        return GSON.toJson(this);
    }

    static EpochMetrics ofJson(String line) {
        JsonObject object = GSON.fromJson(line, JsonObject.class);
        for (String name : CSV_HEAD.split(",", -1)) {
            if (object == null || !object.has(name)) {
                throw new JsonParseException("it has no " + name);
            }
        }
        return GSON.fromJson(object, EpochMetrics.class);
    }
}
