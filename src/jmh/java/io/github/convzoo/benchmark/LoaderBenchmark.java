package io.github.convzoo.benchmark;

import com.sun.management.OperatingSystemMXBean;
import io.github.convzoo.data.Batch;
import io.github.convzoo.data.BatchLoader;
import io.github.convzoo.data.Epoch;
import io.github.convzoo.data.HorizontalFlip;
import io.github.convzoo.data.ImageFolder;
import io.github.convzoo.data.LoaderOptions;
import io.github.convzoo.data.Pipeline;
import io.github.convzoo.data.RandomResizedCrop;
import io.github.convzoo.image.Box;
import io.github.convzoo.image.ImageDecoder;
import io.github.convzoo.image.Normalization;
import io.github.convzoo.image.Resampling;
import io.github.convzoo.image.RgbImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SplittableRandom;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.ImageOutputStream;

/**
 * How many images a second the loader gives, fed from a folder of JPEGs of 500 x 375 and with what networks are trained
 * with on ImageNet, and what its parts take.
 *
 * <p>Arguments: a folder for the JPEGs, which are made if it is not there; how many rounds.
 */
public final class LoaderBenchmark {

    private static final int COUNT = 512;
    private static final int WIDTH = 500;
    private static final int HEIGHT = 375;
    private static final int SIZE = 224;
    private static final int BATCH = 64;
    private static final int EPOCHS = 3;
    private static final Path PHOTOS = Path.of("src/test/resources/photos");

    private interface Task {
        void run(int index) throws IOException;
    }

    private LoaderBenchmark() {}

    public static void main(String[] args) throws IOException, InterruptedException {
        if (args.length != 2) {
            throw new IllegalArgumentException("arguments: a folder for the JPEGs, how many rounds");
        }
        Path folder = Path.of(args[0]);
        int rounds = Integer.parseInt(args[1]);
        if (!Files.isDirectory(folder)) {
            make(folder);
        }
        List<Double> speeds = new ArrayList<>();
        OperatingSystemMXBean system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
        long cpuStart = 0;
        // Two rounds to compile what is hot.
        for (int round = -2; round < rounds; round++) {
            if (round == 0) {
                cpuStart = system.getProcessCpuTime();
            }
            double speed = load(folder, round + 2);
            if (round >= 0) {
                speeds.add(speed);
            }
        }
        double cpu =
                (system.getProcessCpuTime() - cpuStart) / 1e6 / ((double) rounds * EPOCHS * (COUNT / BATCH * BATCH));
        System.out.printf(
                Locale.ROOT,
                "%d JPEGs of %d x %d, %.0f KB on average, %d threads%n",
                COUNT,
                WIDTH,
                HEIGHT,
                bytes(folder) / 1e3 / COUNT,
                Runtime.getRuntime().availableProcessors());
        System.out.printf(
                Locale.ROOT,
                "loader: %.0f images/s (%.0f to %.0f)%n",
                median(speeds),
                speeds.stream().mapToDouble(s -> s).min().orElseThrow(),
                speeds.stream().mapToDouble(s -> s).max().orElseThrow());
        // What the machine's other work cannot take away from.
        System.out.printf(Locale.ROOT, "processor time: %.2f ms an image%n", cpu);
        parts(folder, rounds);
    }

    private static double load(Path folder, int epoch) throws IOException, InterruptedException {
        Pipeline pipeline = Pipeline.training(
                List.of(RandomResizedCrop.of(SIZE), new HorizontalFlip(0.5)),
                SIZE,
                SIZE,
                Normalization.IMAGENET,
                Optional.empty());
        BatchLoader loader =
                new BatchLoader(ImageFolder.of(folder), pipeline, LoaderOptions.training(BATCH, 1), problem -> {
                    throw new UncheckedIOException(problem);
                });
        long start = System.nanoTime();
        int images = 0;
        // Three epochs a round, so that the ends, where threads wait, do not count for much.
        for (int i = 0; i < EPOCHS; i++) {
            try (Epoch batches = loader.epoch(EPOCHS * epoch + i, 0)) {
                for (Batch batch = batches.next(); batch != null; batch = batches.next()) {
                    images += batch.size();
                    batch.close();
                }
            }
        }
        return images / ((System.nanoTime() - start) / 1e9);
    }

