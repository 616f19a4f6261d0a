package io.github.convzoo.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonObject;
import io.github.convzoo.Samples;
import io.github.convzoo.weights.Manifest;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Weights that the library brings. */
class BundledWeightsTest {

    private static final String BOOT =
            Samples.resource("fashion-mnist/ankle-boot.png").toString();

    private final Path directory;
    private final Map<String, @Nullable String> offline;

    BundledWeightsTest(@TempDir Path directory) {
        this.directory = directory;
        offline = new HashMap<>(Map.of(
                "HF_HUB_OFFLINE", "1",
                "HF_HOME", directory.resolve("hf").toString(),
                "DJL_CACHE_DIR", directory.resolve("djl").toString()));
    }

    @Test
    void predict_withoutAModelOrANetwork_takesThem() {
        CommandRun run = CommandRun.of(offline, "predict", BOOT);

        assertThat(run.status()).as(run.err()).isZero();
        assertThat(run.out().lines().findFirst().orElseThrow()).endsWith(" %  Ankle boot");
        assertThat(run.err().lines()).singleElement().asString().contains("peleenet.fmnist", "ten kinds of clothing");
    }

    @Test
    void predict_ofTheirName_saysNothingBesides() {
        CommandRun run = CommandRun.of(offline, "predict", BOOT, "--model", "peleenet.fmnist");

        assertThat(run.status()).isZero();
        assertThat(run.err()).isEmpty();
        assertThat(directory).isEmptyDirectory();
    }

    @Test
    void eval_ofTheHundredImages_isAboutAsPublished() {
        JsonObject evaluation = Run.succeeding(
                        "eval",
                        "--model",
                        "peleenet.fmnist",
                        "--dataset",
                        "fashion-mnist",
                        "--data",
                        Samples.FASHION_MNIST,
                        "--json")
                .json()
                .getAsJsonObject();
        double published = Manifest.find("peleenet.fmnist").top1();

        assertThat(published).isGreaterThanOrEqualTo(0.935);
        // Of a hundred images: two standard deviations are five.
        assertThat(evaluation.get("top1").getAsDouble()).isGreaterThan(published - 0.05);
    }

    @Test
    void predict_ofAnImage_preparesItAsTheDataSetDoes() throws IOException {
        Path data = ImageFolders.fashion28(directory.resolve("data"));
        JsonObject ofFiles = Run.succeeding(
                        "eval", "--model", "peleenet.fmnist", "--dataset", "image-folder", "--data", data, "--json")
                .json()
                .getAsJsonObject();
        JsonObject ofSet = Run.succeeding(
                        "eval",
                        "--model",
                        "peleenet.fmnist",
                        "--dataset",
                        "fashion-mnist",
                        "--data",
                        Samples.FASHION_MNIST,
                        "--json")
                .json()
                .getAsJsonObject();

        // The images come in another order, so that their losses are added up in another.
        double loss = ofSet.get("loss").getAsDouble();
        assertThat(ofFiles.get("loss").getAsDouble()).isCloseTo(loss, within(1e-5 * loss));
        assertThat(ofFiles.get("correct")).isEqualTo(ofSet.get("correct"));
    }

    @Test
    void predict_ofTheLibraryAsAJar_unpacksThemOnce() throws Exception {
        Path jar = jar();
        Path unpacked = directory.resolve("djl/cache/convzoo/peleenet.fmnist/peleenet_fmnist.safetensors");
        String sha256 = Objects.requireNonNull(Manifest.find("peleenet.fmnist").bundled())
                .sha256();

        assertThat(run(jar, "predict", BOOT, "--model", "peleenet.fmnist")).contains("Ankle boot");
        assertThat(unpacked).hasDigest("SHA-256", sha256);
        // What was cut short is unpacked anew.
        Files.write(unpacked, Arrays.copyOf(Files.readAllBytes(unpacked), 1000));
        assertThat(run(jar, "predict", BOOT, "--model", "peleenet.fmnist")).contains("Ankle boot");
        assertThat(unpacked).hasDigest("SHA-256", sha256);
    }

    @Test
    void weights_withoutAModel_areRefused() {
        Run.refused(2, List.of("predict", BOOT, "--weights", Samples.PELEENET), "the network is unknown");
        Run.refused(
                2,
                List.of("eval", "--dataset", "fashion-mnist", "--data", Samples.FASHION_MNIST),
                "--model is required: a network (convzoo list shows them)");
    }

    /** What this build compiled, as a jar. */
    private Path jar() throws IOException {
        Path classes = Path.of("target/classes").toAbsolutePath();
        Path jar = directory.resolve("convzoo.jar");
        try (OutputStream file = Files.newOutputStream(jar);
                ZipOutputStream zip = new ZipOutputStream(file);
                Stream<Path> all = Files.walk(classes)) {
            for (Path each : all.filter(Files::isRegularFile).toList()) {
                zip.putNextEntry(
                        new ZipEntry(classes.relativize(each).toString().replace(File.separatorChar, '/')));
                Files.copy(each, zip);
            }
        }
        return jar;
    }

    private String run(Path jar, String... args) throws Exception {
        String others = Stream.of(System.getProperty("java.class.path").split(File.pathSeparator, -1))
                .filter(entry -> entry.endsWith(".jar"))
                .collect(Collectors.joining(File.pathSeparator));
        ProcessBuilder builder = new ProcessBuilder(Stream.concat(
                        Stream.of(
                                Path.of(System.getProperty("java.home"), "bin", "java")
                                        .toString(),
                                "-cp",
                                jar + File.pathSeparator + others,
                                Main.class.getName()),
                        Stream.of(args))
                .toList());
        // The engine's own files stay where they are, only our cache is elsewhere.
        builder.environment().put("DJL_CACHE_DIR", directory.resolve("djl").toString());
        builder.environment()
                .put(
                        "ENGINE_CACHE_DIR",
                        Path.of(System.getProperty("user.home"), ".djl.ai").toString());
        builder.redirectErrorStream(true);
        Process process = builder.start();
        String out = String.join("\n", process.inputReader().lines().toList());
        assertThat(process.waitFor()).as(out).isZero();
        return out;
    }
}
