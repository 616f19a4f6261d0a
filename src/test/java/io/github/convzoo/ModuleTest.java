package io.github.convzoo;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.convzoo.zoo.ConvZoo;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringWriter;
import java.lang.module.ModuleDescriptor;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An application with a module-info.java, compiled and run against ConvZoo as a module. */
class ModuleTest {

    private static final Path DECLARATION = Path.of("src/main/java/module-info.java");
    private static final Path IMAGE = Path.of("src/test/resources/photos/cat.png");

    /** The jars of modules. The engine's native library cannot be one: its name has a Java keyword. */
    private static final List<String> MODULES =
            List.of("api-", "pytorch-engine-", "pytorch-jni-", "gson-", "jna-", "slf4j-api-");

    /** Those that only ConvZoo itself is compiled with. */
    private static final List<String> OPTIONAL = List.of(
            "onnxruntime-",
            "jspecify-",
            "picocli-",
            "xchart-",
            "jetty-http-",
            "jetty-io-",
            "jetty-server-",
            "jetty-util-",
            "prometheus-metrics-");

    private static final String APPLICATION =
            """
            package shop;

            import ai.djl.inference.Predictor;
            import ai.djl.modality.Classifications;
            import ai.djl.repository.zoo.Criteria;
            import ai.djl.repository.zoo.ZooModel;
            import io.github.convzoo.checkpoint.Checkpoint;
            import io.github.convzoo.data.ImageFolder;
            import io.github.convzoo.export.Exporter;
            import io.github.convzoo.graph.Graph;
            import io.github.convzoo.hub.StoreSettings;
            import io.github.convzoo.image.Labels;
            import io.github.convzoo.network.Variant;
            import io.github.convzoo.nn.DynamicConv2d;
            import io.github.convzoo.train.Recipe;
            import io.github.convzoo.weights.ModelFolder;
            import io.github.convzoo.zoo.ConvZoo;
            import io.github.convzoo.zoo.LoadOptions;
            import java.nio.file.Path;
            import java.util.List;

            public class Shop {
                static final List<Class<?>> API = List.of(
                        Checkpoint.class, ImageFolder.class, StoreSettings.class, Labels.class, Variant.class,
                        DynamicConv2d.class, Recipe.class, ModelFolder.class, ConvZoo.class,
                        Exporter.class, Graph.class);

                public static void main(String[] args) throws Exception {
                    LoadOptions options = LoadOptions.published();
                    try (ZooModel<Path, Classifications> model =
                                    ConvZoo.load("peleenet.fmnist", Path.class, options);
                            Predictor<Path, Classifications> predictor = model.newPredictor()) {
                        System.out.println(predictor.predict(Path.of(args[0])).getClassNames().size() + " classes");
                    }
                    Criteria<Path, Classifications> criteria = Criteria.builder()
                            .setTypes(Path.class, Classifications.class)
                            .optGroupId("io.github.convzoo")
                            .optArtifactId("peleenet.fmnist")
                            .build();
                    try (ZooModel<Path, Classifications> model = criteria.loadModel()) {
                        System.out.println(model.getName() + " by Criteria");
                    }
                    for (Class<?> each : API) {
                        System.out.println(each.getModule());
                    }
                }
            }
            """;

    @TempDir
    private static Path folder = Path.of("");

    private static Path module = Path.of("");

