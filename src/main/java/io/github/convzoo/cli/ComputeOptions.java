package io.github.convzoo.cli;

import ai.djl.Device;
import ai.djl.engine.Engine;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The device and the number of threads to compute on. */
final class ComputeOptions {

    private static final String THREADS = "ai.djl.pytorch.num_threads";
    private static final int MAX_THREADS = 1024;
    private static final Pattern DEVICE = Pattern.compile("cpu|gpu\\d{0,4}");

    @Option(
            names = "--device",
            paramLabel = "DEVICE",
            description = "cpu, gpu0, gpu1, ... Default: a GPU if there is one.")
    @Nullable String device;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description =
                    "The number of threads that compute a batch. Default: one per core; one if there are many images.")
    @Nullable Integer threads;

    /** Configures the engine; call this before the engine starts. Empty if the engine chooses the device. */
    Optional<Device> apply() {
        if (threads != null) {
            System.setProperty(THREADS, Integer.toString(threads(threads)));
        }
        return Optional.ofNullable(device).map(ComputeOptions::device);
    }

    /**
     * Configures the engine for many images. Unless told otherwise, it computes with one thread, so that each core
     * computes a batch of its own; threads that compute a batch together would spin while they wait for each other.
     */
    Optional<Device> applyForMany() {
        if (threads == null && System.getProperty(THREADS) == null) {
            System.setProperty(THREADS, "1");
        }
        return apply();
    }

    /** Checks a number of threads. */
    static int threads(int threads) {
        if (threads < 1 || threads > MAX_THREADS) {
            throw new IllegalArgumentException(
                    "--threads must be at least 1 and at most " + MAX_THREADS + ", not " + threads);
        }
        return threads;
    }

    /** Parses a device's name. */
    static Device device(String device) {
        if (!DEVICE.matcher(device).matches()) {
            throw new IllegalArgumentException("--device must be cpu, gpu0, gpu1, ..., not " + device);
        }
        if (device.equals("cpu")) {
            return Device.cpu();
        }
        int id = device.equals("gpu") ? 0 : Integer.parseInt(device.substring(3));
        int count = Engine.getEngine("PyTorch").getGpuCount();
        if (id >= count) {
            throw new IllegalArgumentException(
                    count == 0
                            ? "--device " + device + ": the engine finds no GPU here; use cpu"
                            : "--device " + device + ": this machine has " + count + " GPUs, numbered from gpu0");
        }
        return Device.gpu(id);
    }
}