    /** One after the other on one thread, in milliseconds of its processor time an image. */
    private static void parts(Path folder, int rounds) throws IOException {
        ImageFolder images = ImageFolder.of(folder);
        int count = 128;
        RgbImage[] decoded = new RgbImage[count];
        RgbImage[] cropped = new RgbImage[count];
        RandomResizedCrop crop = RandomResizedCrop.of(SIZE);
        HorizontalFlip flip = new HorizontalFlip(0.5);
        float[] values = new float[3 * SIZE * SIZE];
        Pipeline normalize = Pipeline.training(List.of(), SIZE, SIZE, Normalization.IMAGENET, Optional.empty());
        SplittableRandom random = new SplittableRandom(1);
        time("decode", rounds, count, i -> decoded[i] = images.image(i));
        time("random resized crop", rounds, count, i -> cropped[i] = crop.apply(decoded[i], random));
        time("flip", rounds, count, i -> cropped[i] = flip.apply(cropped[i], random));
        time("normalize", rounds, count, i -> normalize.toChw(cropped[i], random, values));
    }

    private static void time(String part, int rounds, int count, Task task) throws IOException {
        List<Double> times = new ArrayList<>();
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        for (int round = -2; round < rounds; round++) {
            long start = threads.getCurrentThreadCpuTime();
            for (int i = 0; i < count; i++) {
                task.run(i);
            }
            if (round >= 0) {
                times.add((threads.getCurrentThreadCpuTime() - start) / 1e6 / count);
            }
        }
        System.out.printf(Locale.ROOT, "%s: %.2f ms%n", part, median(times));
    }

    /** Parts of the photos among the test resources, of random size and place. */
    private static void make(Path folder) throws IOException {
        Path images = Files.createDirectories(folder.resolve("photos"));
        ImageDecoder decoder = new ImageDecoder();
        List<RgbImage> photos = List.of(
                decoder.decode(PHOTOS.resolve("cat.png")),
                decoder.decode(PHOTOS.resolve("coffee.png")),
                decoder.decode(PHOTOS.resolve("rocket.jpg")));
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < COUNT; i++) {
            RgbImage photo = photos.get(i % photos.size());
            int height = photo.height() * (60 + random.nextInt(41)) / 100;
            int width = Math.min(photo.width(), height * WIDTH / HEIGHT);
            Box box = new Box(
                    random.nextInt(photo.width() - width + 1),
                    random.nextInt(photo.height() - height + 1),
                    width,
                    height);
            RgbImage image = Resampling.BICUBIC.resize(photo, box, WIDTH, HEIGHT);
            write(image, images.resolve("%03d.jpg".formatted(i)));
        }
    }

    private static void write(RgbImage image, Path file) throws IOException {
        ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
        try (ImageOutputStream out = ImageIO.createImageOutputStream(file.toFile())) {
            ImageWriteParam quality = writer.getDefaultWriteParam();
            quality.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
            quality.setCompressionQuality(0.95f);
            writer.setOutput(out);
            writer.write(null, new IIOImage(image.toBufferedImage(), null, null), quality);
        } finally {
            writer.dispose();
        }
    }

    private static long bytes(Path folder) throws IOException {
        long sum = 0;
        ImageFolder images = ImageFolder.of(folder);
        for (int i = 0; i < images.size(); i++) {
            sum += Files.size(Path.of(images.name(i)));
        }
        return sum;
    }

    private static double median(List<Double> values) {
        return values.stream()
                .sorted()
                .skip((values.size() - 1) / 2)
                .findFirst()
                .orElseThrow();
    }
}
