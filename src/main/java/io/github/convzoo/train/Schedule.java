package io.github.convzoo.train;

import java.util.List;

/**
 * The learning rate by step, like PyTorch's scheduler of the same kind. A step is one update of the weights; multiply
 * epochs by the steps per epoch.
 */
public sealed interface Schedule {

    /** The kinds of schedules. */
    enum Kind {
        /** {@link Constant}. */
        CONSTANT("constant"),
        /** {@link MultiStep}. */
        STEP("step"),
        /** {@link Exponential}. */
        EXPONENTIAL("exponential"),
        /** {@link Cosine}. */
        COSINE("cosine"),
        /** {@link OneCycle}. */
        ONECYCLE("onecycle"),
        /** {@link Plateau}. */
        PLATEAU("plateau");

        private final String id;

        Kind(String id) {
            this.id = id;
        }

        /** {@return the name on the command line and in its files, which never changes} */
        public String id() {
            return id;
        }
    }

    /** {@return the kind of the schedule} */
    Kind kind();

    /**
     * {@return the learning rate of a step}
     *
     * @param step the number of updates before it, at least 0
     */
    double at(long step);

    /**
     * A constant learning rate.
     *
     * @param rate the learning rate, positive and finite
     */
    record Constant(double rate) implements Schedule {

        /**
         * Validates the rate.
         *
         * @throws IllegalArgumentException if it is not positive and finite
         */
        public Constant {
            checkRate(rate);
        }

        @Override
        public Kind kind() {
            return Kind.CONSTANT;
        }

        @Override
        public double at(long step) {
            checkStep(step);
            return rate;
        }
    }

    /**
     * The rate times {@code factor} to the power of the number of milestones reached.
     *
     * @param rate the initial learning rate, positive and finite
     * @param milestones steps, at least 1, in ascending order
     * @param factor the factor at each milestone, positive and finite
     */
    record MultiStep(double rate, List<Long> milestones, double factor) implements Schedule {

        /**
         * Validates the values, and copies the list.
         *
         * @throws IllegalArgumentException if a value is out of range
         */
        public MultiStep {
            checkRate(rate);
            checkFactor(factor);
            milestones = List.copyOf(milestones);
            long before = 0;
            for (long milestone : milestones) {
                if (milestone <= before) {
                    throw new IllegalArgumentException(
                            "milestones must be at least 1 and ascending; " + milestone + " follows " + before);
                }
                before = milestone;
            }
        }

        @Override
        public Kind kind() {
            return Kind.STEP;
        }

        @Override
        public double at(long step) {
            checkStep(step);
            long passed =
                    milestones.stream().filter(milestone -> milestone <= step).count();
            return rate * Math.pow(factor, (double) passed);
        }
    }

    /**
     * The rate times {@code factor} at regular intervals.
     *
     * @param rate the initial learning rate, positive and finite
     * @param every the number of steps between changes, at least 1
     * @param factor the factor of each change, positive and finite
     */
    record Exponential(double rate, long every, double factor) implements Schedule {

        /**
         * Validates the values.
         *
         * @throws IllegalArgumentException if a value is out of range
         */
        public Exponential {
            checkRate(rate);
            checkFactor(factor);
            checkSteps("the steps between two changes", every, 1);
        }

        @Override
        public Kind kind() {
            return Kind.EXPONENTIAL;
        }

        @Override
        public double at(long step) {
            checkStep(step);
            return rate * Math.pow(factor, (double) Math.floorDiv(step, every));
        }
    }

    /**
     * Linear warm-up to the rate, then half a cosine down to the minimum. From Loshchilov and Hutter, SGDR, ICLR 2017,
     * without restarts, and Goyal et al., Accurate, Large Minibatch SGD, 2017.
     *
     * @param rate the peak learning rate, positive and finite
     * @param least the minimum learning rate, at the end and after it, from 0 to {@code rate}
     * @param start the fraction of the rate that the warm-up starts with, in (0, 1]
     * @param warmUp the number of warm-up steps, at least 0
     * @param total the number of steps, including the warm-up, more than {@code warmUp}
     */
    record Cosine(double rate, double least, double start, long warmUp, long total) implements Schedule {

        /**
         * Validates the values.
         *
         * @throws IllegalArgumentException if a value is out of range
         */
        public Cosine {
            checkRate(rate);
            if (!(least >= 0 && least <= rate)) {
                throw new IllegalArgumentException(
                        "the minimum learning rate must be from 0 to " + rate + ", not " + least);
            }
            if (!(start > 0 && start <= 1)) {
                throw new IllegalArgumentException(
                        "the starting fraction of the warm-up must be above 0 and at most 1, not " + start);
            }
            checkSteps("the number of warm-up steps", warmUp, 0);
            checkSteps("the number of steps, for a warm-up of " + warmUp + ",", total, Math.addExact(warmUp, 1));
        }

