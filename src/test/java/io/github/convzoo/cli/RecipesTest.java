package io.github.convzoo.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import io.github.convzoo.data.HorizontalFlip;
import io.github.convzoo.data.Pipeline;
import io.github.convzoo.data.RandomCrop;
import io.github.convzoo.data.RandomResizedCrop;
import io.github.convzoo.data.Range;
import io.github.convzoo.image.Border;
import io.github.convzoo.image.CropMode;
import io.github.convzoo.image.Normalization;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.image.Resampling;
import io.github.convzoo.image.RgbImage;
import io.github.convzoo.network.AlexNetVariant;
import io.github.convzoo.network.Network;
import io.github.convzoo.network.Variant;
import io.github.convzoo.train.Annealing;
import io.github.convzoo.train.CrossEntropy;
import io.github.convzoo.train.Optimizer;
import io.github.convzoo.train.Recipe;
import io.github.convzoo.train.Schedule;
import io.github.convzoo.train.WeightDecay;
import io.github.convzoo.weights.ModelConfig;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/**
 * The recipes of the networks' tutorials, as docs/reference/training.md has them: each line is parsed, and what becomes
 * of it compared.
 */
class RecipesTest {

    private static final long STEPS = 100;

    /** The options of the command in the documentation that begins so, which may go on over several lines. */
    private static TrainOptions documented(String start) throws IOException {
        String text = Files.readString(Path.of("docs/reference/training.md")).replaceAll("\\\\\\R\\s*", "");
        List<String> lines = text.lines().filter(line -> line.startsWith(start)).toList();
        assertThat(lines).as(start).hasSize(1);
        return parsed(lines.get(0).substring("convzoo train ".length()).split(" +"));
    }

    private static TrainOptions parsed(String... args) {
        TrainCommand command = new TrainCommand();
        new CommandLine(command).setCaseInsensitiveEnumValuesAllowed(true).parseArgs(args);
        TrainChecks.check(command.options);
        return command.options;
    }

    private static Preprocessing preprocessing(TrainOptions options) throws IOException {
        ModelConfig usual = ModelConfig.usual(Variant.of(options.model));
        return options.input.apply(DataOptions.usual(options.dataset, usual)).preprocessing();
    }

    private static Recipe recipe(TrainOptions options) {
        return new TrainFactory(options).recipe(STEPS);
    }

    private static RgbImage noise(int width, int height) {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        Random random = new Random(1);
        for (int i = 0; i < width * height; i++) {
            image.setRGB(i % width, i / width, random.nextInt());
        }
        return RgbImage.of(image);
    }

    private static int[] pixels(RgbImage image) {
        return image.toBufferedImage().getRGB(0, 0, image.width(), image.height(), null, 0, image.width());
    }

    @Test
    void dla_onCifar100_isItsTutorials() throws IOException {
        TrainOptions options = documented("convzoo train --model dla60 --pretrained --dataset cifar100");
        Preprocessing input = preprocessing(options);
        Pipeline pipeline = new TrainFactory(options).pipeline(input);

        assertThat(options.batchSize).isEqualTo(64);
        assertThat(input.resizedSide()).isEqualTo(256);
        assertThat(input.height()).isEqualTo(224);
        assertThat(pipeline.augmentations()).hasSize(2).last().isEqualTo(new RandomCrop(224, 224, 0, Border.BLACK));
        RgbImage resized = pipeline.augmentations().get(0).apply(noise(32, 32), new Random(0));
        assertThat(resized.width()).isEqualTo(256);
        assertThat(resized.height()).isEqualTo(256);
        assertThat(recipe(options).optimizer()).isEqualTo(Optimizer.Adam.of(WeightDecay.ofWeights(0)));
        assertThat(recipe(options).schedule()).isEqualTo(new Schedule.Constant(1e-3));
    }

    @Test
    void peleenet_onImageNet_isItsTutorials() throws IOException {
        for (double rate : new double[] {0.25, 0.18}) {
            TrainOptions options = documented("convzoo train --model peleenet --data imagenet/");
            options.lr = rate == 0.25 ? options.lr : Double.valueOf(rate);
            Pipeline pipeline = new TrainFactory(options).pipeline(preprocessing(options));

            assertThat(pipeline.augmentations())
                    .containsExactly(
                            new RandomResizedCrop(
                                    224, 224, new Range(0.08, 1), new Range(3 / 4.0, 4 / 3.0), Resampling.BILINEAR),
                            new HorizontalFlip(0.5));
            assertThat(pipeline.erasing()).isEmpty();
            assertThat(options.epochs).isEqualTo(120);
            assertThat(recipe(options).optimizer()).isEqualTo(new Optimizer.Sgd(0.9, false, WeightDecay.ofAll(1e-4)));
            assertThat(recipe(options).schedule()).isEqualTo(new Schedule.Cosine(rate, 0, 0.01, 0, 120 * STEPS));
        }
    }

