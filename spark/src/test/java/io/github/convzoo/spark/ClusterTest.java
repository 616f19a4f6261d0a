package io.github.convzoo.spark;

import static io.github.convzoo.spark.TestImages.MODEL;
import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.engine.Engine;
import ai.djl.inference.Predictor;
import ai.djl.modality.Classifications;
import ai.djl.modality.Classifications.Classification;
import ai.djl.ndarray.NDList;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.repository.zoo.ZooModel;
import io.github.convzoo.weights.ModelConfig;
import io.github.convzoo.weights.ModelFolder;
import io.github.convzoo.weights.WeightSaver;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.LoadOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.spark.Success$;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The transformer on two executors in processes of their own, which have nothing of this JVM but what Spark sends. */
// Spark starts executors that fail again and again.
@Timeout(600)
class ClusterTest {

    private static final int PARTITIONS = 12;

    /** Each image this many times, so that the job is long enough to lose an executor in its middle. */
    private static final int COPIES = 5;

    private static final StructType SCHEMA =
            new StructType().add("id", DataTypes.IntegerType).add("content", DataTypes.BinaryType);

    @TempDir
    private static Path folder = Path.of("");

    private static @Nullable SparkSession started;

    @BeforeAll
    static void startCluster() throws Exception {
        started = LocalCluster.start(2, folder);
    }

    @AfterAll
    static void stopCluster() {
        spark().stop();
    }

    private static SparkSession spark() {
        return Objects.requireNonNull(started);
    }

    /** A model folder outside of the class path, with random weights. */
    private static Path model() throws Exception {
        Path model = folder.resolve("model");
        ModelConfig config = ConvZoo.configuration(MODEL, LoadOptions.published());
        Engine.getEngine("PyTorch").setRandomSeed(1);
        try (ZooModel<NDList, NDList> network = ConvZoo.untrained(
                "peleenet",
                LoadOptions.published()
                        .withNumClasses(config.options().numClasses())
                        .withInputSize(config.preprocessing().height()))) {
            ModelFolder.writeConfig(model, config);
            WeightSaver.save(model.resolve(ModelFolder.WEIGHTS), network.getBlock(), config);
        }
        return model;
    }

    /** Images with distinct numbers; every tenth is broken. */
    private static List<Row> images() throws Exception {
        List<Row> images = new ArrayList<>();
        for (int copy = 0; copy < COPIES; copy++) {
            for (Path file : TestImages.clothes()) {
                byte[] bytes = Files.readAllBytes(file);
                images.add(RowFactory.create(
                        images.size(), images.size() % 10 == 9 ? Arrays.copyOf(bytes, bytes.length / 2) : bytes));
            }
        }
        return images;
    }

    /** What the model says on the driver. */
    private static void assertResults(List<Row> rows, List<Row> images, Path model) throws Exception {
        assertThat(rows.stream().map(row -> row.getInt(0)))
                .containsExactlyInAnyOrderElementsOf(
                        images.stream().map(row -> row.getInt(0)).toList());
        try (ZooModel<byte[], Classifications> loaded = ConvZoo.load(model, byte[].class, LoadOptions.published());
                Predictor<byte[], Classifications> predictor = loaded.newPredictor()) {
            for (Row row : rows) {
                byte[] image = images.get(row.getInt(0)).getAs(1);
                if (row.getInt(0) % 10 == 9) {
                    assertThat(row.<String>getAs("error")).contains("truncated");
                    continue;
                }
                Classification best = predictor.predict(image).best();
                assertThat(row.getList(row.fieldIndex("classes")).get(0)).isEqualTo(best.getClassName());
                assertThat(row.getList(row.fieldIndex("probabilities")).get(0))
                        .isEqualTo((float) best.getProbability());
            }
        }
    }

    @Test
    void transform_withAnExecutorKilled_givesEveryImageOnce() throws Exception {
        Path model = model();
        List<Row> images = images();
        Dataset<Row> classified = new ImageClassifier()
                .setModel(model.toString())
                .transform(spark().createDataFrame(images, SCHEMA).repartition(PARTITIONS))
                .drop("content");
        List<ProcessHandle> executors = LocalCluster.executors();
        assertThat(executors).hasSize(2);
        AtomicInteger ended = new AtomicInteger();
        CountDownLatch lost = new CountDownLatch(1);
        spark().sparkContext().addSparkListener(new SparkListener() {
            @Override
            public void onTaskEnd(SparkListenerTaskEnd end) {
                if (end.taskType().equals("ResultTask") && ended.incrementAndGet() == PARTITIONS / 3) {
                    executors.get(0).destroyForcibly();
                }
                if (!(end.reason() instanceof Success$)) {
                    lost.countDown();
                }
            }
        });

        List<Row> rows = classified.collectAsList();

        assertThat(lost.await(60, TimeUnit.SECONDS)).as("a task was lost").isTrue();
        assertThat(executors.get(0).isAlive()).isFalse();
        assertResults(rows, images, model);
    }

    /** Which model an executor has, and how it computes. */
    @Test
    void executor_hasOneEngineThread_andNoNetwork() throws Exception {
        Dataset<Row> images =
                spark().createDataFrame(images().subList(0, 8), SCHEMA).repartition(4);
        new ImageClassifier().setModel(MODEL).transform(images).collectAsList();

        MapPartitionsFunction<Row, String> settings =
                rows -> List.of(System.getProperty("ai.djl.offline") + " " + JniUtils.getNumThreads() + " "
                                + ProcessHandle.current().pid())
                        .iterator();
        List<String> found = images.mapPartitions(settings, Encoders.STRING()).collectAsList();

        assertThat(found).allMatch(each -> each.startsWith("true 1 "));
        assertThat(found)
                .noneMatch(each -> each.endsWith(" " + ProcessHandle.current().pid()));
    }
}
