package io.github.convzoo.spark;

import org.apache.spark.ml.Transformer;
import org.apache.spark.ml.param.BooleanParam;
import org.apache.spark.ml.param.IntParam;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.param.ParamValidators;
import org.apache.spark.ml.util.DefaultParamsReader;
import org.apache.spark.ml.util.DefaultParamsWritable;
import org.apache.spark.ml.util.Identifiable;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import scala.Option;

/**
 * Classifies images in a column, such as that of Spark's source {@code binaryFile}.
 *
 * <pre>{@code
 * Dataset<Row> images = spark.read().format("binaryFile").load("photos");
 * Dataset<Row> classified = new ImageClassifier().setModel("dpn68b").transform(images);
 * }</pre>
 *
 * <p>It adds the columns {@code classes} (the names of the best classes, best first) and {@code probabilities} (theirs),
 * both of which are those of {@code ConvZoo.load}, and {@code error}: an image that cannot be read has null in the other
 * columns, and the reason there. {@link #setEmbeddingCol} adds embeddings.
 *
 * <p>The driver finds the model, downloading published weights if necessary, and ships its files to the executors, which
 * need no network. Each executor loads a model once for all of its tasks, on the CPU. A task computes with {@code
 * spark.task.cpus} threads.
 *
 * @serial exclude
 */
@SuppressWarnings("InvalidBlockTag") // Error Prone does not know that a class may have @serial.
public final class ImageClassifier extends Transformer implements DefaultParamsWritable {

    private static final long serialVersionUID = 1;

    private final String uid;
    private final Param<String> inputCol;
    private final Param<String> model;
    private final BooleanParam compiled;
    private final IntParam topK;
    private final IntParam batchSize;
    private final Param<String> classesCol;
    private final Param<String> probabilitiesCol;
    private final Param<String> embeddingCol;
    private final Param<String> errorCol;

    /** Creates a classifier with a random identifier. {@link #setModel} is required. */
    public ImageClassifier() {
        this(Identifiable.randomUID("imageClassifier"));
    }

    /**
     * Creates a classifier. {@link #setModel} is required.
     *
     * @param uid its identifier in pipelines
     */
    public ImageClassifier(String uid) {
        this.uid = uid;
        inputCol = new Param<>(uid, "inputCol", "the column of image files' bytes", String.class);
        model = new Param<>(
                uid,
                "model",
                "a network, published weights, a model folder or file on the driver, or hf-hub:owner/name",
                String.class);
        compiled = new BooleanParam(uid, "compiled", "whether each executor compiles the model for its processor");
        topK = new IntParam(uid, "topK", "the number of classes per image", ParamValidators.gtEq(1));
        batchSize = new IntParam(
                uid,
                "batchSize",
                "the number of images to compute at once; unless set, one that does not change results",
                ParamValidators.gtEq(1));
        classesCol =
                new Param<>(uid, "classesCol", "the column of class names, best first; empty for none", String.class);
        probabilitiesCol =
                new Param<>(uid, "probabilitiesCol", "the column of their probabilities; empty for none", String.class);
        embeddingCol = new Param<>(uid, "embeddingCol", "the column of embeddings; empty for none", String.class);
        errorCol = new Param<>(uid, "errorCol", "the column that says why an image has no result", String.class);
        setDefault(inputCol, "content");
        setDefault(compiled, false);
        setDefault(topK, 5);
        setDefault(classesCol, "classes");
        setDefault(probabilitiesCol, "probabilities");
        setDefault(embeddingCol, "");
        setDefault(errorCol, "error");
    }

    /**
     * Returns a reader of saved classifiers, for {@code Pipeline.load}.
     *
     * @return the reader
     */
    public static MLReader<ImageClassifier> read() {
        return new DefaultParamsReader<>();
    }

    /**
     * Loads a saved classifier: its parameters. The model is found again by its name when it is used.
     *
     * @param path a folder written by {@code save}
     * @return the classifier
     */
    public static ImageClassifier load(String path) {
        return read().load(path);
    }

    @Override
    public String uid() {
        return uid;
    }

