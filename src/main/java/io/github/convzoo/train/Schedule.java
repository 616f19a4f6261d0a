package io.github.convzoo.train;

import java.util.List;

/**
 * The learning rate by step, each as PyTorch's scheduler of the same kind gives it. A step is one update of the weights;
 * epochs are multiplied by the steps in one.
 */
public sealed interface Schedule {

    /** The schedules there are. */
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

        /**
         * The name on the command line and in its files.
         *
         * @return the name; it never changes
         */
        public String id() {
            return id;
        }
    }

    /**
     * Which schedule this is.
     *
     * @return its kind
     */
    Kind kind();

    /**
     * The learning rate of a step.
     *
     * @param step how many updates were made before it, at least 0
     * @return the learning rate
     */
    double at(long step);

    /**
     * Always the same rate.
     *
     * @param rate the learning rate
     */
    record Constant(double rate) implements Schedule {

        /**
         * Checks the rate.
         *
         * @param rate positive and finite
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
     * The rate times {@code factor} to the power of the milestones that were passed; a step that is one has passed it.
     *
     * @param rate the learning rate to begin with
     * @param milestones steps
     * @param factor what each multiplies the rate by
     */
    record MultiStep(double rate, List<Long> milestones, double factor) implements Schedule {

        /**
         * Checks every value.
         *
         * @param rate positive and finite
         * @param milestones each at least 1, in ascending order
         * @param factor positive and finite
         */
        public MultiStep {
            checkRate(rate);
            checkFactor(factor);
            milestones = List.copyOf(milestones);
            long before = 0;
            for (long milestone : milestones) {
                if (milestone <= before) {
                    throw new IllegalArgumentException(
                            "milestones must be at least 1 and ascend; " + milestone + " follows " + before);
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
     * The rate times {@code factor} after every so many steps.
     *
     * @param rate the learning rate to begin with
     * @param every after how many steps it changes
     * @param factor what it is multiplied by
     */
    record Exponential(double rate, long every, double factor) implements Schedule {

        /**
         * Checks every value.
         *
         * @param rate positive and finite
         * @param every at least 1
         * @param factor positive and finite
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
     * Linearly up to the rate, then half a cosine down to the least. From Loshchilov and Hutter, SGDR, ICLR 2017, without
     * restarts, and Goyal et al., Accurate, Large Minibatch SGD, 2017.
     *
     * @param rate the highest learning rate
     * @param least the learning rate at the end, and after it
     * @param start the share of the rate that the warm-up begins with
     * @param warmUp how many steps lead up to the rate
     * @param total how many steps there are, those of the warm-up included
     */
    record Cosine(double rate, double least, double start, long warmUp, long total) implements Schedule {

        /**
         * Checks every value.
         *
         * @param rate positive and finite
         * @param least from 0 to the rate
         * @param start in (0, 1]
         * @param warmUp at least 0
         * @param total more than the warm-up
         */
        public Cosine {
            checkRate(rate);
            if (!(least >= 0 && least <= rate)) {
                throw new IllegalArgumentException(
                        "the least learning rate must be from 0 to " + rate + ", not " + least);
            }
            if (!(start > 0 && start <= 1)) {
                throw new IllegalArgumentException(
                        "the share of the rate that the warm-up begins with must be over 0 and at most 1, not "
                                + start);
            }
            checkSteps("the warm-up's steps", warmUp, 0);
            checkSteps("the steps in all, for a warm-up of " + warmUp + ",", total, Math.addExact(warmUp, 1));
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
     * Half a cosine up from a fraction of the rate, half a cosine down to a smaller one. From Smith and Topin,
     * Super-Convergence, 2018. The momentum stays as it is.
     *
     * @param rate the highest learning rate
     * @param total how many steps there are
     * @param rise the share of them that leads up
     * @param startDivisor what the rate is divided by to begin with
     * @param endDivisor what that is divided by at the end
     */
    record OneCycle(double rate, long total, double rise, double startDivisor, double endDivisor) implements Schedule {

        /**
         * Checks every value.
         *
         * @param rate positive and finite
         * @param total at least 1
         * @param rise in (0, 1)
         * @param startDivisor at least 1
         * @param endDivisor at least 1
         */
        public OneCycle {
            checkRate(rate);
            checkSteps("the steps in all", total, 1);
            if (!(rise > 0 && rise < 1)) {
                throw new IllegalArgumentException(
                        "the share of the steps that leads up must be in (0, 1), not " + rise);
            }
            checkDivisor(startDivisor);
            checkDivisor(endDivisor);
        }

        /**
         * With PyTorch's usual values: 0.3 of the steps lead up, from a 25th of the rate, and at the end it is a 250,000th.
         *
         * @param rate the highest learning rate
         * @param total how many steps there are
         * @return the schedule
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
            // Where the way up ends, between two steps most often.
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
                throw new IllegalArgumentException("a divisor of the rate must be at least 1, not " + divisor);
            }
        }
    }

    /**
     * The rate times {@code factor} whenever validation has not become better for more than some epochs, as PyTorch's
     * ReduceLROnPlateau. What is better is what decides about the best weights. {@link Learner#reduceRate} makes each change, and
     * the learner's state has it.
     *
     * @param rate the learning rate to begin with
     * @param factor what it is multiplied by
     * @param patience how many epochs may pass without a better one before it changes
     */
    record Plateau(double rate, double factor, int patience) implements Schedule {

        /**
         * Checks every value.
         *
         * @param rate positive and finite
         * @param factor above 0 and below 1
         * @param patience at least 0
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
            throw new IllegalArgumentException("a learning rate must be positive and finite, not " + rate);
        }
    }

    private static void checkFactor(double factor) {
        if (!(factor > 0) || Double.isInfinite(factor)) {
            throw new IllegalArgumentException("a factor of the rate must be positive and finite, not " + factor);
        }
    }

    private static void checkSteps(String what, long steps, long least) {
        if (steps < least) {
            throw new IllegalArgumentException(what + " must be at least " + least + ", not " + steps);
        }
    }

    private static void checkStep(long step) {
        if (step < 0) {
            throw new IllegalArgumentException("a step must be at least 0, not " + step);
        }
    }
}
