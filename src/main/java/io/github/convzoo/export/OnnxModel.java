package io.github.convzoo.export;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;

/** A file in ONNX Runtime, on the CPU. All threads share one session. */
final class OnnxModel implements ExportedModel {

    /** DJL's setting for its PyTorch engine, which {@code --threads} sets; it holds for every runtime. */
    private static final String THREADS = "ai.djl.pytorch.num_threads";

    /** One thread per core. */
    private static final int ALL_CORES = 0;

    /** The types of outputs that are read, and converted to float32. */
    private static final Map<OnnxJavaType, DataType> OUTPUTS = new EnumMap<>(Map.of(
            OnnxJavaType.FLOAT, DataType.FLOAT32,
            OnnxJavaType.DOUBLE, DataType.FLOAT64,
            OnnxJavaType.FLOAT16, DataType.FLOAT16));

    private final OrtSession session;
    private final String name;
    private final ExportedInput input;

    private OnnxModel(OrtSession session, String name, ExportedInput input) {
        this.session = session;
        this.name = name;
        this.input = input;
    }

    static OnnxModel open(Path file) throws IOException {
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
            // Warnings go straight to the terminal, names in the file included. Errors are exceptions.
            options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL);
            options.setIntraOpNumThreads(Integer.getInteger(THREADS, ALL_CORES));
            if (Target.overflowsHere()) {
                // Kernels that are exact where products of bytes would overflow; irrelevant to float networks.
                options.addConfigEntry("session.x64quantprecision", "1");
            }
            return of(OrtEnvironment.getEnvironment().createSession(file.toString(), options), file);
        } catch (OrtException e) {
            throw new IOException(file + ": ONNX Runtime refused the file: " + e.getMessage(), e);
        }
    }

    private static OnnxModel of(OrtSession session, Path file) throws OrtException, IOException {
        try {
            return checked(session, file);
        } catch (OrtException | IOException e) {
            session.close();
            throw e;
        }
    }

    private static OnnxModel checked(OrtSession session, Path file) throws OrtException, IOException {
        for (Map.Entry<String, NodeInfo> output : session.getOutputInfo().entrySet()) {
            if (!(output.getValue().getInfo() instanceof TensorInfo info) || !OUTPUTS.containsKey(info.type)) {
                throw new IOException("%s: the output %s must be a tensor of one of the types %s"
                        .formatted(file, output.getKey(), OUTPUTS.keySet()));
            }
        }
        Map<String, NodeInfo> inputs = session.getInputInfo();
        if (inputs.size() == 1) {
            Map.Entry<String, NodeInfo> only = inputs.entrySet().iterator().next();
            if (only.getValue().getInfo() instanceof TensorInfo info && info.getShape().length > 0) {
                if (info.type != OnnxJavaType.FLOAT && info.type != OnnxJavaType.UINT8) {
                    throw new IOException("%s: the input %s must have the type FLOAT or UINT8, not %s"
                            .formatted(file, only.getKey(), info.type));
                }
                Shape sample = new Shape(info.getShape()).slice(1);
                boolean known = sample.dimension() == 3
                        && Arrays.stream(sample.getShape()).allMatch(size -> size > 0);
                return new OnnxModel(
                        session,
                        only.getKey(),
                        new ExportedInput(
                                info.type == OnnxJavaType.UINT8, known ? Optional.of(sample) : Optional.empty()));
            }
        }
        throw new IOException(file + ": has the inputs " + inputs.keySet() + "; expected one tensor");
    }

    @Override
    public ExportedInput input() {
        return input;
    }

    @Override
    public boolean isBatchInvariant() {
        return true;
    }

    @Override
    public boolean hasClassMaps() {
        return session.getOutputNames().contains(NetworkFile.CLASS_MAPS);
    }

    @Override
    public NDList run(NDList inputs) {
        NDArray array = inputs.singletonOrThrow();
        NDManager manager = array.getManager();
        long[] shape = array.getShape().getShape();
        // The memory of the array itself, which must stay open until the session has run.
        ByteBuffer bytes = array.toByteBuffer(true).order(ByteOrder.nativeOrder());
        try (OnnxTensor tensor = array.getDataType() == DataType.UINT8
                        ? OnnxTensor.createTensor(OrtEnvironment.getEnvironment(), bytes, shape, OnnxJavaType.UINT8)
                        : OnnxTensor.createTensor(OrtEnvironment.getEnvironment(), bytes.asFloatBuffer(), shape);
                OrtSession.Result result = session.run(Map.of(name, tensor))) {
            NDList outputs = new NDList();
            for (Map.Entry<String, OnnxValue> each : result) {
                OnnxTensor output = (OnnxTensor) each.getValue();
                TensorInfo info = output.getInfo();
                NDArray copy =
                        manager.create(output.getByteBuffer(), new Shape(info.getShape()), OUTPUTS.get(info.type));
                NDArray floats = copy.toType(DataType.FLOAT32, false);
                if (floats != copy) {
                    copy.close();
                }
                floats.setName(each.getKey());
                outputs.add(floats);
            }
            return outputs;
        } catch (OrtException e) {
            throw new IllegalStateException("ONNX Runtime failed: " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        try {
            session.close();
        } catch (OrtException e) {
            throw new IllegalStateException("ONNX Runtime failed to close a session: " + e.getMessage(), e);
        }
    }
}
