package io.github.convzoo.spark;

import io.github.convzoo.weights.ModelFolder;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.ref.WeakReference;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.WeakHashMap;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.jspecify.annotations.Nullable;

/**
 * Finds models on the driver and ships their files to the executors, once per application and content: what is shipped
 * is known by its hash, so that a folder that changes is another model.
 */
final class ModelShipper {

    private static final int HASH_BYTES = 16;

    /** What each application has, by hash. Spark removes what no data set needs any longer. */
    private static final Map<SparkContext, Map<String, WeakReference<ShippedFiles>>> SHIPPED = new WeakHashMap<>();

    private ModelShipper() {}

    /**
     * Finds a model, downloading its files if necessary, and ships them.
     *
     * @param context the application
     * @param model a network, published weights, a model folder or file, or a repository of the hub
     * @param compiled whether executors compile it
     * @throws IllegalArgumentException if there is no such model, or its files cannot be read or fetched
     */
    static synchronized ShippedModel ship(SparkContext context, String model, boolean compiled) {
        try {
            Path scratch = Files.createTempDirectory("convzoo-spark");
            try {
                Optional<ModelFiles> files = ModelFiles.of(model, scratch);
                if (files.isEmpty()) {
                    return new ShippedModel(new ModelKey(model, null, null, compiled), null);
                }
                String hash = hash(files.get().files());
                return new ShippedModel(
                        new ModelKey(model, hash, files.get().main(), compiled),
                        shipped(context, hash, files.get().files()));
            } finally {
                ModelFolder.delete(scratch);
            }
        } catch (IOException e) {
            throw new IllegalArgumentException("the model " + model + " cannot be shipped: " + e.getMessage(), e);
        }
    }

    private static ShippedFiles shipped(SparkContext context, String hash, Map<String, Path> files) throws IOException {
        Map<String, WeakReference<ShippedFiles>> known = SHIPPED.computeIfAbsent(context, each -> new HashMap<>());
        @Nullable WeakReference<ShippedFiles> reference = known.get(hash);
        @Nullable ShippedFiles shipped = reference == null ? null : reference.get();
        if (shipped == null) {
            shipped = ShippedFiles.of(JavaSparkContext.fromSparkContext(context), files);
            known.put(hash, new WeakReference<>(shipped));
        }
        return shipped;
    }

    /** Hashes the names and contents of files. */
    static String hash(Map<String, Path> files) throws IOException {
        MessageDigest all = sha256();
        for (Map.Entry<String, Path> each : files.entrySet()) {
            MessageDigest one = sha256();
            try (OutputStream digest = new DigestOutputStream(OutputStream.nullOutputStream(), one)) {
                Files.copy(each.getValue(), digest);
            }
            all.update(each.getKey().getBytes(StandardCharsets.UTF_8));
            all.update((byte) 0);
            all.update(one.digest());
        }
        return HexFormat.of().formatHex(all.digest(), 0, HASH_BYTES);
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
