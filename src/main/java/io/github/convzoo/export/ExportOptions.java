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
     * @param format the file format
     * @param precision the compute precision
     * @param preprocess whether preprocessing and softmax are in the file
     * @param features whether feature maps are outputs
     * @param classMaps whether class activation maps are an output
     * @param target the processor to optimize for
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

        /**
         * Returns the file's name in a model folder.
         *
         * @return the name
         */
        public String file() {
            return file;
        }
    }

    /**
     * Returns options for float32, from normalized floats to logits, for any processor.
     *
     * @param format the file format
     * @return the options
     */
    public static ExportOptions of(Format format) {
        return new ExportOptions(format, Precision.FLOAT32, false, false, false, Target.ANY);
    }

    /**
     * Returns options for ONNX in float32, from normalized floats to logits.
     *
     * @return the options
     */
    public static ExportOptions onnx() {
        return of(Format.ONNX);
    }

    /**
     * Returns options for TorchScript in float32, from normalized floats to logits.
     *
     * @return the options
     */
    public static ExportOptions torchScript() {
        return of(Format.TORCHSCRIPT);
    }

    /**
     * Returns the options with another precision.
     *
     * @param value the compute precision
     * @return the changed options
     */
    public ExportOptions withPrecision(Precision value) {
        return new ExportOptions(format, value, preprocess, features, classMaps, target);
    }

    /**
     * Returns the options with or without preprocessing and softmax in the file.
     *
     * @param value whether they are in the file
     * @return the changed options
     */
    public ExportOptions withPreprocess(boolean value) {
        return new ExportOptions(format, precision, value, features, classMaps, target);
    }

    /**
     * Returns the options with or without feature maps as outputs.
     *
     * @param value whether they are outputs
     * @return the changed options
     */
    public ExportOptions withFeatures(boolean value) {
        return new ExportOptions(format, precision, preprocess, value, classMaps, target);
    }

    /**
     * Returns the options with or without the class activation maps of all classes as the last output.
     *
     * @param value whether they are an output
     * @return the changed options
     */
    public ExportOptions withClassMaps(boolean value) {
        return new ExportOptions(format, precision, preprocess, features, value, target);
    }

    /**
     * Returns the options for another processor.
     *
     * @param value the processor to optimize for
     * @return the changed options
     */
    public ExportOptions withTarget(Target value) {
        return new ExportOptions(format, precision, preprocess, features, classMaps, value);
    }
}
