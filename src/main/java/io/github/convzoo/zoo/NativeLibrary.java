package io.github.convzoo.zoo;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.engine.EngineException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The engine's native library, which an application must add for its platform and may have forgotten. */
final class NativeLibrary {

    /** A file in every jar with DJL's native library of PyTorch. */
    private static final String PROPERTIES = "native/lib/pytorch.properties";

    private NativeLibrary() {}

    /**
     * Creates an empty model, which starts the engine if necessary.
     *
     * @throws EngineException if the engine does not start; if its native library is not on the class path, the message
     *     says what to add
     */
    static Model newModel(String name, @Nullable Device device) {
        try {
            return Model.newInstance(name, device, ConvZoo.ENGINE);
        } catch (RuntimeException | LinkageError e) {
            // Use the class loader: a class in a module finds only its own module's resources.
            if (NativeLibrary.class.getClassLoader().getResource(PROPERTIES) != null) {
                throw e;
            }
            throw new EngineException(
                    "DJL's PyTorch engine did not start, because its native library is not on the class path; add the"
                            + " dependency ai.djl.pytorch:pytorch-native-cpu:2.7.1 with the classifier " + classifier(),
                    e);
        }
    }

    /** The platform's name in DJL's artifacts. */
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