        @Override
        public Kind kind() {
            return Kind.COSINE;
        }

        @Override
        public double at(long step) {
            checkStep(step);
            if (step < warmUp) {
                return rate * (start + (1 - start) * step / warmUp);
            }
            double done = Math.min(1, (double) (step - warmUp) / (total - warmUp));
            return least + (rate - least) * (1 + Math.cos(Math.PI * done)) / 2;
        }
    }

    /**
     * Half a cosine up from a fraction of the rate, then half a cosine down to a smaller fraction. From Smith and
     * Topin, Super-Convergence,
     * 2018. The momentum does not change.
     *
     * @param rate the peak learning rate, positive and finite
     * @param total the number of steps, at least 1
     * @param rise the fraction of the steps before the peak, in (0, 1)
     * @param startDivisor the rate divided by the initial rate, at least 1
     * @param endDivisor the initial rate divided by the final rate, at least 1
     */
    record OneCycle(double rate, long total, double rise, double startDivisor, double endDivisor) implements Schedule {

        /**
         * Validates the values.
         *
         * @throws IllegalArgumentException if a value is out of range
         */
        public OneCycle {
            checkRate(rate);
            checkSteps("the number of steps", total, 1);
            if (!(rise > 0 && rise < 1)) {
                throw new IllegalArgumentException("the rising fraction of the steps must be in (0, 1), not " + rise);
            }
            checkDivisor(startDivisor);
            checkDivisor(endDivisor);
        }

        /**
         * {@return the schedule with PyTorch's defaults: 30 % of the steps rise, from 1/25 of the rate, and the final
         * rate is 1/250,000}
         *
         * @param rate the peak learning rate
         * @param total the number of steps
         */
        public static OneCycle of(double rate, long total) {
            return new OneCycle(rate, total, 0.3, 25, 1e4);
        }

        @Override
        public Kind kind() {
            return Kind.ONECYCLE;
        }

        @Override
        public double at(long step) {
            checkStep(step);
            double start = rate / startDivisor;
            double end = start / endDivisor;
            // The end of the rise, usually between two steps.
            double top = rise * total - 1;
            double last = total - 1.0;
            if (step < top) {
                return between(start, rate, step / top);
            }
            return step >= last ? end : between(rate, end, (step - top) / (last - top));
        }

        private static double between(double from, double to, double done) {
            return to + (from - to) / 2 * (1 + Math.cos(Math.PI * done));
        }

        private static void checkDivisor(double divisor) {
            if (!(divisor >= 1) || Double.isInfinite(divisor)) {
                throw new IllegalArgumentException("the divisor of the rate must be at least 1, not " + divisor);
            }
        }
    }

    /**
     * The rate times {@code factor} whenever validation has not improved for more than some epochs, like PyTorch's
     * ReduceLROnPlateau. The metric is the one that selects the best weights. {@link Learner#reduceRate} makes each
     * change, and the learner's state includes it.
     *
     * @param rate the initial learning rate, positive and finite
     * @param factor the factor of each change, above 0 and below 1
     * @param patience the number of epochs without improvement before a change, at least 0
     */
    record Plateau(double rate, double factor, int patience) implements Schedule {

        /**
         * Validates the values.
         *
         * @throws IllegalArgumentException if a value is out of range
         */
        public Plateau {
            checkRate(rate);
            if (!(factor > 0 && factor < 1)) {
                throw new IllegalArgumentException(
                        "the factor of the rate at a plateau must be above 0 and below 1, not " + factor);
            }
            checkSteps("the epochs of patience", patience, 0);
        }

        @Override
        public Kind kind() {
            return Kind.PLATEAU;
        }

        /** The rate before any change. */
        @Override
        public double at(long step) {
            checkStep(step);
            return rate;
        }
    }

    private static void checkRate(double rate) {
        if (!(rate > 0) || Double.isInfinite(rate)) {
            throw new IllegalArgumentException("the learning rate must be positive and finite, not " + rate);
        }
    }

    private static void checkFactor(double factor) {
        if (!(factor > 0) || Double.isInfinite(factor)) {
            throw new IllegalArgumentException("the learning rate factor must be positive and finite, not " + factor);
        }
    }

    private static void checkSteps(String what, long steps, long least) {
        if (steps < least) {
            throw new IllegalArgumentException(what + " must be at least " + least + ", not " + steps);
        }
    }

    private static void checkStep(long step) {
        if (step < 0) {
            throw new IllegalArgumentException("the step must be at least 0, not " + step);
        }
    }
}
