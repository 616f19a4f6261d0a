package io.github.convzoo.export;

import java.util.Locale;

/**
 * How a network is exported. Start from {@link #onnx} or {@link #torchScript} and change what differs.
 *
 * @param format the file's format
 * @param precision what the network computes in
 * @param preprocess whether the file takes images as bytes (N, H, W, C) and gives probabilities, instead of normalized floats (N, C,
 *     H, W) and logits
 * @param features whether the last feature map and the pooled features are outputs, too
 * @param target the processor that the file is made for
 */
public record ExportOptions(Format format, Precision precision, boolean preprocess, boolean features, Target target) {

    /**
     * Checks that target and precision fit.
     *
     * @param format the file's format
     * @param precision what the network computes in
     * @param preprocess whether preprocessing and softmax are in the file
     * @param features whether feature maps are outputs
     * @param target the processor
     * @throws IllegalArgumentException if the target has no kernels for the precision
     */
    public ExportOptions {
        if (target.oneDnn() && format == Format.TORCHSCRIPT && precision != Precision.FLOAT32) {
            throw new IllegalArgumentException("TorchScript for " + target + " computes in float32, not in "
                    + precision.name().toLowerCase(Locale.ROOT) + ", which is for GPUs; leave the target at "
                    + Target.ANY);
        }
    }

    /** File formats. */
    public enum Format {
        /** ONNX, operator set 13. */
        ONNX("model.onnx"),
        /** An archive that {@code torch.jit.load} and DJL's PyTorch engine read. */
        TORCHSCRIPT("model.pt");

        private final String file;

        Format(String file) {
            this.file = file;
        }

        /**
         * The file's name in a model folder.
         *
         * @return the name
         */
        public String file() {
            return file;
        }
    }

    /**
     * ONNX in float32, from normalized floats to logits.
     *
     * @return the options
     */
    public static ExportOptions onnx() {
        return new ExportOptions(Format.ONNX, Precision.FLOAT32, false, false, Target.ANY);
    }

    /**
     * TorchScript in float32, from normalized floats to logits.
     *
     * @return the options
     */
    public static ExportOptions torchScript() {
        return new ExportOptions(Format.TORCHSCRIPT, Precision.FLOAT32, false, false, Target.ANY);
    }

    /**
     * In another precision.
     *
     * @param value what the network computes in
     * @return the changed options
     */
    public ExportOptions withPrecision(Precision value) {
        return new ExportOptions(format, value, preprocess, features, target);
    }

    /**
     * With preprocessing and softmax in the file, or without.
     *
     * @param value whether they are in it
     * @return the changed options
     */
    public ExportOptions withPreprocess(boolean value) {
        return new ExportOptions(format, precision, value, features, target);
    }

    /**
     * With feature maps as outputs, or without.
     *
     * @param value whether they are outputs
     * @return the changed options
     */
    public ExportOptions withFeatures(boolean value) {
        return new ExportOptions(format, precision, preprocess, value, target);
    }

    /**
     * For another processor.
     *
     * @param value the processor that the file is made for
     * @return the changed options
     */
    public ExportOptions withTarget(Target value) {
        return new ExportOptions(format, precision, preprocess, features, value);
    }
}
