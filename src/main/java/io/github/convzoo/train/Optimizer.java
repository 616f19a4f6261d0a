package io.github.convzoo.train;

/** How gradients become updates, each as PyTorch's optimizer of the same name does it. */
public sealed interface Optimizer {

    /** The optimizers there are. */
    enum Kind {
        /** {@link Sgd}. */
        SGD("sgd"),
        /** {@link Adam}. */
        ADAM("adam"),
        /** {@link AdamW}. */
        ADAMW("adamw");

        private final String id;

        Kind(String id) {
            this.id = id;
        }

        /**
         * The name in saved states and on the command line.
         *
         * @return the name; it never changes
         */
        public String id() {
            return id;
        }
    }

    /**
     * Which optimizer this is.
     *
     * @return its kind
     */
    Kind kind();

    /**
     * How much weights are drawn towards 0.
     *
     * @return the decay
     */
    WeightDecay decay();

    /**
     * Stochastic gradient descent. The decay is part of the gradient. From Sutskever et al., On the importance of
     * initialization and momentum in deep learning, ICML 2013, with the learning rate outside of the momentum.
     *
     * @param momentum the share of the last update that is made again; 0 for none
     * @param nesterov whether the update looks ahead by the momentum
     * @param decay the weight decay
     */
    record Sgd(double momentum, boolean nesterov, WeightDecay decay) implements Optimizer {

        /**
         * Checks every value.
         *
         * @param momentum in [0, 1)
         * @param nesterov false where there is no momentum
         * @param decay any
         */
        public Sgd {
            checkShare("momentum", momentum);
            if (nesterov && momentum == 0) {
                throw new IllegalArgumentException("Nesterov's update looks ahead by the momentum: it must not be 0");
            }
        }

        @Override
        public Kind kind() {
            return Kind.SGD;
        }
    }

    /**
     * Adam. The decay is part of the gradient. From Kingma and Ba, Adam, ICLR 2015.
     *
     * @param beta1 the share of the gradients' mean that stays; 0.9 is usual
     * @param beta2 the share of the squared gradients' mean that stays; 0.999 is usual
     * @param epsilon what is added to the root of the latter; 1e-8 is usual
     * @param decay the weight decay
     */
    record Adam(double beta1, double beta2, double epsilon, WeightDecay decay) implements Optimizer {

        /**
         * Checks every value.
         *
         * @param beta1 in [0, 1)
         * @param beta2 in [0, 1)
         * @param epsilon positive and finite
         * @param decay any
         */
        public Adam {
            checkMoments(beta1, beta2, epsilon);
        }

        /**
         * With the usual values.
         *
         * @param decay the weight decay
         * @return the optimiser
         */
        public static Adam of(WeightDecay decay) {
            return new Adam(0.9, 0.999, 1e-8, decay);
        }

        @Override
        public Kind kind() {
            return Kind.ADAM;
        }
    }

    /**
     * Adam whose decay is none of the gradient's: a weight loses learning rate times decay of itself. From Loshchilov and
     * Hutter, Decoupled Weight Decay Regularization, ICLR 2019.
     *
     * @param beta1 the share of the gradients' mean that stays; 0.9 is usual
     * @param beta2 the share of the squared gradients' mean that stays; 0.999 is usual
     * @param epsilon what is added to the root of the latter; 1e-8 is usual
     * @param decay the weight decay
     */
    record AdamW(double beta1, double beta2, double epsilon, WeightDecay decay) implements Optimizer {

        /**
         * Checks every value.
         *
         * @param beta1 in [0, 1)
         * @param beta2 in [0, 1)
         * @param epsilon positive and finite
         * @param decay any
         */
        public AdamW {
            checkMoments(beta1, beta2, epsilon);
        }

        /**
         * With the usual values.
         *
         * @param decay the weight decay
         * @return the optimiser
         */
        public static AdamW of(WeightDecay decay) {
            return new AdamW(0.9, 0.999, 1e-8, decay);
        }

        @Override
        public Kind kind() {
            return Kind.ADAMW;
        }
    }

    private static void checkMoments(double beta1, double beta2, double epsilon) {
        checkShare("beta1", beta1);
        checkShare("beta2", beta2);
        if (!(epsilon > 0) || Double.isInfinite(epsilon)) {
            throw new IllegalArgumentException("epsilon must be positive and finite, not " + epsilon);
        }
    }

    private static void checkShare(String name, double share) {
        if (!(share >= 0 && share < 1)) {
            throw new IllegalArgumentException(name + " must be in [0, 1), not " + share);
        }
    }
}
