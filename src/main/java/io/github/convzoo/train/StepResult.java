package io.github.convzoo.train;

/**
 * What a step did.
 *
 * @param step how many updates were made before it
 * @param loss the mean loss of the batch, before the update
 * @param rate the learning rate
 * @param gradientNorm the Euclidean norm of all gradients together, before clipping
 * @param correct how many samples' most likely class was that of their target's largest share
 * @param samples how many samples there were
 */
public record StepResult(long step, double loss, double rate, double gradientNorm, int correct, int samples) {}
