package io.github.convzoo.spark;

import java.nio.file.Path;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/** Spark in the JVM of the tests. */
final class LocalSpark {

    private LocalSpark() {}

    static SparkSession start() {
        return SparkSession.builder()
                .master("local[2]")
                .appName("convzoo")
                .config("spark.ui.enabled", "false")
                .config("spark.sql.shuffle.partitions", "2")
                // Several files per partition, and several partitions.
                .config("spark.sql.files.openCostInBytes", "1")
                .config("spark.sql.files.maxPartitionBytes", "2000")
                .getOrCreate();
    }

    static Dataset<Row> images(SparkSession spark, Path folder) {
        return spark.read().format("binaryFile").load(folder.toString());
    }
}