    /**
     * Adds the columns of results. Files of the model are found, and shipped to the executors, now; images are
     * classified when the result is used.
     *
     * @param images a data set with a column of image files' bytes
     * @return the data set with the columns of results
     * @throws IllegalArgumentException if there is no such model, it cannot be read or fetched, or the columns do not fit
     */
    @Override
    public Dataset<Row> transform(Dataset<?> images) {
        StructType schema = transformSchema(images.schema(), true);
        ShippedModel shipped = ModelShipper.ship(images.sparkSession().sparkContext(), requireModel(), getCompiled());
        Option<Object> size = get(batchSize);
        PartitionClassifier classifier = new PartitionClassifier(
                shipped, getTopK(), size.isDefined() ? (int) size.get() : 0, inputIndex(images.schema()), columns());
        return images.toDF().mapPartitions(classifier, Encoders.row(schema));
    }

    /**
     * Adds the columns of results to a schema.
     *
     * @param schema a schema with a column of image files' bytes
     * @return the schema with the columns of results
     * @throws IllegalArgumentException if the columns do not fit, or no model is set
     */
    @Override
    public StructType transformSchema(StructType schema) {
        requireModel();
        inputIndex(schema);
        return columns().appendedTo(schema);
    }

    private String requireModel() {
        Option<String> set = get(model);
        if (set.isEmpty() || set.get().isBlank()) {
            throw new IllegalArgumentException(uid
                    + ": no model is set; call setModel with a network, published weights, such as dpn68b.ra_in1k, or a"
                    + " model folder");
        }
        return set.get();
    }

    private OutputColumns columns() {
        return new OutputColumns(getClassesCol(), getProbabilitiesCol(), getEmbeddingCol(), getErrorCol());
    }

    private int inputIndex(StructType schema) {
        String name = getInputCol();
        int found = -1;
        for (int i = 0; i < schema.length(); i++) {
            if (schema.fields()[i].name().equals(name)) {
                if (found >= 0) {
                    throw new IllegalArgumentException(
                            "there are several columns " + name + "; rename all but the one that has the images");
                }
                found = i;
            }
        }
        if (found < 0) {
            throw new IllegalArgumentException("there is no column " + name + ", only "
                    + String.join(", ", schema.fieldNames()) + "; name the column of images with setInputCol");
        }
        DataType type = schema.fields()[found].dataType();
        if (!type.equals(DataTypes.BinaryType)) {
            throw new IllegalArgumentException("the column " + name + " has the type " + type.simpleString()
                    + ", but images are binary, the bytes of a file; read them with format(\"binaryFile\")");
        }
        return found;
    }

    @Override
    public ImageClassifier copy(ParamMap extra) {
        return defaultCopy(extra);
    }

    // Spark finds parameters by methods of this shape.

    /**
     * The parameter of {@link #setInputCol}.
     *
     * @return the parameter
     */
    public Param<String> inputCol() {
        return inputCol;
    }

    /**
     * The parameter of {@link #setModel}.
     *
     * @return the parameter
     */
    public Param<String> model() {
        return model;
    }

    /**
     * The parameter of {@link #setCompiled}.
     *
     * @return the parameter
     */
    public BooleanParam compiled() {
        return compiled;
    }

    /**
     * The parameter of {@link #setTopK}.
     *
     * @return the parameter
     */
    public IntParam topK() {
        return topK;
    }

    /**
     * The parameter of {@link #setBatchSize}.
     *
     * @return the parameter
     */
    public IntParam batchSize() {
        return batchSize;
    }

    /**
     * The parameter of {@link #setClassesCol}.
     *
     * @return the parameter
     */
    public Param<String> classesCol() {
        return classesCol;
    }

    /**
     * The parameter of {@link #setProbabilitiesCol}.
     *
     * @return the parameter
     */
    public Param<String> probabilitiesCol() {
        return probabilitiesCol;
    }

    /**
     * The parameter of {@link #setEmbeddingCol}.
     *
     * @return the parameter
     */
    public Param<String> embeddingCol() {
        return embeddingCol;
    }

    /**
     * The parameter of {@link #setErrorCol}.
     *
     * @return the parameter
     */
    public Param<String> errorCol() {
        return errorCol;
    }