    @Test
    void dpn_onBirds_isItsTutorials() throws IOException {
        TrainOptions options = documented("convzoo train --model dpn92 --data birds/");
        Preprocessing input = preprocessing(options);
        Pipeline pipeline = new TrainFactory(options).pipeline(input);

        assertThat(options.valFraction).isEqualTo(0.2);
        assertThat(options.epochs).isEqualTo(40);
        assertThat(options.batchSize).isEqualTo(4);
        assertThat(input.cropMode()).isEqualTo(CropMode.SQUASH);
        assertThat(input.cropFraction()).isEqualTo(1);
        assertThat(input.height()).isEqualTo(224);
        RgbImage photo = noise(300, 210);
        assertThat(pipeline.augmentations()).hasSize(1);
        assertThat(pixels(pipeline.augmentations().get(0).apply(photo, new Random(0))))
                .isEqualTo(pixels(Resampling.BILINEAR.resize(photo, 224, 224)));
        assertThat(recipe(options).optimizer()).isEqualTo(Optimizer.Adam.of(WeightDecay.ofWeights(0)));
        Schedule schedule = recipe(options).schedule();
        assertThat(schedule).isEqualTo(new Schedule.Exponential(1e-4, 4 * STEPS, 0.92));
        assertThat(schedule.at(4 * STEPS - 1)).isEqualTo(1e-4);
        assertThat(schedule.at(4 * STEPS)).isCloseTo(0.92e-4, within(1e-12));
    }

    @Test
    void alexnet_onCifar10_isItsTutorials() throws IOException {
        for (String model : List.of("alexnet", "alexnet_dy")) {
            TrainOptions options = documented("convzoo train --model " + model + " --dataset cifar10");
            Preprocessing input = preprocessing(options);
            Pipeline pipeline = new TrainFactory(options).pipeline(input);

            assertThat(input.height()).as("AlexNet's own size").isEqualTo(128);
            assertThat(input.resizedSide()).isEqualTo(130);
            assertThat(input.normalization())
                    .isEqualTo(new Normalization(List.of(0.5, 0.5, 0.5), List.of(0.5, 0.5, 0.5)));
            assertThat(pipeline.preprocessing().normalization()).isEqualTo(input.normalization());
            assertThat(pipeline.augmentations())
                    .hasSize(2)
                    .last()
                    .isEqualTo(new RandomResizedCrop(
                            128, 128, new Range(0.08, 1), new Range(3 / 4.0, 4 / 3.0), Resampling.BILINEAR));
            assertThat(pipeline.augmentations()
                            .get(0)
                            .apply(noise(32, 32), new Random(0))
                            .width())
                    .isEqualTo(130);
            assertThat(options.batchSize).isEqualTo(512);
            assertThat(recipe(options).loss()).isEqualTo(new CrossEntropy(0.1));
            assertThat(recipe(options).optimizer()).isEqualTo(new Optimizer.Sgd(0, false, WeightDecay.ofAll(1e-5)));
            assertThat(recipe(options).schedule())
                    .isEqualTo(new Schedule.MultiStep(0.1, List.of(30 * STEPS, 60 * STEPS, 90 * STEPS), 0.1));
            Network network = ((AlexNetVariant) Variant.of(model)).build();
            assertThat(new TrainFactory(options)
                            .recipe(network, STEPS, new int[] {1})
                            .annealing())
                    .isEqualTo(model.equals("alexnet") ? Optional.empty() : Optional.of(new Annealing(30, 1, 10)));
        }
    }

    @Test
    void milestones_withCommasOrSpaces_areTheSame() {
        List<String> start = List.of("--model", "alexnet", "--data", "d", "--schedule", "step");
        for (String text : List.of("30,60,90", "30 60 90", "30,60 90")) {
            List<String> args = new ArrayList<>(start);
            args.add("--milestones");
            args.addAll(List.of(text.split(" ")));
            args.add("--no-flip");
            assertThat(parsed(args.toArray(String[]::new)).milestones).as(text).containsExactly(30, 60, 90);
        }
    }

    @Test
    void cropRandom_ofImagesThatAreNotLargeEnough_isRefused() throws IOException {
        // Fashion-MNIST's 28 x 28 pixels are padded to 32 x 32.
        TrainOptions options =
                parsed("--model", "peleenet", "--data", "d", "--dataset", "fashion-mnist", "--crop", "random");
        Preprocessing input = preprocessing(options);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new TrainFactory(options).pipeline(input))
                .withMessageContaining("resized to 28 pixels")
                .withMessageContaining("--resize");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> parsed("--model", "dla34", "--data", "d", "--crop", "random", "--no-resize"))
                .withMessageContaining("omit --no-resize");
    }

    @Test
    void options_throughJson_areTheSame() throws IOException {
        TrainOptions options = documented("convzoo train --model alexnet_dy --dataset cifar10");
        options.bestBy = io.github.convzoo.train.BestBy.BALANCED;
        options.input.cropMode = CropMode.SQUASH;
        Path file = Files.createTempFile("train", ".json");
        Files.writeString(file, options.toJson());

        assertThat(options.toJson())
                .contains("\"schedule\": \"step\"", "\"best-by\": \"balanced\"", "\"crop-mode\": \"squash\"")
                .contains("\"dataset\": \"cifar10\"", "\"on-bad-image\": \"fail\"");
        assertThat(TrainOptions.read(file).toJson()).isEqualTo(options.toJson());
        Files.delete(file);
        StringWriter err = new StringWriter();
        assertThat(Main.run(new PrintWriter(err), new PrintWriter(err), "train", "--help"))
                .isZero();
    }
}