    /** The classes as a module, also where they were built without its declaration. */
    @BeforeAll
    static void buildModule() throws IOException, URISyntaxException {
        Path classes = Path.of(ConvZoo.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
        module = folder.resolve("convzoo");
        try (Stream<Path> files = Files.walk(classes)) {
            for (Path each : files.toList()) {
                Files.copy(each, module.resolve(classes.relativize(each).toString()));
            }
        }
        String all = jars(MODULES) + File.pathSeparator + jars(OPTIONAL);
        assertThat(compile(module, all, DECLARATION)).isEmpty();
    }

    private static String jars(List<String> names) {
        return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator, -1))
                .filter(each ->
                        names.stream().anyMatch(name -> new File(each).getName().startsWith(name)))
                .collect(Collectors.joining(File.pathSeparator));
    }

    /** Compiles, without any annotation processor, and returns what the compiler says. */
    private static String compile(Path out, String modulePath, Path... sources) throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter said = new StringWriter();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, StandardCharsets.UTF_8)) {
            boolean compiled = compiler.getTask(
                            said,
                            files,
                            null,
                            List.of(
                                    "--release",
                                    "17",
                                    "-proc:none",
                                    "-d",
                                    out.toString(),
                                    // Not this process's.
                                    "--class-path",
                                    out.toString(),
                                    "--module-path",
                                    modulePath),
                            null,
                            files.getJavaFileObjects(sources))
                    .call();
            return compiled ? "" : said.toString();
        }
    }

    private static String compileApplication(Path out, String source) throws IOException {
        Path sources = Files.createDirectories(out.resolveSibling(out.getFileName() + "-src"));
        return compile(
                out,
                module + File.pathSeparator + jars(MODULES),
                Files.writeString(sources.resolve("module-info.java"), "module shop { requires io.github.convzoo; }"),
                Files.writeString(sources.resolve("Shop.java"), source));
    }

    @Test
    void application_withAModule_loadsAndPredicts() throws Exception {
        Path shop = folder.resolve("shop");
        assertThat(compileApplication(shop, APPLICATION)).isEmpty();

        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx512m",
                        "--module-path",
                        String.join(File.pathSeparator, module.toString(), shop.toString(), jars(MODULES)),
                        "-cp",
                        jars(List.of("pytorch-native-")),
                        "-m",
                        "shop/shop.Shop",
                        IMAGE.toString())
                .redirectError(folder.resolve("err").toFile())
                .start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

        assertThat(process.waitFor())
                .as(Files.readString(folder.resolve("err")))
                .isZero();
        assertThat(out.lines().distinct())
                .containsExactly("10 classes", "peleenet.fmnist by Criteria", "module io.github.convzoo");
    }

    @Test
    void application_ofTheCommandLineOrThePictures_doesNotCompile() throws IOException {
        for (String name : List.of("cli.Main", "message.Reason", "plot.Curves", "serve.ModelServer")) {
            String source = "package shop; class Shop { Class<?> c = io.github.convzoo." + name + ".class; }";
            assertThat(compileApplication(folder.resolve("refused"), source))
                    .contains("does not export it")
                    .contains("io.github.convzoo." + name.substring(0, name.indexOf('.')));
        }
    }

    @Test
    void module_exportsEveryPackage_butTheInternalOnes() throws IOException {
        ModuleDescriptor descriptor;
        try (InputStream in = Files.newInputStream(module.resolve("module-info.class"))) {
            descriptor = ModuleDescriptor.read(in);
        }
        Set<String> packages;
        Path sources = Path.of("src/main/java/io/github/convzoo");
        try (Stream<Path> files = Files.list(sources)) {
            packages = files.filter(Files::isDirectory)
                    .map(each -> "io.github.convzoo." + each.getFileName())
                    .filter(each -> !each.matches(".*\\.(cli|message|plot|runtime|serve)"))
                    .collect(Collectors.toSet());
        }
        assertThat(packages).hasSizeGreaterThan(8);
        assertThat(descriptor.exports())
                .allMatch(each -> !each.isQualified())
                .extracting(ModuleDescriptor.Exports::source)
                .containsExactlyInAnyOrderElementsOf(packages);
        assertThat(descriptor.opens()).isNotEmpty().allMatch(ModuleDescriptor.Opens::isQualified);
    }

    /** What Gson reads and writes by reflection. */
    @Test
    void module_ofPackagesWithJson_opensThemToGson() throws IOException {
        String declaration = Files.readString(DECLARATION);
        try (Stream<Path> files = Files.walk(Path.of("src/main/java"))) {
            for (Path each : files.filter(file -> file.toString().endsWith(".java"))
                    .filter(file -> !file.equals(DECLARATION))
                    .toList()) {
                if (Files.readString(each).contains(".fromJson(")) {
                    String name = Path.of("src/main/java")
                            .relativize(Objects.requireNonNull(each.getParent()))
                            .toString()
                            .replace(File.separatorChar, '.');
                    assertThat(declaration)
                            .containsPattern("opens " + name.replace(".", "\\.") + " to\\s+com\\.google\\.gson");
                }
            }
        }
    }
}
