package io.github.convzoo;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.util.ArrayList;
import java.util.List;

/** What each package may use, as docs/explanation/architecture.md lists it. */
@AnalyzeClasses(packages = "io.github.convzoo", importOptions = ImportOption.DoNotIncludeTests.class)
class PackageRulesTest {

    private static final String ROOT = "io.github.convzoo.";
    private static final String DJL = "ai.djl..";
    private static final String COMMAND_LINE = "picocli..";

    @ArchTest
    static final ArchRule message_usesOnlyTheJdk = only("message");

    @ArchTest
    static final ArchRule checkpoint_usesOnlyTheJdk = only("checkpoint");

    @ArchTest
    static final ArchRule graph_usesOnlyTheJdk = only("graph");

    @ArchTest
    static final ArchRule nn_usesOnlyGraphDjlAndTheCLibrary =
            only("nn", ours("graph"), DJL, "com.sun.jna..", "org.slf4j..");

    @ArchTest
    static final ArchRule network_usesOnlyNnGraphAndDjl = only("network", ours("nn"), ours("graph"), DJL);

    @ArchTest
    static final ArchRule image_usesOnlyDjlAndGson = only("image", DJL, "com.google.gson..");

    @ArchTest
    static final ArchRule data_usesOnlyImageAndDjl = only("data", ours("image"), DJL);

    @ArchTest
    static final ArchRule hub_usesOnlyCheckpointDjlAndGson = only("hub", ours("checkpoint"), DJL, "com.google.gson..");

    @ArchTest
    static final ArchRule weights_usesOnlyCheckpointNetworkImageHubAndBelow = only(
            "weights",
            ours("checkpoint"),
            ours("network"),
            ours("nn"),
            ours("graph"),
            ours("image"),
            ours("hub"),
            DJL,
            "com.google.gson..");

    @ArchTest
    static final ArchRule zoo_usesOnlyWhatStandsBelow = only(
            "zoo",
            ours("weights"),
            ours("hub"),
            ours("checkpoint"),
            ours("network"),
            ours("nn"),
            ours("graph"),
            ours("image"),
            DJL,
            "com.google.gson..",
            "org.slf4j..");

    @ArchTest
    static final ArchRule export_usesOnlyZooAndBelow = only(
            "export",
            ours("zoo"),
            ours("weights"),
            ours("checkpoint"),
            ours("network"),
            ours("nn"),
            ours("graph"),
            ours("image"),
            DJL,
            "ai.onnxruntime..",
            "org.slf4j..");

    @ArchTest
    static final ArchRule runtime_usesOnlyExportZooAndBelow = only(
            "runtime",
            ours("export"),
            ours("zoo"),
            ours("weights"),
            ours("checkpoint"),
            ours("image"),
            ours("network"),
            ours("nn"),
            ours("graph"),
            DJL,
            "org.slf4j..");

    @ArchTest
    static final ArchRule onnxRuntime_isUsedByExportOnly = noClasses()
            .that()
            .resideOutsideOfPackages(ours("export"))
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("ai.onnxruntime..");

    @ArchTest
    static final ArchRule quantize_usesOnlyExportDataAndBelow = only(
            "quantize", ours("export"), ours("data"), ours("weights"), ours("network"), ours("nn"), ours("graph"), DJL);

    @ArchTest
    static final ArchRule train_usesOnlyDataZooAndBelow = only(
            "train",
            ours("zoo"),
            ours("weights"),
            ours("hub"),
            ours("checkpoint"),
            ours("network"),
            ours("nn"),
            ours("graph"),
            ours("data"),
            ours("image"),
            DJL,
            "com.google.gson..");

    @ArchTest
    static final ArchRule plot_usesOnlyTrainZooImageAndTheChartLibrary =
            only("plot", ours("train"), ours("zoo"), ours("image"), "org.knowm.xchart..");

    @ArchTest
    static final ArchRule charts_areDrawnByPlotOnly = noClasses()
            .that()
            .resideOutsideOfPackage(ours("plot"))
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.knowm.xchart..");

    @ArchTest
    static final ArchRule serve_usesOnlyPlotZooAndBelow = only(
            "serve",
            ours("plot"),
            ours("zoo"),
            ours("weights"),
            ours("network"),
            ours("nn"),
            ours("image"),
            DJL,
            "com.google.gson..",
            "io.prometheus.metrics..",
            "org.eclipse.jetty..",
            "org.slf4j..");

    @ArchTest
    static final ArchRule server_isUsedByServeOnly = noClasses()
            .that()
            .resideOutsideOfPackage(ours("serve"))
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.eclipse.jetty..", "io.prometheus..");

    @ArchTest
    static final ArchRule cli_isUsedByNone = noClasses()
            .that()
            .resideOutsideOfPackage(ours("cli"))
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(ours("cli"), COMMAND_LINE);

    @ArchTest
    static final ArchRule packages_haveNoCycles =
            slices().matching(ROOT + "(*)..").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule exit_isCalledOnlyByTheLauncher = noClasses()
            .that()
            .doNotHaveFullyQualifiedName(ROOT + "cli.Main")
            .should()
            .callMethod(System.class, "exit", int.class);

    private static String ours(String name) {
        return ROOT + name + "..";
    }

    private static ArchRule only(String name, String... packages) {
        List<String> allowed = new ArrayList<>(List.of(packages));
        allowed.add(ours(name));
        allowed.add(ours("message"));
        allowed.add("java..");
        allowed.add("javax.imageio..");
        allowed.add("javax.net.ssl..");
        allowed.add("org.jspecify.annotations..");
        return classes()
                .that()
                .resideInAPackage(ours(name))
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(allowed.toArray(String[]::new))
                .allowEmptyShould(true);
    }
}
