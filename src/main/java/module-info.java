/**
 * Image classification on DJL and PyTorch: networks, published and users' weights, preprocessing, and training.
 *
 * <p>{@link io.github.convzoo.zoo.ConvZoo} is where to start. The command line, its pictures, the server, compiled
 * models, and the wording of messages are not exported.
 *
 * @uses io.github.convzoo.zoo.ModelCompiler which {@code LoadOptions.compiled()} asks for
 * @provides io.github.convzoo.zoo.ModelCompiler so that models can be compiled
 * @provides ai.djl.repository.zoo.ZooProvider so that DJL's {@code Criteria} finds the models
 */
@SuppressWarnings({"requires-automatic", "requires-transitive-automatic"})
module io.github.convzoo {
    requires transitive ai.djl.api;
    requires ai.djl.pytorch_engine;
    requires com.google.gson;
    requires com.sun.jna;
    requires transitive java.desktop;
    requires java.net.http;
    requires org.slf4j;
    requires static org.jspecify;
    requires static com.microsoft.onnxruntime;
    requires static info.picocli;
    requires static io.prometheus.metrics.core;
    requires static io.prometheus.metrics.model;
    requires static io.prometheus.writer.text;
    requires static org.eclipse.jetty.server;
    requires static org.knowm.xchart;

    // DJL and JNA use these, and as automatic modules its jars cannot say so.
    requires java.compiler;
    requires java.logging;
    requires java.management;

    exports io.github.convzoo.checkpoint;
    exports io.github.convzoo.data;
    exports io.github.convzoo.export;
    exports io.github.convzoo.graph;
    exports io.github.convzoo.hub;
    exports io.github.convzoo.image;
    exports io.github.convzoo.network;
    exports io.github.convzoo.nn;
    exports io.github.convzoo.quantize;
    exports io.github.convzoo.train;
    exports io.github.convzoo.weights;
    exports io.github.convzoo.zoo;

    // Records that are read from and written as JSON, and the command line's options.
    opens io.github.convzoo.cli to
            com.google.gson,
            info.picocli;
    opens io.github.convzoo.export to
            com.google.gson;
    opens io.github.convzoo.hub to
            com.google.gson;
    opens io.github.convzoo.quantize to
            com.google.gson;
    opens io.github.convzoo.train to
            com.google.gson;
    opens io.github.convzoo.weights to
            com.google.gson;

    uses io.github.convzoo.zoo.ModelCompiler;

    provides io.github.convzoo.zoo.ModelCompiler with
            io.github.convzoo.runtime.CachingCompiler;
    provides ai.djl.repository.zoo.ZooProvider with
            io.github.convzoo.zoo.ConvZooProvider;
}
