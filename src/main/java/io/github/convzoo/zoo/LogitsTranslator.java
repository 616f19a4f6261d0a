package io.github.convzoo.zoo;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.translate.NoBatchifyTranslator;
import ai.djl.translate.TranslatorContext;
import java.util.Locale;

/** Passes arrays to and from the network; refuses unsuitable ones before they reach the engine. */
final class LogitsTranslator implements NoBatchifyTranslator<NDList, NDList> {

    private final String modelName;
    private final int channels;

    LogitsTranslator(String modelName, int channels) {
        this.modelName = modelName;
        this.channels = channels;
    }

    @Override
    public NDList processInput(TranslatorContext context, NDList input) {
        String expected = modelName + " takes one array of float32 of shape (N, " + channels + ", H, W), not ";
        if (input.size() != 1) {
            throw new IllegalArgumentException(expected + input.size() + " arrays");
        }
        NDArray array = input.get(0);
        if (array.getDataType() != DataType.FLOAT32 || array.getShape().dimension() != 4) {
            throw new IllegalArgumentException(
                    expected + "one of " + array.getDataType().name().toLowerCase(Locale.ROOT) + " of shape "
                            + array.getShape() + "; convert it, for example with toType(DataType.FLOAT32, false)");
        }
        return input;
    }

    @Override
    public NDList processOutput(TranslatorContext context, NDList output) {
        return output;
    }
}
