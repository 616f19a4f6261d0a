package io.github.convzoo.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.sun.management.ThreadMXBean;
import io.github.convzoo.Samples;
import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.checkpoint.CheckpointTrees;
import io.github.convzoo.checkpoint.ElementType;
import io.github.convzoo.checkpoint.Tensor;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Objects;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirDeletionStrategy.IgnoreFailures;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TensorStatisticsTest {

    private static TensorStatistics of(double... values) {
        ByteBuffer data = ByteBuffer.allocate(8 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        data.asDoubleBuffer().put(values);
        return TensorStatistics.of(Tensor.of("a", ElementType.F64, new long[] {values.length}, data));
    }

    /** Of double arithmetic on few numbers: a few units in the last place. */
    private static Offset<Double> near(double value) {
        return within(1e-14 * Math.abs(value));
    }

    @Test
    void of_numbers_isWhatTheDefinitionsSay() {
        TensorStatistics statistics = of(1, 0, 4, -3, 0);

        assertThat(statistics.min()).hasValue(-3);
        assertThat(statistics.max()).hasValue(4);
        assertThat(statistics.mean().orElseThrow()).isCloseTo(0.4, near(0.4));
        double std = Math.sqrt((0.36 + 0.16 + 12.96 + 11.56 + 0.16) / 5);
        assertThat(statistics.std().orElseThrow()).isCloseTo(std, near(std));
        assertThat(statistics.zeros()).isEqualTo(2);
        assertThat(statistics.nans()).isZero();
        assertThat(statistics.infinities()).isZero();
    }

    @Test
    void of_numbersThatAreNotFinite_countsThemAndLeavesThemOut() {
        TensorStatistics statistics =
                of(Double.NaN, 2, Double.POSITIVE_INFINITY, -0.0, Double.NEGATIVE_INFINITY, Double.NaN, Double.NaN);

        assertThat(statistics.nans()).isEqualTo(3);
        assertThat(statistics.infinities()).isEqualTo(2);
        assertThat(statistics.zeros()).isEqualTo(1);
        assertThat(statistics.max()).hasValue(2);
        assertThat(statistics.mean()).hasValue(1);
        assertThat(statistics.std()).hasValue(1);
    }

    @Test
    void of_nothingFinite_hasNoMean() {
        for (double[] values : new double[][] {{}, {Double.NaN}, {Double.NEGATIVE_INFINITY, Double.NaN}}) {
            TensorStatistics statistics = of(values);
            assertThat(statistics.min()).isEmpty();
            assertThat(statistics.max()).isEmpty();
            assertThat(statistics.mean()).isEmpty();
            assertThat(statistics.std()).isEmpty();
            assertThat(statistics.zeros()).isZero();
        }
    }

    @Test
    void of_smallDeviationsFromALargeMean_keepsTheirDigits() {
        // The squares differ in no digit that a double has: their mean less the mean's square would be 0, or negative.
        TensorStatistics statistics = of(1e9 + 1, 1e9 + 2, 1e9 + 3, 1e9 + 4);

        assertThat(statistics.mean()).hasValue(1e9 + 2.5);
        assertThat(statistics.std().orElseThrow()).isCloseTo(Math.sqrt(1.25), near(1));
    }

    @ParameterizedTest
    @CsvSource({"1e308", "1e160", "1e-170", "1e-300", "4.9e-324"})
    void of_numbersWhoseSquaresNoDoubleHolds_isAsOfOthers(double unit) {
        TensorStatistics statistics = of(unit, -unit, unit, -unit);

        assertThat(statistics.max()).hasValue(unit);
        assertThat(statistics.mean().orElseThrow()).isCloseTo(0, within(unit * 1e-15));
        assertThat(statistics.std().orElseThrow()).isCloseTo(unit, near(unit));
    }

    @Test
    void of_largestNumbers_isFinite() {
        TensorStatistics statistics = of(Double.MAX_VALUE, -Double.MAX_VALUE, Double.MAX_VALUE, -Double.MAX_VALUE);

        assertThat(statistics.mean().orElseThrow()).isFinite();
        assertThat(statistics.std().orElseThrow()).isFinite();
    }

    /** What NumPy computes of the same tensors in float64. */
    @ParameterizedTest
    @CsvSource({
        "features.stemblock.stem1.conv.weight, -0.5058481693267822, 0.5154759883880615, -0.017788987960052002, 0.13892041340120007",
        "features.transition4.norm.running_var, 0.0004757636634167284, 0.031453900039196014, 0.005384351511855295, 0.0035915209588220096",
        "classifier.weight, -0.16080817580223083, 0.2306656688451767, -3.679080614373023e-05, 0.05045830824969592"
    })
    void of_trainedWeights_isWhatNumpyComputes(String name, double min, double max, double mean, double std)
            throws CheckpointException {
        Tensor tensor = Objects.requireNonNull(
                StateDict.of(Checkpoint.read(Samples.PELEENET)).tensors().get(name));
        TensorStatistics statistics = TensorStatistics.of(tensor);

        assertThat(statistics.min()).hasValue(min);
        assertThat(statistics.max()).hasValue(max);
        // Thousands of additions in another order, and of both signs: relative to the deviation.
        assertThat(statistics.mean().orElseThrow()).isCloseTo(mean, within(1e-12 * std));
        assertThat(statistics.std().orElseThrow()).isCloseTo(std, within(1e-12 * std));
    }

    @Test
    void of_aMappedTensor_copiesNothing(@TempDir(deletionStrategy = IgnoreFailures.class) Path folder)
            throws IOException {
        long size = 64 << 20;
        byte[] header = ("{\"a\":{\"dtype\":\"F32\",\"shape\":[" + size / 4 + "],\"data_offsets\":[0," + size + "]}}")
                .getBytes(StandardCharsets.UTF_8);
        ByteBuffer start = ByteBuffer.allocate(8 + header.length).order(ByteOrder.LITTLE_ENDIAN);
        start.putLong(header.length).put(header).flip();
        ByteBuffer last = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN);
        last.putFloat(4f).flip();
        Path file = folder.resolve("large.safetensors");
        try (FileChannel out = FileChannel.open(
                file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, StandardOpenOption.SPARSE)) {
            out.write(start);
            out.write(last, 8 + header.length + size - 4);
        }
        Tensor tensor = Objects.requireNonNull(
                StateDict.of(Checkpoint.read(file)).tensors().get("a"));
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        TensorStatistics statistics = TensorStatistics.of(tensor);

        assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(1 << 20);
        assertThat(statistics.max()).hasValue(4);
        assertThat(statistics.zeros()).isEqualTo(size / 4 - 1);
        assertThat(statistics.mean().orElseThrow()).isCloseTo(0x1p-22, near(0x1p-22));
    }

    @Test
    void of_aTensorThatRepeatsOneElement_copiesNothing() {
        Tensor tensor = CheckpointTrees.repeated("a", ElementType.F32, 1 << 11, 1 << 11);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();

        assertThat(TensorStatistics.of(tensor).zeros()).isEqualTo(1 << 22);
        assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(1 << 20);
    }
}
