package io.github.convzoo.benchmark;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.profile.InternalProfiler;
import org.openjdk.jmh.results.AggregationPolicy;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.ScalarResult;

/**
 * The process's peak of resident memory since the model was loaded, in MiB: as a whole, and beyond what it had then.
 * From Linux's /proc; elsewhere nothing is reported.
 */
public final class PeakMemory implements InternalProfiler {

    static final String PEAK = "peak";
    static final String BEYOND = "peak.beyond.loaded";

    private static final Path STATUS = Path.of("/proc/self/status");
    private static long loaded;

    /** JMH makes profilers by name. */
    public PeakMemory() {}

    /** Forgets the peak so far. */
    static void reset() {
        if (Files.exists(STATUS)) {
            loaded = resident();
            try {
                Files.writeString(Path.of("/proc/self/clear_refs"), "5");
            } catch (IOException e) {
                throw new UncheckedIOException("the peak of resident memory cannot be reset", e);
            }
        }
    }

    /** The process's resident memory in KiB. */
    static long resident() {
        return kibibytes("VmRSS:");
    }

    static long kibibytes(String key) {
        try {
            for (String line : Files.readAllLines(STATUS)) {
                if (line.startsWith(key)) {
                    return Long.parseLong(line.replaceAll("\\D", ""));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        throw new IllegalStateException(STATUS + " has no " + key);
    }

    @Override
    public String getDescription() {
        return "peak of resident memory since loading";
    }

    @Override
    public void beforeIteration(BenchmarkParams benchmark, IterationParams iteration) {}

    @Override
    public Collection<? extends Result<?>> afterIteration(
            BenchmarkParams benchmark, IterationParams iteration, IterationResult result) {
        if (!Files.exists(STATUS)) {
            return List.of();
        }
        long peak = kibibytes("VmHWM:");
        return List.of(
                new ScalarResult(PEAK, peak / 1024.0, "MiB", AggregationPolicy.MAX),
                new ScalarResult(BEYOND, (peak - loaded) / 1024.0, "MiB", AggregationPolicy.MAX));
    }
}
