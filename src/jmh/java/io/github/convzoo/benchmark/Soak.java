package io.github.convzoo.benchmark;

import ai.djl.Device;
import ai.djl.modality.Classifications;
import ai.djl.repository.zoo.ZooModel;
import io.github.convzoo.image.Normalization;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.image.Resampling;
import io.github.convzoo.image.RgbImage;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.LoadOptions;
import io.github.convzoo.zoo.SharedPredictions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Predicts for long on several threads that share one model, and fails where a result differs from what one thread
 * gave, or native memory grows once a quarter more predictions than were asked for have warmed everything up.
 *
 * <p>The JVM's heap is to be resident from the start, and of one size, so that what is beyond it is native. Linux only.
 *
 * <p>Arguments: the folder of the weights, the model, the input's side, how many threads, how many predictions.
 */
public final class Soak {

    private static final int INPUTS = 16;

    /** How often resident memory is asked for, over a run. */
    private static final int SAMPLES = 200;

    /** Between the first and the last tenth of the samples after the warm-up. */
    private static final double ALLOWED_GROWTH = 0.02;

    private Soak() {}

    public static void main(String[] args) throws Exception {
        if (args.length != 5) {
            throw new IllegalArgumentException(
                    "arguments: the folder of the weights, the model, the side, how many threads, how many predictions");
        }
        int side = Integer.parseInt(args[2]);
        int threads = Integer.parseInt(args[3]);
        int predictions = Integer.parseInt(args[4]);
        LoadOptions options = LoadOptions.of(RandomWeights.of(args[1], Path.of(args[0])))
                .withPreprocessing(
                        Preprocessing.ofCropFraction(side, 0.875, Resampling.BILINEAR, Normalization.IMAGENET))
                .withDevice(Device.cpu());
        try (ZooModel<RgbImage, Classifications> model = ConvZoo.load(args[1], RgbImage.class, options)) {
            SharedPredictions shared = new SharedPredictions(model, INPUTS, side);
            if (shared.distinct() != 2 * INPUTS) {
                throw new IllegalStateException("only " + shared.distinct() + " results differ from each other");
            }
            long begun = System.nanoTime();
            // The same threads go on: others would begin anew with what a thread keeps for itself.
            int warmUp = predictions / 4;
            List<Double> samples = new ArrayList<>();
            int interval = Math.max(1, predictions / SAMPLES);
            int different = shared.run(threads, warmUp + predictions, done -> {
                if (done > warmUp && (done - warmUp) % interval == 0) {
                    synchronized (samples) {
                        samples.add(nativeMemory());
                        if (samples.size() % (SAMPLES / 10) == 0) {
                            System.out.printf(
                                    Locale.ROOT,
                                    "%d predictions: %.1f MiB%n",
                                    done - warmUp,
                                    samples.get(samples.size() - 1));
                        }
                    }
                }
            });
            report(samples, different, predictions, threads, (System.nanoTime() - begun) / 1e9);
        }
    }

    private static void report(List<Double> samples, int different, int predictions, int threads, double seconds) {
        int tenth = samples.size() / 10;
        double first = mean(samples.subList(0, tenth));
        double last = mean(samples.subList(samples.size() - tenth, samples.size()));
        double growth = last / first - 1;
        System.out.printf(
                Locale.ROOT,
                "%d predictions on %d threads in %.0f s: %d differ; native memory %.1f MiB, then %.1f MiB (%+.2f %%),"
                        + " at most %.1f MiB%n",
                predictions,
                threads,
                seconds,
                different,
                first,
                last,
                100 * growth,
                samples.stream().mapToDouble(Double::doubleValue).max().orElseThrow());
        if (different > 0 || growth >= ALLOWED_GROWTH) {
            System.exit(1);
        }
    }

    private static double mean(List<Double> values) {
        return values.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
    }

    /** Resident memory, without files and heap, in MiB. */
    private static double nativeMemory() {
        return PeakMemory.kibibytes("RssAnon:") / 1024.0 - Runtime.getRuntime().totalMemory() / 1048576.0;
    }
}
