package io.github.convzoo.export;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Map;

/** A file in ONNX Runtime, on the CPU. The session is shared by all threads. */
final class OnnxModel implements ExportedModel {

    /** DJL's setting for its PyTorch engine, which {@code --threads} sets; it holds for every runtime. */
    private static final String THREADS = "ai.djl.pytorch.num_threads";

    /** One thread for each core. */
    private static final int ALL_CORES = 0;

    private final OrtSession session;

    private OnnxModel(OrtSession session) {
        this.session = session;
    }

    static OnnxModel open(Path file) throws IOException {
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
            options.setIntraOpNumThreads(Integer.getInteger(THREADS, ALL_CORES));
            return new OnnxModel(OrtEnvironment.getEnvironment().createSession(file.toString(), options));
        } catch (OrtException e) {
            throw new IOException(file + ": ONNX Runtime refuses it: " + e.getMessage(), e);
        }
    }

    @Override
    public NDList run(NDList inputs) {
        NDArray input = inputs.singletonOrThrow();
        NDManager manager = input.getManager();
        long[] shape = input.getShape().getShape();
        ByteBuffer bytes = input.toByteBuffer().order(ByteOrder.nativeOrder());
        try (OnnxTensor tensor = input.getDataType() == DataType.UINT8
                        ? OnnxTensor.createTensor(OrtEnvironment.getEnvironment(), bytes, shape, OnnxJavaType.UINT8)
                        : OnnxTensor.createTensor(OrtEnvironment.getEnvironment(), bytes.asFloatBuffer(), shape);
                OrtSession.Result result = session.run(Map.of(NetworkFile.INPUT, tensor))) {
            NDList outputs = new NDList();
            for (Map.Entry<String, OnnxValue> each : result) {
                OnnxTensor output = (OnnxTensor) each.getValue();
                NDArray array = manager.create(
                        output.getByteBuffer(), new Shape(output.getInfo().getShape()), DataType.FLOAT32);
                array.setName(each.getKey());
                outputs.add(array);
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
