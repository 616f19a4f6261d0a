package io.github.convzoo.train;

/** An optimizer, which updates weights like PyTorch's optimizer of the same name. */
public sealed interface Optimizer {

    /** The kinds of optimizers. */
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

        /** {@return the name in saved states and on the command line, which never changes} */
        public String id() {
            return id;
        }
    }

    /** {@return the kind of the optimizer} */
    Kind kind();

    /** {@return the weight decay} */
    WeightDecay decay();

    /**
     * Stochastic gradient descent. The decay is part of the gradient. From Sutskever et al., On the importance of
     * initialization and momentum in deep learning, ICML 2013, with the learning rate applied after the momentum.
     *
     * @param momentum the fraction of the last update that is repeated, in [0, 1); 0 for none
     * @param nesterov whether to use Nesterov momentum, which needs a momentum above 0
     * @param decay the weight decay
     */
    record Sgd(double momentum, boolean nesterov, WeightDecay decay) implements Optimizer {

        /**
         * Validates the values.
         *
         * @throws IllegalArgumentException if a value is out of range
         */
        public Sgd {
            checkShare("momentum", momentum);
            if (nesterov && momentum == 0) {
                throw new IllegalArgumentException("Nesterov momentum needs a momentum above 0");
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
     * @param beta1 the decay of the gradients' mean, in [0, 1); 0.9 is usual
     * @param beta2 the decay of the squared gradients' mean, in [0, 1); 0.999 is usual
     * @param epsilon added to the root of the latter, positive and finite; 1e-8 is usual
     * @param decay the weight decay
     */
    record Adam(double beta1, double beta2, double epsilon, WeightDecay decay) implements Optimizer {

        /**
         * Validates the values.
         *
         * @throws IllegalArgumentException if a value is out of range
         */
        public Adam {
            checkMoments(beta1, beta2, epsilon);
        }

        /**
         * {@return Adam with the usual values}
         *
         * @param decay the weight decay
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
     * Adam with decoupled decay: a weight is reduced by learning rate times decay of itself. From Loshchilov and
     * Hutter, Decoupled Weight Decay Regularization, ICLR 2019.
     *
     * @param beta1 the decay of the gradients' mean, in [0, 1); 0.9 is usual
     * @param beta2 the decay of the squared gradients' mean, in [0, 1); 0.999 is usual
     * @param epsilon added to the root of the latter, positive and finite; 1e-8 is usual
     * @param decay the weight decay
     */
    record AdamW(double beta1, double beta2, double epsilon, WeightDecay decay) implements Optimizer {

        /**
         * Validates the values.
         *
         * @throws IllegalArgumentException if a value is out of range
         */
        public AdamW {
            checkMoments(beta1, beta2, epsilon);
        }

        /**
         * {@return AdamW with the usual values}
         *
         * @param decay the weight decay
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
