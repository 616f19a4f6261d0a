package io.github.convzoo.train;

import io.github.convzoo.data.Batch;
import java.util.Locale;

/**
 * A step whose loss or gradient is not finite, of which nothing was kept: the weights are those before it. Or an epoch after
 * which the validation loss is not.
 */
public final class DivergedException extends Exception {
    private static final long serialVersionUID = 1L;

    /** How many updates were made. */
    private final long step;

    /** Of the batch, or of the validation images. */
    private final double loss;

    /** Whether the loss is that of the validation images. */
    private final boolean validation;

    DivergedException(long step, double loss, double gradientNorm, double rate) {
        this(
                String.format(
                        Locale.ROOT,
                        "step %d: %s at a learning rate of %.3g; the weights are those before this step; try a lower"
                                + " rate, a warm-up or clipping, and look for bad values in the batch",
                        step,
                        Double.isFinite(loss) ? "the gradient's norm is " + gradientNorm : "the loss is " + loss,
                        rate),
                step,
                loss,
                false);
    }

    /** The same in float16, which has numbers up to 65504 only. */
    static DivergedException inHalfPrecision(long step, double loss, double gradientNorm, double rate) {
        return new DivergedException(
                new DivergedException(step, loss, gradientNorm, rate).getMessage()
                        + "; or float16 overflows, which single precision would not",
                step,
                loss,
                false);
    }

    /** Weights that are finite, perhaps, and give no finite numbers. */
    static DivergedException validating(int epoch, long step, double loss) {
        return new DivergedException(
                "epoch " + epoch + ": the validation loss is " + loss
                        + "; try a lower rate, a warm-up or clipping, and look for bad values in the images",
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

    /** The same, with the batch named. */
    DivergedException in(Batch batch) {
        DivergedException named = new DivergedException(
                "epoch " + batch.epoch() + ", batch " + (batch.number() + 1) + ", " + getMessage(), step, loss, false);
        named.setStackTrace(getStackTrace());
        return named;
    }

    /**
     * The step that failed.
     *
     * @return how many updates were made before it
     */
    public long step() {
        return step;
    }

    /**
     * Whether it is the validation loss that is not finite.
     *
     * @return false for a step's
     */
    public boolean isValidation() {
        return validation;
    }

    /**
     * The loss of the batch, or of the validation images.
     *
     * @return the mean over the samples; finite where only the gradient is not
     */
    public double loss() {
        return loss;
    }
}
