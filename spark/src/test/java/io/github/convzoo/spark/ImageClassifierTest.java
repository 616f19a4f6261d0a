package io.github.convzoo.spark;

import static io.github.convzoo.spark.TestImages.MODEL;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import ai.djl.inference.Predictor;
import ai.djl.modality.Classifications;
import ai.djl.modality.Classifications.Classification;
import ai.djl.ndarray.NDList;
import ai.djl.repository.zoo.ZooModel;
import io.github.convzoo.data.BatchLoader;
import io.github.convzoo.data.FashionMnist;
import io.github.convzoo.data.LabeledImages;
import io.github.convzoo.data.LoaderOptions;
import io.github.convzoo.data.Pipeline;
import io.github.convzoo.data.Subset;
import io.github.convzoo.export.ExportOptions;
import io.github.convzoo.export.Exporter;
import io.github.convzoo.network.Network;
import io.github.convzoo.quantize.QuantizeOptions;
import io.github.convzoo.quantize.Quantizer;
import io.github.convzoo.weights.ModelConfig;
import io.github.convzoo.weights.ModelFolder;
import io.github.convzoo.weights.WeightSaver;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.LoadOptions;
import io.github.convzoo.zoo.PreparedImage;
import io.github.convzoo.zoo.StagedModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.apache.spark.SparkException;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.ml.feature.SQLTransformer;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The transformer on Spark in this JVM. */
class ImageClassifierTest {

    private static final int GOOD = 8;
    /** Spark gives no row for the empty file. */
    private static final int BAD = 2;

    private static SparkSession spark = LocalSpark.start();

    @TempDir
    private static Path folder = Path.of("");

    @TempDir
    private Path models = Path.of("");

    @BeforeAll
    static void writeImages() throws IOException {
        spark = LocalSpark.start();
        TestImages.goodAndBad(folder, GOOD);
    }

    @AfterAll
    static void stopSpark() {
        spark.stop();
    }

    private static Dataset<Row> images() {
        return LocalSpark.images(spark, folder);
    }

    private static ImageClassifier classifier() {
        return new ImageClassifier().setModel(MODEL);
    }

    /** Rows by the names of their files. */
    private static Map<String, Row> rows(Dataset<Row> classified) {
        Map<String, Row> rows = new TreeMap<>();
        for (Row row : classified.collectAsList()) {
            String path = row.getAs("path");
            String name = path.substring(path.lastIndexOf('/') + 1);
            assertThat(rows.put(name, row)).as(name).isNull();
        }
        return rows;
    }

    private static boolean isGood(String name) {
        return !List.of("text.png", "half.png").contains(name);
    }

    /** Asserts that good images have the model's classes, to the bit, and bad ones an error. */
    private static void assertClasses(Dataset<Row> classified, ZooModel<byte[], Classifications> model, int topK)
            throws Exception {
        Map<String, Row> rows = rows(classified);
        assertThat(rows).hasSize(GOOD + BAD);
        try (model;
                Predictor<byte[], Classifications> predictor = model.newPredictor()) {
            for (Map.Entry<String, Row> each : rows.entrySet()) {
                Row row = each.getValue();
                if (!isGood(each.getKey())) {
                    assertThat(row.<Object>getAs("classes")).isNull();
                    assertThat(row.<Object>getAs("probabilities")).isNull();
                    assertThat(row.<String>getAs("error")).as(each.getKey()).isNotBlank();
                    continue;
                }
                assertThat(row.<String>getAs("error")).isNull();
                byte[] image = Files.readAllBytes(folder.resolve(each.getKey()));
                List<Classification> expected = predictor.predict(image).topK(topK);
                assertThat(row.<String>getList(row.fieldIndex("classes")))
                        .containsExactlyElementsOf(expected.stream()
                                .map(Classification::getClassName)
                                .toList());
                assertThat(row.<Float>getList(row.fieldIndex("probabilities")))
                        .containsExactlyElementsOf(expected.stream()
                                .map(one -> (float) one.getProbability())
                                .toList());
            }
        }
    }

    private static ZooModel<byte[], Classifications> load(Path model) throws IOException {
        return ConvZoo.load(model, byte[].class, LoadOptions.published());
    }

