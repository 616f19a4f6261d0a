package io.github.convzoo.spark;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/**
 * The columns that a classifier adds, in this order. An empty name leaves a column out.
 *
 * @param classes the names of the best classes
 * @param probabilities their probabilities
 * @param embedding the pooled features
 * @param error why an image has none of these
 */
record OutputColumns(String classes, String probabilities, String embedding, String error) implements Serializable {

    private static final DataType FLOATS = DataTypes.createArrayType(DataTypes.FloatType, false);
    private static final DataType STRINGS = DataTypes.createArrayType(DataTypes.StringType, false);

    boolean hasClassifier() {
        return !classes.isEmpty() || !probabilities.isEmpty();
    }

    boolean hasEmbedding() {
        return !embedding.isEmpty();
    }

    /**
     * Adds the columns to a schema.
     *
     * @throws IllegalArgumentException if there is nothing to compute, no column for errors, or a name is taken
     */
    StructType appendedTo(StructType schema) {
        if (!hasClassifier() && !hasEmbedding()) {
            throw new IllegalArgumentException(
                    "there is nothing to compute; name a column for classes, probabilities, or embeddings");
        }
        if (error.isEmpty()) {
            throw new IllegalArgumentException("errors need a column; name one with setErrorCol");
        }
        List<StructField> fields = new ArrayList<>(Arrays.asList(schema.fields()));
        add(fields, classes, STRINGS);
        add(fields, probabilities, FLOATS);
        add(fields, embedding, FLOATS);
        add(fields, error, DataTypes.StringType);
        return DataTypes.createStructType(fields);
    }

    private static void add(List<StructField> fields, String name, DataType type) {
        if (name.isEmpty()) {
            return;
        }
        for (StructField field : fields) {
            // Unless configured otherwise, Spark ignores the case of names.
            if (field.name().equalsIgnoreCase(name)) {
                throw new IllegalArgumentException("the column " + field.name()
                        + " already exists; drop or rename it, or choose another output column");
            }
        }
        fields.add(DataTypes.createStructField(name, type, true));
    }

    /**
     * The values of the columns.
     *
     * @param result of one image
     */
    List<@Nullable Object> values(Result result) {
        List<@Nullable Object> values = new ArrayList<>();
        if (!classes.isEmpty()) {
            values.add(result.classes());
        }
        if (!probabilities.isEmpty()) {
            values.add(result.probabilities());
        }
        if (!embedding.isEmpty()) {
            values.add(result.embedding());
        }
        values.add(result.error());
        return values;
    }

    /**
     * The result of one image: values, or an error.
     *
     * @param classes the names of the best classes, best first; null if there are none
     * @param probabilities their probabilities; null if there are none
     * @param embedding the pooled features; null if there are none
     * @param error why the image has no result; null if it has one
     */
    @SuppressWarnings("ArrayRecordComponent") // Handed to Spark once.
    record Result(
            String @Nullable [] classes,
            float @Nullable [] probabilities,
            float @Nullable [] embedding,
            @Nullable String error) {

        static Result failed(String error) {
            return new Result(null, null, null, error);
        }
    }
}
