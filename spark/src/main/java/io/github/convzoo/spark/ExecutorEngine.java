package io.github.convzoo.spark;

import ai.djl.engine.Engine;
import ai.djl.pytorch.jni.JniUtils;
import org.apache.spark.SparkEnv;
import org.apache.spark.TaskContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The engine of this JVM, an executor's. */
final class ExecutorEngine {

    /** DJL's setting, which holds for ONNX Runtime too. */
    private static final String THREADS = "ai.djl.pytorch.num_threads";

    /** DJL's setting, which ConvZoo heeds. */
    private static final String OFFLINE = "ai.djl.offline";

    /** Spark's name for the driver as an executor, in local mode. */
    private static final String DRIVER = "driver";

    private static final Logger LOGGER = LoggerFactory.getLogger(ExecutorEngine.class);

    private static boolean started;

    private ExecutorEngine() {}

    /**
     * Starts the engine, if it is not running, with as many threads as a task has CPUs and without a network. A number
     * of threads that the user set for the JVM has precedence.
     */
    static synchronized void start(TaskContext task) {
        if (started) {
            return;
        }
        // In local mode, tasks run in the driver's JVM, which may use the network.
        if (!SparkEnv.get().executorId().equals(DRIVER)) {
            System.setProperty(OFFLINE, "true");
        }
        int threads = Integer.getInteger(THREADS, task.cpus());
        System.setProperty(THREADS, Integer.toString(threads));
        Engine.getEngine("PyTorch");
        started = true;
        int running = JniUtils.getNumThreads();
        if (running == threads) {
            LOGGER.info("each task computes with {} threads", running);
        } else {
            LOGGER.warn(
                    "the engine was started earlier in this JVM and computes with {} threads per task instead of {}"
                            + " (spark.task.cpus); pass -D{}={} to the JVM",
                    running,
                    threads,
                    THREADS,
                    threads);
        }
    }
}