    @Test
    void transform_ofGoodAndBadImages_givesTheModelsClassesAndErrors() throws Exception {
        Dataset<Row> classified = classifier().transform(images());

        assertThat(classified.columns())
                .containsExactly("path", "modificationTime", "length", "content", "classes", "probabilities", "error");
        assertThat(images().toJavaRDD().getNumPartitions()).isGreaterThan(2);
        assertClasses(classified, ConvZoo.load(MODEL, byte[].class, LoadOptions.published()), 5);
    }

    @Test
    void transform_ofABadImage_saysWhatIsWrongWithIt() {
        Map<String, Row> rows = rows(classifier().transform(images()));

        assertThat(get(rows, "text.png").<String>getAs("error")).contains("unknown image format");
        assertThat(get(rows, "half.png").<String>getAs("error")).isNotBlank();
    }

    private static Row get(Map<String, Row> rows, String name) {
        Row row = rows.get(name);
        assertThat(row).as(name).isNotNull();
        return java.util.Objects.requireNonNull(row);
    }

    @Test
    void transform_withOtherColumns_keepsThem() {
        Map<String, Row> before = rows(images());
        Map<String, Row> after = rows(classifier().transform(images()));

        after.forEach((name, row) -> {
            Row same = get(before, name);
            for (String column : List.of("path", "modificationTime", "length")) {
                assertThat(row.<Object>getAs(column)).isEqualTo(same.getAs(column));
            }
            assertThat(row.<byte[]>getAs("content")).isEqualTo(same.getAs("content"));
        });
    }

    @Test
    void transform_withTopK_givesThisManyClasses() throws Exception {
        assertClasses(
                classifier().setTopK(10).transform(images()),
                ConvZoo.load(MODEL, byte[].class, LoadOptions.published()),
                10);
    }

    @Test
    void transform_withEmbeddings_givesTheModelsFeatures() throws Exception {
        Map<String, Row> rows =
                rows(classifier().setEmbeddingCol("embedding").setTopK(1).transform(images()));

        try (ZooModel<byte[], float[]> model = ConvZoo.loadEmbeddings(MODEL, byte[].class, LoadOptions.published());
                Predictor<byte[], float[]> predictor = model.newPredictor()) {
            for (Map.Entry<String, Row> each : rows.entrySet()) {
                Row row = each.getValue();
                if (isGood(each.getKey())) {
                    assertThat(embedding(row))
                            .isEqualTo(predictor.predict(Files.readAllBytes(folder.resolve(each.getKey()))));
                    assertThat(row.getList(row.fieldIndex("classes"))).hasSize(1);
                } else {
                    assertThat(row.<Object>getAs("embedding")).isNull();
                }
            }
        }
    }

