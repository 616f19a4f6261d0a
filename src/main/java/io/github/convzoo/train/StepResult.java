package io.github.convzoo.train;

/**
 * What a step did.
 *
 * @param step how many steps were made before it
 * @param loss the mean loss of the batch, before the update
 * @param rate the learning rate
 * @param gradientNorm the Euclidean norm of all gradients together, before clipping; not finite if the step was skipped
 * @param correct how many samples' most likely class was that of their target's largest share
 * @param samples how many samples there were
 */
public record StepResult(long step, double loss, double rate, double gradientNorm, int correct, int samples) {

    /**
     * Whether the gradients overflowed float16, so that the weights stayed as they were. The next step is tried with a smaller
     * loss scale.
     *
     * @return never true in single precision
     */
    public boolean isSkipped() {
        return !Double.isFinite(gradientNorm);
    }
}
