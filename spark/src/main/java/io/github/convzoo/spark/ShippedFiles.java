package io.github.convzoo.spark;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.Serializable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;

/**
 * Files on their way to executors, as broadcast variables. Each executor fetches a part once, from the driver or from
 * other executors.
 *
 * <p>{@code SparkContext.addFile} would not do: where sessions are isolated, as they are in Spark 4.2 unless configured
 * otherwise, tasks of SQL do not get such files.
 */
final class ShippedFiles implements Serializable {

    private static final long serialVersionUID = 1;

    /** Small enough for the memory of any executor; Spark's limit for a variable is 2 GiB. */
    private static final int PART_BYTES = 8 << 20;

    /** A file's parts, by its name. */
    private final LinkedHashMap<String, ArrayList<Broadcast<byte[]>>> parts = new LinkedHashMap<>();

    private ShippedFiles() {}

    /**
     * Broadcasts files.
     *
     * @param files the files by their names
     */
    static ShippedFiles of(JavaSparkContext context, Map<String, Path> files) throws IOException {
        ShippedFiles shipped = new ShippedFiles();
        for (Map.Entry<String, Path> each : files.entrySet()) {
            ArrayList<Broadcast<byte[]>> parts = new ArrayList<>();
            try (InputStream in = Files.newInputStream(each.getValue())) {
                byte[] part = in.readNBytes(PART_BYTES);
                while (part.length > 0) {
                    parts.add(context.broadcast(part));
                    part = in.readNBytes(PART_BYTES);
                }
            }
            shipped.parts.put(each.getKey(), parts);
        }
        return shipped;
    }

    /** Writes the files into a folder, part by part. */
    void unpack(Path folder) throws IOException {
        for (Map.Entry<String, ArrayList<Broadcast<byte[]>>> each : parts.entrySet()) {
            try (OutputStream out = Files.newOutputStream(folder.resolve(each.getKey()))) {
                List<Broadcast<byte[]>> all = each.getValue();
                for (Broadcast<byte[]> part : all) {
                    out.write(part.value());
                }
            }
        }
    }
}
