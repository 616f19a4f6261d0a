package io.github.convzoo.spark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import org.apache.spark.sql.SparkSession;

/**
 * Spark with executors in processes of their own, each with 1 core and 1 GiB of heap. They have Spark's jars on their
 * class path, from SPARK_HOME, and get everything else as an application's jars, as with {@code spark-submit --jars}.
 */
final class LocalCluster {

    private static final Path SPARK_JARS = Path.of(System.getenv("SPARK_HOME"), "jars");

    private LocalCluster() {}

    /**
     * Starts a cluster.
     *
     * @param executors the number of executors
     * @param folder for the jars of classes that are in folders
     */
    static SparkSession start(int executors, Path folder) throws IOException {
        return SparkSession.builder()
                .master("local-cluster[" + executors + ",1,1024]")
                .appName("convzoo")
                .config("spark.ui.enabled", "false")
                .config("spark.jars", String.join(",", jars(folder)))
                .getOrCreate();
    }

    /** What Spark's installation does not have. */
    private static List<String> jars(Path folder) throws IOException {
        List<String> jars = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(java.io.File.pathSeparator, -1)) {
            Path path = Path.of(entry);
            if (Files.isDirectory(path)) {
                jars.add(jar(path, folder.resolve("classes-" + jars.size() + ".jar"))
                        .toUri()
                        .toString());
            } else if (Files.exists(path) && !Files.exists(SPARK_JARS.resolve(path.getFileName()))) {
                jars.add(path.toUri().toString());
            }
        }
        return jars;
    }

    private static Path jar(Path classes, Path jar) throws IOException {
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar));
                Stream<Path> files = Files.walk(classes)) {
            for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
                out.putNextEntry(
                        new JarEntry(classes.relativize(file).toString().replace('\\', '/')));
                Files.copy(file, out);
            }
        }
        return jar;
    }

    /** The processes of executors, which are children of this one. */
    static List<ProcessHandle> executors() {
        return ProcessHandle.current()
                .descendants()
                .filter(process -> process.info()
                        .arguments()
                        .map(Arrays::asList)
                        .orElse(List.of())
                        .contains("org.apache.spark.executor.CoarseGrainedExecutorBackend"))
                .toList();
    }
}
