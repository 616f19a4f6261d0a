package io.github.convzoo.zoo;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.engine.EngineException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The engine's native library, which an application adds for its platform, and which is easily forgotten. */
final class NativeLibrary {

    /** What every jar with DJL's native library of PyTorch has. */
    private static final String PROPERTIES = "native/lib/pytorch.properties";

    private NativeLibrary() {}

    /**
     * Makes an empty model, which starts the engine if nothing did before.
     *
     * @throws EngineException if the engine does not start; if its native library is not on the class path, the message says
     *     what to add
     */
    static Model newModel(String name, @Nullable Device device) {
        try {
            return Model.newInstance(name, device, ConvZoo.ENGINE);
        } catch (RuntimeException | LinkageError e) {
            // By the loader: a class of a module finds only what is in its own.
            if (NativeLibrary.class.getClassLoader().getResource(PROPERTIES) != null) {
                throw e;
            }
            throw new EngineException(
                    "DJL's PyTorch engine does not start, because its native library is not on the class path: add the"
                            + " dependency ai.djl.pytorch:pytorch-native-cpu:2.7.1 with the classifier " + classifier(),
                    e);
        }
    }

    /** The platform as DJL's artifacts have it. */
    private static String classifier() {
        String system = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
        String processor = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
        boolean arm = processor.equals("aarch64") || processor.equals("arm64");
        if (system.startsWith("mac")) {
            return "osx-aarch64";
        }
        return system.startsWith("win") ? "win-x86_64" : arm ? "linux-aarch64" : "linux-x86_64";
    }
}
