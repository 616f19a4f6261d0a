package io.github.convzoo.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.LambdaBlock;
import ai.djl.nn.pooling.Pool;
import ai.djl.training.ParameterStore;
import io.github.convzoo.data.Batch;
import io.github.convzoo.data.BatchLoader;
import io.github.convzoo.data.Epoch;
import io.github.convzoo.data.LabeledImages;
import io.github.convzoo.data.LoaderOptions;
import io.github.convzoo.data.Mixup;
import io.github.convzoo.data.OnBadImage;
import io.github.convzoo.data.Pipeline;
import io.github.convzoo.image.Normalization;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.image.RgbImage;
import io.github.convzoo.network.Network;
import io.github.convzoo.network.Reference;
import io.github.convzoo.network.Variant;
import io.github.convzoo.nn.CanonicalNames;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FeaturesTest {

    private static final int CLASSES = 10;

    /** Of the largest logit: features that lie elsewhere in memory may be added up in another order. */
    private static final float REORDERED = 1e-5f;

    private final NDManager manager = NDManager.newBaseManager("PyTorch");

    @AfterEach
    void close() {
        manager.close();
    }

    /** Images of noise, some of which cannot be read. */
    private record Noise(int size, int side, Set<Integer> bad) implements LabeledImages {

        @Override
        public List<String> classes() {
            return IntStream.range(0, CLASSES).mapToObj(i -> "class " + i).toList();
        }

        @Override
        public RgbImage image(int index) throws IOException {
            if (bad.contains(index)) {
                throw new IOException(name(index) + ": is broken");
            }
            byte[] samples = new byte[3 * side * side];
            new Random(index).nextBytes(samples);
            return RgbImage.of(side, side, samples);
        }

        @Override
        public int label(int index) {
            return index * 3 % CLASSES;
        }

        @Override
        public String name(int index) {
            return "noise " + index;
        }
    }

    private static BatchLoader images(Noise noise, LoaderOptions options) {
        Preprocessing preprocessing = Preprocessing.unresized(noise.side(), noise.side(), Normalization.IMAGENET);
        return new BatchLoader(noise, Pipeline.evaluation(preprocessing), options, bad -> {});
    }

    private static BatchLoader batches(Features features, LoaderOptions options) {
        return new BatchLoader(features, options, bad -> {});
    }

    /** Three features: the channels' means. */
    private static Block means() {
        return Pool.globalAvgPool2dBlock();
    }

    private Features means(Noise noise, LoaderOptions options) throws IOException, InterruptedException {
        return Features.of(means(), manager, images(noise, options), done -> {});
    }

    private Network network(String name, int classes, int side) {
        Variant variant = Variant.of(name);
        Network network = variant.build(variant.options().withNumClasses(classes));
        // By name, so that networks with and without a classifier have the same weights.
        Reference.initialize(network, manager, SmallNetworks.SALT, new Shape(1, 3, side, side));
        return network;
    }

    /** The outputs of all batches, one after the other. */
    private float[] outputs(Block block, BatchLoader batches) throws IOException, InterruptedException {
        List<float[]> outputs = new ArrayList<>();
        try (Epoch epoch = batches.epoch(0, 0)) {
            for (Batch next = epoch.next(); next != null; next = epoch.next()) {
                try (Batch batch = next;
                        NDManager step = manager.newSubManager()) {
                    NDArray output = block.forward(
                                    new ParameterStore(step, false), new NDList(batch.toArray(step)), false)
                            .singletonOrThrow();
                    assertThat(output.getShape()).isEqualTo(new Shape(batch.size(), CLASSES));
                    outputs.add(output.toFloatArray());
                }
            }
        }
        int length = outputs.stream().mapToInt(each -> each.length).sum();
        float[] all = new float[length];
        int end = 0;
        for (float[] each : outputs) {
            System.arraycopy(each, 0, all, end, each.length);
            end += each.length;
        }
        return all;
    }

    private static void assertClose(float[] actual, float[] expected) {
        float largest = 0;
        for (float each : expected) {
            largest = Math.max(largest, Math.abs(each));
        }
        assertThat(largest).isPositive().isFinite();
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < expected.length; i++) {
            assertThat(actual[i]).as("logit %d", i).isCloseTo(expected[i], within(REORDERED * largest));
        }
    }

    // The numbers of one network of each family

    @ParameterizedTest
    @CsvSource({"peleenet, 32", "dla46_c, 32", "dpn68, 32", "dpn92_post, 16", "alexnet, 57", "alexnet_dy, 57"})
    void head_ofAnyNetwork_makesOfItsFeaturesItsLogits(String name, int side) throws Exception {
        Noise noise = new Noise(5, side, Set.of());
        LoaderOptions options = LoaderOptions.evaluation(2);
        Network network = network(name, CLASSES, side);
        List<Integer> progress = new ArrayList<>();
        Features features = Features.of(network(name, 0, side), manager, images(noise, options), progress::add);
        Head head = new Head(network);

        assertThat(progress).containsExactly(2, 4, 5);
        assertThat(features.size()).isEqualTo(5);
        float[] expected = outputs(network, images(noise, options));
        assertThat(expected).hasSize(5 * CLASSES);
        // Else images taken for each other would not be noticed.
        assertThat(Arrays.copyOf(expected, CLASSES)).isNotEqualTo(Arrays.copyOfRange(expected, CLASSES, 2 * CLASSES));
        assertClose(outputs(head, batches(features, options)), expected);
    }

    @ParameterizedTest
    @CsvSource({"peleenet, 32", "dla46_c, 32", "dpn68, 32", "dpn92_post, 16", "alexnet, 57"})
    void head_thatLearns_changesTheNetworksClassifierAlone(String name, int side) throws Exception {
        Network network = network(name, CLASSES, side);
        String weight = network.classifier() + ".weight";
        String bias = network.classifier() + ".bias";
        Head head = new Head(network);
        Map<String, Integer> before = hashes(network);
        int length = (int) head.getInputShapes()[0].get(1);

        assertThat(CanonicalNames.parameters(head)).containsOnlyKeys(weight, bias);
        Recipe recipe = Recipe.of(new Optimizer.Sgd(0, false, WeightDecay.NONE), new Schedule.Constant(0.1));
        try (NDArray features = Reference.image(manager, name, new Shape(4, length, 1, 1))
                        .reshape(4, length);
                Learner learner = new Learner(head, recipe)) {
            double first = learner.step(features, Targets.of(0, 1, 2, 3)).loss();
            assertThat(first).isFinite().isPositive();
        }
        List<String> changed = new ArrayList<>();
        hashes(network).forEach((each, hash) -> {
            if (!hash.equals(before.get(each))) {
                changed.add(each);
            }
        });
        assertThat(changed).containsExactlyInAnyOrder(weight, bias);
    }

    @Test
    void head_thatLearns_isWhatTheNetworkThenUses() throws Exception {
        Noise noise = new Noise(8, 32, Set.of());
        LoaderOptions options = LoaderOptions.evaluation(4);
        Network network = network("peleenet", CLASSES, 32);
        Features features = Features.of(network("peleenet", 0, 32), manager, images(noise, options), done -> {});
        Evaluation before = Evaluation.of(network, manager, images(noise, options), done -> {});
        Head head = new Head(network);
        Recipe recipe = Recipe.of(Optimizer.Adam.of(WeightDecay.NONE), new Schedule.Constant(0.01));
        try (Learner learner = new Learner(head, recipe);
                Epoch epoch = batches(features, LoaderOptions.training(4, 1)).epoch(0, 0)) {
            for (Batch next = epoch.next(); next != null; next = epoch.next()) {
                try (Batch batch = next) {
                    learner.step(batch);
                }
            }
        }
        Evaluation after = Evaluation.of(network, manager, images(noise, options), done -> {});

        assertThat(after.loss()).isLessThan(before.loss());
        assertThat(Evaluation.of(head, manager, batches(features, options), done -> {})
                        .loss())
                .isCloseTo(after.loss(), within(1e-4 * after.loss()));
        assertClose(outputs(head, batches(features, options)), outputs(network, images(noise, options)));
    }

    /** What each parameter's values come to. */
    private static Map<String, Integer> hashes(Block network) {
        Map<String, Integer> hashes = new LinkedHashMap<>();
        CanonicalNames.parameters(network)
                .forEach((name, parameter) ->
                        hashes.put(name, Arrays.hashCode(parameter.getArray().toFloatArray())));
        return hashes;
    }

    @Test
    void head_ofANetworkWithoutClassifier_isRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Head(network("peleenet", 0, 32)))
                .withMessage("peleenet has no classifier with weights; build it with classes and initialize it");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Head(Variant.of("dla34").build()))
                .withMessageStartingWith("dla34 has no classifier with weights");
    }

    // Features as samples

    @Test
    void features_haveTheNamesAndClassesOfTheirImages() throws Exception {
        Noise noise = new Noise(7, 8, Set.of());
        Features features = means(noise, LoaderOptions.evaluation(3));

        assertThat(features.size()).isEqualTo(7);
        assertThat(features.classes()).isEqualTo(noise.classes());
        assertThat(features.shape()).isEqualTo(new Shape(3));
        for (int i = 0; i < 7; i++) {
            assertThat(features.name(i)).isEqualTo("noise " + i);
            assertThat(features.label(i)).isEqualTo(noise.label(i));
            assertIsOf(row(features, i), noise.image(i));
        }
        assertThat(manager.getManagedArrays()).isEmpty();
    }

    private static float[] row(Features features, int index) {
        float[] row = new float[3];
        features.read(index, new Random(0), row);
        return row;
    }

    /** The channels' means of an image, normalized as ImageNet's. */
    private static void assertIsOf(float[] features, RgbImage image) {
        double[] mean = {0.485, 0.456, 0.406};
        double[] std = {0.229, 0.224, 0.225};
        for (int c = 0; c < 3; c++) {
            double sum = 0;
            for (int y = 0; y < image.height(); y++) {
                for (int x = 0; x < image.width(); x++) {
                    sum += image.pixel(x, y) >> (16 - 8 * c) & 0xff;
                }
            }
            double expected = (sum / (image.width() * image.height()) / 255 - mean[c]) / std[c];
            // A mean of values of about 1 in float32.
            assertThat((double) features[c]).isCloseTo(expected, within(1e-5));
        }
    }

    @Test
    void features_ofImagesOfWhichOneCannotBeRead_leaveItOutWhereAskedTo() throws Exception {
        Noise noise = new Noise(7, 8, Set.of(0, 4));
        LoaderOptions options = LoaderOptions.evaluation(3);
        Features features = means(noise, options.withOnBadImage(OnBadImage.SKIP));

        assertThat(IntStream.range(0, features.size()).mapToObj(features::name))
                .containsExactly("noise 1", "noise 2", "noise 3", "noise 5", "noise 6");
        assertThat(IntStream.range(0, features.size()).map(features::label)).containsExactly(3, 6, 9, 5, 8);
        assertIsOf(row(features, 3), noise.image(5));
        assertThatIOException().isThrownBy(() -> means(noise, options)).withMessage("noise 0: is broken");
        Noise broken = new Noise(2, 8, Set.of(0, 1));
        assertThatIOException()
                .isThrownBy(() -> means(broken, options.withOnBadImage(OnBadImage.SKIP)))
                .withMessage("none of the images could be read");
        assertThat(manager.getManagedArrays()).isEmpty();
    }

    @Test
    void features_ofMaps_areRefused() {
        BatchLoader images = images(new Noise(2, 8, Set.of()), LoaderOptions.evaluation(2));

        assertThatIllegalArgumentException()
                .isThrownBy(() -> Features.of(
                        new LambdaBlock(
                                inputs -> new NDList(inputs.singletonOrThrow().duplicate()), "maps"),
                        manager,
                        images,
                        done -> {}))
                .withMessage("features must have the shape (N, features), not (2, 3, 8, 8); pool the feature maps");
        assertThat(manager.getManagedArrays()).isEmpty();
    }

    @Test
    void batches_ofFeatures_areThoseOfTheImagesInAnyOrder() throws Exception {
        Noise noise = new Noise(11, 8, Set.of());
        Features features = means(noise, LoaderOptions.evaluation(4));
        LoaderOptions options = LoaderOptions.training(3, 7);
        BatchLoader loader = batches(features, options);
        assertThat(loader.batches()).isEqualTo(3);
        List<Integer> first = order(loader, features, 0);

        assertThat(first)
                .hasSize(9)
                .doesNotHaveDuplicates()
                .isNotEqualTo(first.stream().sorted().toList());
        // As the images themselves would come, so that a run learns from the same batches.
        try (Epoch epoch = images(noise, options).epoch(0, 0);
                Batch batch = Objects.requireNonNull(epoch.next())) {
            assertThat(batch.indices()).containsExactly(first.get(0), first.get(1), first.get(2));
        }
        assertThat(order(loader, features, 0)).isEqualTo(first);
        assertThat(order(loader, features, 1)).isNotEqualTo(first);
        assertThat(order(batches(features, LoaderOptions.evaluation(4)), features, 0))
                .isEqualTo(IntStream.range(0, 11).boxed().toList());
    }

    /** The indices of an epoch, each batch having been found to hold what they stand for. */
    private static List<Integer> order(BatchLoader loader, Features features, int number) throws Exception {
        List<Integer> order = new ArrayList<>();
        try (Epoch epoch = loader.epoch(number, 0)) {
            for (Batch next = epoch.next(); next != null; next = epoch.next()) {
                try (Batch batch = next) {
                    assertThat(batch.shape()).isEqualTo(new Shape(batch.size(), 3));
                    assertThat(batch.lambda()).isEqualTo(1);
                    for (int i = 0; i < batch.size(); i++) {
                        int index = batch.indices()[i];
                        order.add(index);
                        assertThat(batch.labels()[i]).isEqualTo(features.label(index));
                        float[] values = new float[3];
                        batch.values().get(3 * i, values);
                        assertThat(values).isEqualTo(row(features, index));
                    }
                }
            }
        }
        return order;
    }

    @Test
    void targets_ofAMixedBatch_haveBothClasses() throws Exception {
        LoaderOptions mixing = LoaderOptions.training(4, 2).withMixing(new Mixup(1));
        try (Epoch epoch = images(new Noise(12, 8, Set.of()), mixing).epoch(0, 0);
                Batch batch = Objects.requireNonNull(epoch.next())) {
            float[] targets = Targets.of(batch).distributions(CLASSES);

            float[] expected = new float[4 * CLASSES];
            for (int i = 0; i < 4; i++) {
                expected[i * CLASSES + batch.labels()[i]] += (float) batch.lambda();
                expected[i * CLASSES + batch.partnerLabels()[i]] += 1 - (float) batch.lambda();
            }
            assertThat(batch.lambda()).isBetween(0.0, 1.0).isNotEqualTo(1);
            assertThat(targets).containsExactly(expected);
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> Targets.of(batch).distributions(1))
                    .withMessageContaining(", but the network has 1 classes");
        }
    }

    @Test
    void batches_ofFeatures_areNotMixed() throws Exception {
        Features features = means(new Noise(4, 8, Set.of()), LoaderOptions.evaluation(4));
        LoaderOptions mixing = LoaderOptions.training(2, 0).withMixing(new Mixup(0.2));

        assertThatIllegalArgumentException()
                .isThrownBy(() -> batches(features, mixing))
                .withMessage("samples of shape (3) are not images, so they cannot be mixed");
    }
}
