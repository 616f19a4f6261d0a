package io.github.convzoo.export;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.convzoo.image.CropMode;
import io.github.convzoo.image.Labels;
import io.github.convzoo.image.Normalization;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.image.Resampling;
import io.github.convzoo.network.Variant;
import io.github.convzoo.weights.ModelConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What DJL and DJL Serving are told of a folder. */
class ServingFilesTest {

    @TempDir
    Path folder = Path.of("");

    private ModelConfig config = usual(3, 2);

    private static ModelConfig usual(int channels, int classes) {
        Variant variant = Variant.of("dla46_c");
        Normalization normalization =
                channels == 1 ? new Normalization(List.of(0.25), List.of(0.5)) : Normalization.IMAGENET;
        return ModelConfig.usual(variant)
                .withOptions(variant.options().withInChannels(channels).withNumClasses(classes))
                .withPreprocessing(Preprocessing.ofCropFraction(224, 0.875, Resampling.BILINEAR, normalization));
    }

    private void preprocess(Preprocessing preprocessing) {
        config = config.withPreprocessing(preprocessing);
    }

    private List<String> write(ExportOptions options) throws IOException {
        return ServingFiles.write(folder, config, options);
    }

    private Properties properties() throws IOException {
        Properties properties = new Properties();
        try (var in = Files.newBufferedReader(folder.resolve("serving.properties"))) {
            properties.load(in);
        }
        return properties;
    }

    private static void assertNoted(List<String> notes, String... parts) {
        assertThat(String.join("\n", notes)).contains(parts);
    }

    @Test
    void photo_isResizedCroppedAndNormalized_byTheEngineOfTheFormat() throws IOException {
        write(ExportOptions.torchScript());
        assertThat(properties())
                .containsEntry("engine", "PyTorch")
                .containsEntry("resizeShort", "256,-1,BILINEAR")
                .containsEntry("centerCrop", "true")
                .containsEntry("width", "224")
                .containsEntry("normalize", "0.485,0.456,0.406,0.229,0.224,0.225")
                .containsEntry("applySoftmax", "true")
                .doesNotContainKeys("toTensor", "flag", "resize");
        write(ExportOptions.onnx().withPreprocess(true));
        assertThat(properties())
                .containsEntry("engine", "OnnxRuntime")
                .containsEntry("toTensor", "false")
                .containsEntry("normalize", "false")
                .containsEntry("applySoftmax", "false");
    }

    @Test
    void formatWithoutAnEngine_getsNoFiles() throws IOException {
        assertThat(ServingFiles.write(folder, config, ExportOptions.onnx(), Optional.empty()))
                .isEmpty();
        assertThat(folder).isEmptyDirectory();
    }

    @ParameterizedTest
    @CsvSource({"ONNX, true", "TORCHSCRIPT, false"})
    void secondEngine_isAskedForWhereTheFirstCannotResize(ExportOptions.Format format, boolean asked)
            throws IOException {
        String note = "DJL's OnnxRuntime engine cannot resize images; also put DJL's PyTorch engine on the class path";
        List<String> notes = write(ExportOptions.of(format));
        assertThat(String.join("\n", notes).contains(note)).isEqualTo(asked);
        assertThat(Files.readString(folder.resolve("serving.properties")).contains("# " + note))
                .isEqualTo(asked);
        assertThat(String.join("\n", write(ExportOptions.of(format).withFeatures(true))))
                .doesNotContain(note);
    }

    @Test
    void grayImages_haveTheirStatisticsThreeTimes() throws IOException {
        config = usual(1, 2);
        write(ExportOptions.torchScript());
        assertThat(properties())
                .containsEntry("flag", "GRAYSCALE")
                .containsEntry("normalize", "0.25,0.25,0.25,0.5,0.5,0.5");
    }