    private static float[] embedding(Row row) {
        List<Float> values = row.getList(row.fieldIndex("embedding"));
        float[] floats = new float[values.size()];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = values.get(i);
        }
        return floats;
    }

    @Test
    void transform_withEmbeddingsOnly_hasNoClasses() {
        ImageClassifier embedder = classifier()
                .setClassesCol("")
                .setProbabilitiesCol("")
                .setEmbeddingCol("vector")
                .setErrorCol("why");
        Dataset<Row> embedded = embedder.transform(images());

        assertThat(embedded.columns()).contains("vector", "why").doesNotContain("classes", "probabilities", "error");
        assertThat(embedded.filter("why is null").count()).isEqualTo(GOOD);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 100})
    void transform_compiled_givesTheSameBitsInAnyBatch(int size) throws Exception {
        assertClasses(
                classifier().setCompiled(true).setBatchSize(size).transform(images()),
                ConvZoo.load(MODEL, byte[].class, LoadOptions.published().compiled()),
                5);
    }

    @Test
    void transform_withoutProbabilities_hasTheOtherColumns() {
        Row row = classifier()
                .setProbabilitiesCol("")
                .setEmbeddingCol("vector")
                .transform(images())
                .filter("error is null")
                .first();

        assertThat(row.schema().fieldNames()).endsWith("classes", "vector", "error");
        assertThat(row.getList(row.fieldIndex("classes")).get(0)).isEqualTo("Bag");
        assertThat(row.getList(row.fieldIndex("vector")).get(0)).isInstanceOf(Float.class);
    }

    private static ModelConfig config() throws IOException {
        return ConvZoo.configuration(MODEL, LoadOptions.published());
    }

    @ParameterizedTest
    @EnumSource(ExportOptions.Format.class)
    void transform_withAnExportedFile_runsThatOfTwo(ExportOptions.Format format) throws Exception {
        Path folder = models.resolve("exported");
        try (ZooModel<NDList, NDList> model = ConvZoo.loadLogits(MODEL, LoadOptions.published())) {
            for (ExportOptions.Format each : ExportOptions.Format.values()) {
                new Exporter((Network) model.getBlock(), config()).export(folder, ExportOptions.of(each));
            }
        }
        Path file = folder.resolve(format.file());

        assertClasses(new ImageClassifier().setModel(file.toString()).transform(images()), load(file), 5);
    }

    @Test
    void transform_withAnInt8Folder_runsIt() throws Exception {
        Path quantized = models.resolve("int8");
        LabeledImages images =
                Subset.first(FashionMnist.test(Path.of("src/test/resources/fashion-mnist"), FashionMnist.SIDE), 20);
        BatchLoader batches = new BatchLoader(
                images, Pipeline.evaluation(config().preprocessing()), LoaderOptions.evaluation(10), bad -> {});
        try (ZooModel<NDList, NDList> model = ConvZoo.loadLogits(MODEL, LoadOptions.published())) {
            new Quantizer((Network) model.getBlock(), config())
                    .calibrate(QuantizeOptions.onnx(), batches, done -> {})
                    .write(quantized);
        }

        assertClasses(new ImageClassifier().setModel(quantized.toString()).transform(images()), load(quantized), 5);
    }

    @Test
    void model_thatNoTaskUses_isClosedForAnother() throws Exception {
        classifier().transform(images()).collectAsList();
        SharedModels<Classifications>.Lease lease =
                ExecutorModels.CLASSIFIERS.lease(new ShippedModel(new ModelKey(MODEL, null, null, false), null));
        StagedModel<byte[], Classifications> stages = lease.stages();
        List<PreparedImage> batch = List.of(stages.prepare(Files.readAllBytes(folder.resolve("018.png"))));
        assertThat(stages.run(batch)).hasSize(1);
        lease.close();

        Path another = models.resolve("another");
        writeModel(another, 3);
        new ImageClassifier().setModel(another.toString()).transform(images()).collectAsList();

        assertThatIllegalStateException().isThrownBy(() -> stages.run(batch));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, (8 << 20) - 1, 8 << 20, (8 << 20) + 1, 20_000_000})
    void files_ofAnySize_arriveAsTheyWere(int size) throws IOException {
        byte[] bytes = new byte[size];
        new Random(size).nextBytes(bytes);
        Path file = Files.write(models.resolve("weights"), bytes);
        Path arrived = Files.createDirectory(models.resolve("arrived"));

        ShippedFiles.of(JavaSparkContext.fromSparkContext(spark.sparkContext()), Map.of("a", file, "b", file))
                .unpack(arrived);

        assertThat(arrived.resolve("a")).hasBinaryContent(bytes);
        assertThat(arrived.resolve("b")).hasBinaryContent(bytes);
    }

    @Test
    void ship_ofTheSameFiles_isDoneOnce() throws Exception {
        Path model = models.resolve("run");
        writeModel(model, 4);
        ShippedModel first = ModelShipper.ship(spark.sparkContext(), model.toString(), false);
        Path moved = Files.move(model, models.resolve("moved"));
        ShippedModel second = ModelShipper.ship(spark.sparkContext(), moved.toString(), true);

        assertThat(second.files()).isNotNull().isSameAs(first.files());
        assertThat(second.key()).isNotEqualTo(first.key());
    }

    /** Writes a model folder with random weights. */
    private static void writeModel(Path to, int seed) throws Exception {
        ai.djl.engine.Engine.getEngine("PyTorch").setRandomSeed(seed);
        ModelConfig config = ConvZoo.configuration(MODEL, LoadOptions.published());
        Files.createDirectories(to);
        try (ZooModel<NDList, NDList> model = ConvZoo.untrained(
                "peleenet",
                LoadOptions.published()
                        .withNumClasses(config.options().numClasses())
                        .withInputSize(config.preprocessing().height()))) {
            WeightSaver.save(to.resolve(ModelFolder.WEIGHTS), model.getBlock(), config);
            ModelFolder.writeConfig(to, config);
        }
    }

    @Test
    void transform_withAModelFolder_shipsItAtOnce() throws Exception {
        Path model = models.resolve("run");
        writeModel(model, 1);
        ZooModel<byte[], Classifications> expected = load(model);

        Dataset<Row> classified =
                new ImageClassifier().setModel(model.toString()).transform(images());
        ModelFolder.delete(model);

        assertClasses(classified, expected, 5);
    }

    @Test
    void transform_afterTheModelChanged_usesTheNewOne() throws Exception {
        Path model = models.resolve("run");
        ImageClassifier classifier = new ImageClassifier().setModel(model.toString());
        writeModel(model, 1);
        ZooModel<byte[], Classifications> expected = load(model);
        Dataset<Row> before = classifier.transform(images());
        writeModel(model, 2);
        Dataset<Row> after = classifier.transform(images());

        assertClasses(after, load(model), 5);
        assertClasses(before, expected, 5);
    }

    @Test
    void transform_ofNull_isAnError() {
        StructType schema = new StructType().add("content", DataTypes.BinaryType);
        Dataset<Row> one = spark.createDataFrame(List.of(RowFactory.create((Object) null)), schema);

        Row row = classifier().transform(one).first();

        assertThat(row.<String>getAs("error")).isEqualTo("the image is null");
        assertThat(row.<Object>getAs("classes")).isNull();
    }

    @Test
    void transform_withoutImages_givesNoRows() {
        Dataset<Row> none = classifier().transform(images().filter("length < 0"));

        assertThat(none.collectAsList()).isEmpty();
        assertThat(none.columns()).contains("classes");
    }

    @Test
    void transform_withAnUnknownModel_isRefusedOnTheDriver() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new ImageClassifier().setModel("nosuchnet").transform(images()))
                .withMessageContaining("nosuchnet");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new ImageClassifier()
                        .setModel(models.resolve("nowhere").toString())
                        .transform(images()))
                .withMessageContaining("nowhere");
    }

    @Test
    void transform_withABrokenModel_failsTheJobNamingIt() throws Exception {
        Path model = models.resolve("broken");
        writeModel(model, 1);
        ModelConfig config = ConvZoo.configuration(MODEL, LoadOptions.published());
        ModelFolder.writeConfig(
                model, config.ofOtherWeights().withOptions(config.options().withNumClasses(11)));
        Dataset<Row> classified =
                new ImageClassifier().setModel(model.toString()).transform(images());

        assertThatExceptionOfType(SparkException.class)
                .isThrownBy(classified::collectAsList)
                .havingRootCause()
                .withMessageContaining("11 classes");
        assertThatExceptionOfType(SparkException.class)
                .isThrownBy(classified::collectAsList)
                .withStackTraceContaining("the model " + model + " cannot be loaded: ");
    }

    @Test
    void transform_withoutAModel_saysHowToSetOne() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new ImageClassifier().transform(images()))
                .withMessageContaining("setModel");
    }

    @Test
    void transformSchema_withUnfitColumns_isRefused() {
        StructType images = images().schema();

        assertThatIllegalArgumentException()
                .isThrownBy(() -> classifier().setInputCol("picture").transformSchema(images))
                .withMessageContaining("picture")
                .withMessageContaining("setInputCol");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> classifier().setInputCol("path").transformSchema(images))
                .withMessageContaining("string")
                .withMessageContaining("binaryFile");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> classifier().transformSchema(images.add("Classes", DataTypes.StringType)))
                .withMessageContaining("Classes");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> classifier().setErrorCol("probabilities").transformSchema(images))
                .withMessageContaining("probabilities");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> classifier().transformSchema(images.add("content", DataTypes.BinaryType)))
                .withMessageContaining("several");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> classifier().setErrorCol("").transformSchema(images))
                .withMessageContaining("setErrorCol");
        assertThatIllegalArgumentException()
                .isThrownBy(() ->
                        classifier().setClassesCol("").setProbabilitiesCol("").transformSchema(images))
                .withMessageContaining("nothing to compute");
    }

    @Test
    void transformSchema_equalsTheSchemaOfTransform() {
        ImageClassifier classifier = classifier().setEmbeddingCol("vector").setProbabilitiesCol("");

        assertThat(classifier.transformSchema(images().schema()))
                .isEqualTo(classifier.transform(images()).schema());
    }

    @Test
    void parameters_outOfRange_areRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> classifier().setTopK(0))
                .withMessageContaining("topK");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> classifier().setBatchSize(0))
                .withMessageContaining("batchSize");
    }

    @Test
    void parameters_areThoseOfTheDocumentation() {
        assertThat(Arrays.stream(classifier().params()).map(each -> each.name()))
                .containsExactlyInAnyOrder(
                        "inputCol",
                        "model",
                        "compiled",
                        "topK",
                        "batchSize",
                        "classesCol",
                        "probabilitiesCol",
                        "embeddingCol",
                        "errorCol");
    }

    /** A classifier with no parameter as by default. */
    private static ImageClassifier unusual() {
        return new ImageClassifier("unusual")
                .setInputCol("bytes")
                .setModel(MODEL)
                .setCompiled(true)
                .setTopK(2)
                .setBatchSize(7)
                .setClassesCol("names")
                .setProbabilitiesCol("chances")
                .setEmbeddingCol("vector")
                .setErrorCol("why");
    }

    private static void assertUnusual(ImageClassifier classifier) {
        assertThat(classifier.uid()).isEqualTo("unusual");
        assertThat(classifier.getInputCol()).isEqualTo("bytes");
        assertThat(classifier.getModel()).isEqualTo(MODEL);
        assertThat(classifier.getCompiled()).isTrue();
        assertThat(classifier.getTopK()).isEqualTo(2);
        assertThat(classifier.getBatchSize()).isEqualTo(7);
        assertThat(classifier.getClassesCol()).isEqualTo("names");
        assertThat(classifier.getProbabilitiesCol()).isEqualTo("chances");
        assertThat(classifier.getEmbeddingCol()).isEqualTo("vector");
        assertThat(classifier.getErrorCol()).isEqualTo("why");
    }

    @Test
    void save_thenLoad_keepsEveryParameter() throws Exception {
        String path = models.resolve("saved").toUri().toString();

        unusual().write().overwrite().save(path);

        assertUnusual(ImageClassifier.load(path));
    }

    @Test
    void copy_keepsParameters_butThoseThatAreGiven() {
        assertUnusual(unusual().copy(new ParamMap()));

        ImageClassifier original = classifier();
        ImageClassifier copy = original.copy(new ParamMap().put(original.topK(), 3));
        assertThat(copy.getTopK()).isEqualTo(3);
        assertThat(original.getTopK()).isEqualTo(5);
    }

    @Test
    void pipeline_savedAndLoaded_classifies() throws Exception {
        SQLTransformer best =
                new SQLTransformer().setStatement("select path, classes[0] as best from __THIS__ where error is null");
        PipelineModel pipeline = new org.apache.spark.ml.Pipeline()
                .setStages(new PipelineStage[] {classifier(), best})
                .fit(images());
        String path = models.resolve("pipeline").toUri().toString();
        pipeline.write().overwrite().save(path);

        List<Row> rows = PipelineModel.load(path).transform(images()).collectAsList();

        assertThat(rows).hasSize(GOOD);
        assertThat(rows).allSatisfy(row -> assertThat(row.getString(1)).isEqualTo("Bag"));
    }

    @Test
    void sql_onTheResult_countsClasses() {
        classifier().transform(images()).createOrReplaceTempView("classified");

        Row row = spark.sql("select classes[0], count(*), avg(probabilities[0]) from classified"
                        + " where error is null group by 1 order by 2 desc")
                .first();

        assertThat(row.getString(0)).isEqualTo("Bag");
        assertThat(row.getLong(1)).isEqualTo(GOOD);
        assertThat(row.getDouble(2)).isBetween(0.5, 1.0);
    }

    @Test
    void transform_inAStream_classifies() throws Exception {
        List<Row> found = new ArrayList<>();
        Dataset<Row> stream = spark.readStream()
                .schema(images().schema())
                .format("binaryFile")
                .load(folder.toString());
        org.apache.spark.api.java.function.VoidFunction2<Dataset<Row>, Long> collect =
                (batch, id) -> found.addAll(batch.collectAsList());

        classifier()
                .transform(stream)
                .writeStream()
                .trigger(org.apache.spark.sql.streaming.Trigger.AvailableNow())
                .foreachBatch(collect)
                .start()
                .awaitTermination();

        assertThat(found).hasSize(GOOD + BAD);
    }

    @Test
    void transform_inColumnExpressions_works() {
        Dataset<Row> best = classifier()
                .transform(images())
                .select(functions.col("classes").getItem(0).as("best"))
                .where(functions.col("best").isNotNull());

        assertThat(best.distinct().collectAsList()).containsExactly(RowFactory.create("Bag"));
    }
}
