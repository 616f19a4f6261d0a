package io.github.convzoo.train;

/**
 * The number format of a training step's forward and backward passes. Weights, gradients, optimizer state,
 * normalization statistics, the loss, and all evaluation are always float32.
 */
public enum Precision {
    /** Single precision throughout. */
    FP32,

    /**
     * Mixed precision in IEEE half precision, like PyTorch's {@code autocast} and {@code GradScaler}: the network
     * computes with float16 copies of its weights, and the loss is scaled so that small gradients do not underflow. A
     * step whose gradients overflow at that scale is skipped. From Micikevicius et al., Mixed Precision Training, ICLR
     * 2018. Faster on GPUs only.
     */
    FP16
}