    @Test
    void otherChannels_noClasses_orFeatures_haveNoTranslator() throws IOException {
        config = usual(3, 0);
        assertNoted(write(ExportOptions.torchScript()), "outputs no classes");
        assertThat(properties()).doesNotContainKeys("translatorFactory");
        assertThat(folder.resolve("synset.txt")).doesNotExist();
        config = usual(3, 2);
        assertNoted(write(ExportOptions.torchScript().withFeatures(true)), "outputs more than classes");
        config = config.withOptions(config.options().withInChannels(4));
        assertNoted(write(ExportOptions.torchScript()), "images do not have 4 channels");
        assertThat(properties()).doesNotContainKeys("translatorFactory");
    }

    @Test
    void nonSquareInput_isCutFromAnImageThatCoversIt() throws IOException {
        preprocess(config.preprocessing().withInputSize(112, 224).withCropFraction(0.875));
        assertNoted(write(ExportOptions.torchScript()), "cannot resize to cover 256 x 128", "shorter side to 256");
        assertThat(properties())
                .containsEntry("resizeShort", "256,-1,BILINEAR")
                .containsEntry("width", "224")
                .containsEntry("height", "112");
    }

    @Test
    void sizesThatAreNotWhole_areRoundedDown() throws IOException {
        preprocess(config.preprocessing().withCropMode(CropMode.SQUASH).withCropFraction(0.9));
        write(ExportOptions.torchScript());
        assertThat(properties()).containsEntry("resize", "248,248,BILINEAR").doesNotContainKeys("resizeShort");
    }

    @Test
    void border_isFilledWithTheMeanGray() throws IOException {
        preprocess(config.preprocessing().withCropMode(CropMode.BORDER));
        assertNoted(write(ExportOptions.torchScript()), "one gray level instead of the mean color");
        // 255 * (0.485 + 0.456 + 0.406) / 3 = 114.495
        assertThat(properties()).containsEntry("pad", "114").containsEntry("resize", "256,256,BILINEAR");
    }

    @Test
    void cropFractionAboveOne_resizesToTheInput() throws IOException {
        preprocess(config.preprocessing().withCropFraction(1.25));
        assertNoted(write(ExportOptions.torchScript()), "cannot pad for a crop fraction above 1");
        assertThat(properties()).containsEntry("resize", "224,224,BILINEAR").doesNotContainKeys("resizeShort");
    }

    @Test
    void bicubic_isReplaced_andOrientationIsNamedIfItCounts() throws IOException {
        preprocess(config.preprocessing().withResampling(Resampling.BICUBIC));
        config = config.withUpright(true);
        assertNoted(write(ExportOptions.torchScript()), "BICUBIC overflows for values", "ignores EXIF orientation");
        assertThat(properties()).containsEntry("resizeShort", "256,-1,BILINEAR");
        config = config.withUpright(false);
        assertThat(String.join("\n", write(ExportOptions.torchScript()))).doesNotContain("EXIF");
    }

    @Test
    void synset_hasALineForEachClass() throws IOException {
        config = config.withLabels(new Labels(List.of("cup,\nsaucer", "cat")));
        assertThat(write(ExportOptions.torchScript())).noneMatch(note -> note.contains("synset.txt"));
        assertThat(folder.resolve("synset.txt")).hasContent("cup, saucer\ncat\n");
        assertThat(write(ExportOptions.onnx())).noneMatch(note -> note.contains("synset.txt"));
        config = config.withLabels(new Labels(List.of("cup", "dog")));
        assertNoted(write(ExportOptions.onnx()), "synset.txt: unchanged");
        assertThat(folder.resolve("synset.txt")).hasContent("cup, saucer\ncat\n");
    }

    @Test
    void servingProperties_ofSomebodyElse_areLeft() throws IOException {
        Path file = Files.writeString(folder.resolve("serving.properties"), "engine=Python\n");
        assertNoted(write(ExportOptions.onnx()), "unchanged because it was not written by convzoo export");
        assertThat(file).hasContent("engine=Python\n");
    }
}
