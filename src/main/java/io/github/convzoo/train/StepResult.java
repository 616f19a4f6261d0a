package io.github.convzoo.train;

/**
 * The result of a step.
 *
 * @param step the number of steps before it
 * @param loss the mean loss of the batch, before the update
 * @param rate the learning rate
 * @param gradientNorm the Euclidean norm of all gradients together, before clipping; not finite if the step was skipped
 * @param correct the number of samples whose most likely class has the largest weight in their target
 * @param samples the number of samples
 */
public record StepResult(long step, double loss, double rate, double gradientNorm, int correct, int samples) {

    /**
     * {@return whether the gradients overflowed float16, so that the update was skipped; never true in single
     * precision} The next step uses a smaller loss scale.
     */
    public boolean isSkipped() {
        return !Double.isFinite(gradientNorm);
    }
}
