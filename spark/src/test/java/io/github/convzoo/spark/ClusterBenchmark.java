package io.github.convzoo.spark;

import ai.djl.ndarray.NDList;
import ai.djl.repository.zoo.ZooModel;
import io.github.convzoo.weights.ModelConfig;
import io.github.convzoo.weights.ModelFolder;
import io.github.convzoo.weights.WeightSaver;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.LoadOptions;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import javax.imageio.ImageIO;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * Images per second on clusters of one-core executors on this machine. Arguments: the number of JPEG images (500 x 375),
 * and numbers of executors. {@code mvn -f spark/pom.xml -Pbenchmark test-compile exec:exec -Dimages=2000
 * -Dexecutors="1 2"} runs it with an installed ConvZoo, after {@code mvn -DskipTests install}.
 */
final class ClusterBenchmark {

    private static final String NETWORK = "peleenet";
    private static final List<Path> PHOTOS =
            List.of(Path.of("src/test/resources/photos/coffee.png"), Path.of("src/test/resources/photos/cat.png"));
    private static final int WIDTH = 500;
    private static final int HEIGHT = 375;

    /** Enough that executors end at about the same time. */
    private static final int PARTITIONS = 40;

    private static final int WARM_UP = 200;

    private ClusterBenchmark() {}

    public static void main(String[] arguments) throws Exception {
        int count = Integer.parseInt(arguments[0]);
        int[] executors =
                Arrays.stream(arguments).skip(1).mapToInt(Integer::parseInt).toArray();
        Path folder = Files.createTempDirectory("convzoo-benchmark");
        try {
            writeModel(folder.resolve("model"));
            writeImages(Files.createDirectory(folder.resolve("images")), count);
            double first = 0;
            for (int each : executors) {
                double rate = imagesPerSecond(each, folder, count);
                first = first == 0 ? rate : first;
                System.out.printf(
                        Locale.ROOT, "executors: %d, images/s: %.1f, ratio: %.2f%n", each, rate, rate / first);
            }
        } finally {
            ModelFolder.delete(folder);
        }
    }

    private static double imagesPerSecond(int executors, Path folder, int count) throws IOException {
        Path jars = Files.createTempDirectory(folder, "jars");
        SparkSession spark = LocalCluster.start(executors, jars);
        try {
            Dataset<Row> images = spark.read()
                    .format("binaryFile")
                    .load(folder.resolve("images").toString());
            ImageClassifier classifier = new ImageClassifier()
                    .setModel(folder.resolve("model").toString())
                    .setCompiled(true);
            // Loads and compiles the model on each executor, and lets the JIT compiler work.
            run(classifier.transform(images.limit(WARM_UP).repartition(PARTITIONS)));
            Dataset<Row> classified = classifier.transform(images.repartition(PARTITIONS));
            long start = System.nanoTime();
            run(classified);
            return count / ((System.nanoTime() - start) / 1e9);
        } finally {
            spark.stop();
        }
    }

    private static void run(Dataset<Row> classified) {
        classified.drop("content").write().format("noop").mode("overwrite").save();
    }

    /** A network with random weights, which takes the same time. */
    private static void writeModel(Path to) throws IOException {
        ModelConfig config = ConvZoo.configuration(NETWORK, LoadOptions.published());
        try (ZooModel<NDList, NDList> model = ConvZoo.untrained(NETWORK, LoadOptions.published())) {
            ModelFolder.writeConfig(to, config);
            WeightSaver.save(to.resolve(ModelFolder.WEIGHTS), model.getBlock(), config);
        }
    }

    /** Writes sections of photos, all different. */
    private static void writeImages(Path to, int count) throws IOException {
        for (int i = 0; i < count; i++) {
            BufferedImage photo = ImageIO.read(PHOTOS.get(i % PHOTOS.size()).toFile());
            BufferedImage image = new BufferedImage(WIDTH, HEIGHT, BufferedImage.TYPE_INT_RGB);
            Graphics2D graphics = image.createGraphics();
            graphics.setRenderingHint(RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
            int shift = i % 50;
            graphics.drawImage(photo, -shift, -shift, WIDTH + 2 * shift, HEIGHT + 2 * shift, null);
            graphics.dispose();
            ImageIO.write(image, "jpg", to.resolve("%05d.jpg".formatted(i)).toFile());
        }
    }
}
