package io.github.convzoo.export;

import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.weights.ModelFolder;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How a network is exported. Start from {@link #onnx} or {@link #torchScript} and change what differs.
 *
 * @param format the file format
 * @param precision the compute precision
 * @param preprocess whether the file takes images as bytes (N, H, W, C) and returns probabilities, instead of
 *     normalized floats (N, C, H, W) and logits
 * @param features whether the last feature map and the pooled features are also outputs
 * @param classMaps whether the class activation maps of all classes are also an output, so that the file alone can
 *     explain images
 * @param target the processor to optimize for
 */
public record ExportOptions(
        Format format, Precision precision, boolean preprocess, boolean features, boolean classMaps, Target target) {

    /**
     * Checks that the target supports the precision.
     *
     * @throws IllegalArgumentException if the target has no kernels for the precision
     */
    public ExportOptions {
        if (callsOneDnn(format, target) && precision != Precision.FLOAT32) {
            throw new IllegalArgumentException("TorchScript for " + target + " computes in float32, not in "
                    + precision.name().toLowerCase(Locale.ROOT) + ", which is for GPUs; use the target "
                    + Target.ANY);
        }
    }

    /** Whether the file calls oneDNN. */
    boolean callsOneDnn() {
        return callsOneDnn(format, target);
    }

    private static boolean callsOneDnn(Format format, Target target) {
        return format == Format.TORCHSCRIPT && target.oneDnn();
    }

    /** File formats. */
    public enum Format {
        /** ONNX, operator set 13. */
        ONNX(ModelFolder.ONNX, "OnnxRuntime", 16) {
            @Override
            void write(NetworkFile network, Target target, Path to) throws CheckpointException {
                OnnxWriter.write(network, to);
            }
        },
        /** An archive that {@code torch.jit.load} and DJL's PyTorch engine read. */
        TORCHSCRIPT(ModelFolder.TORCHSCRIPT, "PyTorch", 1) {
            @Override
            void write(NetworkFile network, Target target, Path to) throws CheckpointException {
                TorchScriptWriter.write(network, TorchScriptCode.Flavor.of(network, target), to);
            }
        };

        private final String file;
        private final @Nullable String engine;
        private final int block;

        Format(String file, @Nullable String engine, int block) {
            this.file = file;
            this.engine = engine;
            this.block = block;
        }

        /** Writes a network for a target; an existing file is replaced once the new one is complete. */
        abstract void write(NetworkFile network, Target target, Path to) throws CheckpointException;

        /** The name of DJL's engine for such files; empty if DJL has none. */
        Optional<String> engine() {
            return Optional.ofNullable(engine);
        }

        /** The preferred multiple for a group's channels if the file is for any processor; 1 if irrelevant. */
        int block() {
            return block;
        }

        /** {@return the file's name in a model folder} */
        public String file() {
            return file;
        }
    }

    /**
     * {@return options for float32, from normalized floats to logits, for any processor}
     *
     * @param format the file format
     */
    public static ExportOptions of(Format format) {
        return new ExportOptions(format, Precision.FLOAT32, false, false, false, Target.ANY);
    }

    /** {@return options for ONNX in float32, from normalized floats to logits} */
    public static ExportOptions onnx() {
        return of(Format.ONNX);
    }

    /** {@return options for TorchScript in float32, from normalized floats to logits} */
    public static ExportOptions torchScript() {
        return of(Format.TORCHSCRIPT);
    }

    /**
     * {@return the options with another precision}
     *
     * @param value the compute precision
     */
    public ExportOptions withPrecision(Precision value) {
        return new ExportOptions(format, value, preprocess, features, classMaps, target);
    }

    /**
     * {@return the options with or without preprocessing and softmax in the file}
     *
     * @param value whether they are in the file
     */
    public ExportOptions withPreprocess(boolean value) {
        return new ExportOptions(format, precision, value, features, classMaps, target);
    }

    /**
     * {@return the options with or without feature maps as outputs}
     *
     * @param value whether they are outputs
     */
    public ExportOptions withFeatures(boolean value) {
        return new ExportOptions(format, precision, preprocess, value, classMaps, target);
    }

    /**
     * {@return the options with or without the class activation maps of all classes as the last output}
     *
     * @param value whether they are an output
     */
    public ExportOptions withClassMaps(boolean value) {
        return new ExportOptions(format, precision, preprocess, features, value, target);
    }

    /**
     * {@return the options for another processor}
     *
     * @param value the processor to optimize for
     */
    public ExportOptions withTarget(Target value) {
        return new ExportOptions(format, precision, preprocess, features, classMaps, value);
    }
}
