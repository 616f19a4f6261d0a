package io.github.convzoo.train;

import io.github.convzoo.data.Batch;
import java.util.Locale;

/**
 * Thrown if a step's loss or gradient is not finite; the step is discarded, and the weights are those before it. Also
 * thrown if the validation loss after an epoch is not finite.
 */
public final class DivergedException extends Exception {
    private static final long serialVersionUID = 1L;

    /** The number of updates made. */
    private final long step;

    /** The loss of the batch, or of the validation images. */
    private final double loss;

    /** Whether the loss is of the validation images. */
    private final boolean validation;

    DivergedException(long step, double loss, double gradientNorm, double rate) {
        this(message(step, loss, gradientNorm, rate), step, loss, false);
    }

    private static String message(long step, double loss, double gradientNorm, double rate) {
        if (step == 0 && !Double.isFinite(loss)) {
            return "step 0: the loss is " + loss + " before anything was learned; the weights to start from are"
                    + " damaged, or were trained for another input, or the batch has bad values";
        }
        return String.format(
                Locale.ROOT,
                "step %d: %s at a learning rate of %.3g; the weights are those before this step; try a lower"
                        + " learning rate, warm-up or gradient clipping, and check the batch for bad values",
                step,
                Double.isFinite(loss) ? "the gradient's norm is " + gradientNorm : "the loss is " + loss,
                rate);
    }

    /** The same in float16, whose range ends at 65504. */
    static DivergedException inHalfPrecision(long step, double loss, double gradientNorm, double rate) {
        return new DivergedException(
                new DivergedException(step, loss, gradientNorm, rate).getMessage()
                        + "; or float16 overflows, so try float32",
                step,
                loss,
                false);
    }

    /** Weights that may be finite, but whose outputs are not. */
    static DivergedException validating(int epoch, long step, double loss) {
        return new DivergedException(
                "epoch " + epoch + ": the validation loss is " + loss
                        + "; try a lower learning rate, warm-up or gradient clipping, and check the images for bad"
                        + " values",
                step,
                loss,
                true);
    }

    private DivergedException(String message, long step, double loss, boolean validation) {
        super(message);
        this.step = step;
        this.loss = loss;
        this.validation = validation;
    }

    /** The same exception with the batch in its message. */
    DivergedException in(Batch batch) {
        DivergedException named = new DivergedException(
                "epoch " + batch.epoch() + ", batch " + (batch.number() + 1) + ", " + getMessage(), step, loss, false);
        named.setStackTrace(getStackTrace());
        return named;
    }

    /** {@return the step that failed: the number of updates before it} */
    public long step() {
        return step;
    }

    /** {@return whether the loss is the validation loss; false for a step's loss} */
    public boolean isValidation() {
        return validation;
    }

    /**
     * {@return the loss of the batch, or of the validation images: the mean over the samples; finite if only the
     * gradient is not}
     */
    public double loss() {
        return loss;
    }
}