    /**
     * Sets the column of images. Default: {@code content}.
     *
     * @param value a column of type binary, the bytes of image files
     * @return this
     */
    public ImageClassifier setInputCol(String value) {
        set(inputCol, value);
        return this;
    }

    /**
     * Returns the column of images.
     *
     * @return its name
     */
    public String getInputCol() {
        return getOrDefault(inputCol);
    }

    /**
     * Sets the model. Required.
     *
     * @param value a network ({@code dpn68b}), published weights ({@code dpn68b.ra_in1k}), a model folder or file on the
     *     driver, exported and quantized ones included, or {@code hf-hub:owner/name}
     * @return this
     */
    public ImageClassifier setModel(String value) {
        set(model, value);
        return this;
    }

    /**
     * Returns the model.
     *
     * @return its name
     * @throws java.util.NoSuchElementException if none is set
     */
    public String getModel() {
        return getOrDefault(model);
    }

    /**
     * Sets whether executors compile the model, as {@code LoadOptions.compiled()} does. Default: false.
     *
     * @param value whether to compile it
     * @return this
     */
    public ImageClassifier setCompiled(boolean value) {
        set(compiled, (Object) value);
        return this;
    }

    /**
     * Returns whether executors compile the model.
     *
     * @return whether to compile it
     */
    public boolean getCompiled() {
        return (boolean) getOrDefault(compiled);
    }

    /**
     * Sets the number of classes per image. Default: 5.
     *
     * @param value the number, at least 1
     * @return this
     */
    public ImageClassifier setTopK(int value) {
        set(topK, (Object) value);
        return this;
    }

    /**
     * Returns the number of classes per image.
     *
     * @return the number
     */
    public int getTopK() {
        return (int) getOrDefault(topK);
    }

    /**
     * Sets the number of images to compute at once. Unless set, it is one that does not change results: larger batches
     * differ in the last bits in PyTorch, and not in ONNX Runtime.
     *
     * @param value the number, at least 1
     * @return this
     */
    public ImageClassifier setBatchSize(int value) {
        set(batchSize, (Object) value);
        return this;
    }

    /**
     * Returns the number of images to compute at once.
     *
     * @return the number
     * @throws java.util.NoSuchElementException if none is set
     */
    public int getBatchSize() {
        return (int) getOrDefault(batchSize);
    }

    /**
     * Sets the column of class names, of type {@code array<string>}. Default: {@code classes}.
     *
     * @param value its name; empty for no such column
     * @return this
     */
    public ImageClassifier setClassesCol(String value) {
        set(classesCol, value);
        return this;
    }

    /**
     * Returns the column of class names.
     *
     * @return its name; empty for no such column
     */
    public String getClassesCol() {
        return getOrDefault(classesCol);
    }

    /**
     * Sets the column of the classes' probabilities, of type {@code array<float>}. Default: {@code probabilities}.
     *
     * @param value its name; empty for no such column
     * @return this
     */
    public ImageClassifier setProbabilitiesCol(String value) {
        set(probabilitiesCol, value);
        return this;
    }

    /**
     * Returns the column of the classes' probabilities.
     *
     * @return its name; empty for no such column
     */
    public String getProbabilitiesCol() {
        return getOrDefault(probabilitiesCol);
    }

    /**
     * Sets the column of embeddings, the pooled features of {@code ConvZoo.loadEmbeddings}, of type {@code
     * array<float>}. Together with classes, the network runs twice per image. Default: no such column.
     *
     * @param value its name; empty for no such column
     * @return this
     */
    public ImageClassifier setEmbeddingCol(String value) {
        set(embeddingCol, value);
        return this;
    }

    /**
     * Returns the column of embeddings.
     *
     * @return its name; empty for no such column
     */
    public String getEmbeddingCol() {
        return getOrDefault(embeddingCol);
    }

    /**
     * Sets the column that says why an image has no result; null if it has one. Default: {@code error}.
     *
     * @param value its name
     * @return this
     */
    public ImageClassifier setErrorCol(String value) {
        set(errorCol, value);
        return this;
    }

    /**
     * Returns the column that says why an image has no result.
     *
     * @return its name
     */
    public String getErrorCol() {
        return getOrDefault(errorCol);
    }
}
