package io.github.convzoo.zoo;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.TranslateException;
import ai.djl.translate.Translator;
import java.util.List;

/**
 * A model that may be closed while other threads predict. Closing waits for running predictions and refuses later ones;
 * DJL's own models would free memory that the engine still reads. The same holds for its predictors.
 */
class GuardedModel<I, O> extends ZooModel<I, O> {

    private final Gate gate;

    GuardedModel(Model model, Translator<I, O> translator) {
        super(model, translator);
        gate = new Gate(model.getName());
    }

    @Override
    public final Predictor<I, O> newPredictor(Device device) {
        return newPredictor(getTranslator(), device);
    }

    @Override
    public final <P, Q> Predictor<P, Q> newPredictor(Translator<P, Q> translator, Device device) {
        return gate.enter(() -> new GuardedPredictor<>(getWrappedModel(), translator, device, gate));
    }

    @Override
    public final void close() {
        gate.close(super::close);
    }

    private static final class GuardedPredictor<I, O> extends Predictor<I, O> {

        private final Gate models;
        private final Gate own;

        GuardedPredictor(Model model, Translator<I, O> translator, Device device, Gate models) {
            super(model, translator, device, false);
            this.models = models;
            own = new Gate("the predictor of " + model.getName());
        }

        /** {@link #predict} also calls this. */
        @Override
        public List<O> batchPredict(List<I> inputs) throws TranslateException {
            return models.enter(() -> own.enter(() -> super.batchPredict(inputs)));
        }

        @Override
        public void close() {
            own.close(super::close);
        }
    }
}
