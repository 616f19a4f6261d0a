package io.github.convzoo.benchmark;

import ai.djl.Device;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.NoopTranslator;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.LoadOptions;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * One forward pass at 224 x 224 on the CPU: ConvZoo's blocks, or the TorchScript of a PyTorch implementation with the
 * same weights in the same engine.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
public class ForwardBenchmark {

    /** Whose forward pass. */
    public enum Implementation {
        CONVZOO,
        TORCHSCRIPT
    }

    @Param({"dla34", "dla60x", "dpn68", "peleenet"})
    public String model;

    @Param({"1", "8"})
    public int batch;

    @Param
    public Implementation implementation;

    private ZooModel<NDList, NDList> loaded;
    private Predictor<NDList, NDList> predictor;
    private NDManager manager;
    private NDArray input;

    @Setup(Level.Trial)
    public void load() throws Exception {
        Path peers = Path.of(System.getProperty("convzoo.peers"));
        loaded = implementation == Implementation.CONVZOO
                ? ConvZoo.loadLogits(
                        model,
                        LoadOptions.of(peers.resolve(model + ".safetensors")).withDevice(Device.cpu()))
                : Criteria.builder()
                        .setTypes(NDList.class, NDList.class)
                        .optModelPath(peers.resolve(model + ".pt"))
                        .optEngine("PyTorch")
                        .optDevice(Device.cpu())
                        .optTranslator(new NoopTranslator())
                        .build()
                        .loadModel();
        predictor = loaded.newPredictor();
        manager = loaded.getNDManager().newSubManager();
        input = manager.randomNormal(new Shape(batch, 3, 224, 224));
        // What loading needed in passing is not what the forward pass needs.
        System.gc();
        PeakMemory.reset();
    }

    @Benchmark
    public float forward() throws Exception {
        try (NDManager step = manager.newSubManager()) {
            input.tempAttach(step);
            NDList output = predictor.predict(new NDList(input));
            output.attach(step);
            return output.singletonOrThrow().getFloat(0, 0);
        }
    }

    @TearDown(Level.Trial)
    public void close() {
        predictor.close();
        manager.close();
        loaded.close();
    }
}
