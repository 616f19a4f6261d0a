/**
 * An HTTP server for image classifiers: the Open Inference Protocol, the predictions of DJL Serving and TorchServe,
 * metrics, and a web page.
 *
 * <p>{@link io.github.convzoo.serve.ModelServer} is the way in. Jetty and the Prometheus client are optional
 * dependencies of ConvZoo, used here only. The package is not exported; the command line starts the server.
 */
@NullMarked
package io.github.convzoo.serve;

import org.jspecify.annotations.NullMarked;
