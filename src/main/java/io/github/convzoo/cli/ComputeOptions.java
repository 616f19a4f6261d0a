package io.github.convzoo.cli;

import ai.djl.Device;
import ai.djl.engine.Engine;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where and on how many threads to compute. */
final class ComputeOptions {

    private static final int MAX_THREADS = 1024;
    private static final Pattern DEVICE = Pattern.compile("cpu|gpu\\d{0,4}");

    @Option(
            names = "--device",
            paramLabel = "DEVICE",
            description = "cpu, gpu0, gpu1 ... Default: a GPU where there is one.")
    @Nullable String device;

    @Option(names = "--threads", paramLabel = "N", description = "Threads to compute on. Default: one for each core.")
    @Nullable Integer threads;

    /** Sets up the engine; call before anything starts it. Empty where the engine shall choose. */
    Optional<Device> apply() {
        if (threads != null) {
            if (threads < 1 || threads > MAX_THREADS) {
                throw new IllegalArgumentException(
                        "--threads must be at least 1 and at most " + MAX_THREADS + ", not " + threads);
            }
            System.setProperty("ai.djl.pytorch.num_threads", threads.toString());
        }
        return Optional.ofNullable(device).map(ComputeOptions::device);
    }

    /** The device of a name. */
    static Device device(String device) {
        if (!DEVICE.matcher(device).matches()) {
            throw new IllegalArgumentException("--device must be cpu, gpu0, gpu1 ..., not " + device);
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
                            : "--device " + device + ": there are " + count + " GPUs, the first is gpu0");
        }
        return Device.gpu(id);
    }
}
