package io.github.convzoo.train;

/**
 * The number format of a training step's forward and backward passes. The weights, their gradients, the optimizer's memory, the
 * statistics of normalizations, the loss, and all evaluation are float32 in any case.
 */
public enum Precision {
    /** Single precision throughout. */
    FP32,

    /**
     * Mixed precision in IEEE half precision, as PyTorch's {@code autocast} and {@code GradScaler} do it: the network computes
     * on float16 copies of its weights, and the loss is scaled so that small gradients do not underflow. A step whose gradients
     * overflow at that scale is skipped. From Micikevicius et al., Mixed Precision Training, ICLR 2018. Faster on GPUs only.
     */
    FP16
}
