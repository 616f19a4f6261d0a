package io.github.convzoo.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.convzoo.Samples;
import io.github.convzoo.image.CropMode;
import io.github.convzoo.image.Labels;
import io.github.convzoo.image.Normalization;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.image.Resampling;
import io.github.convzoo.network.AlexNetVariant;
import io.github.convzoo.network.DlaVariant;
import io.github.convzoo.network.DpnOptions;
import io.github.convzoo.network.DpnPostVariant;
import io.github.convzoo.network.DpnVariant;
import io.github.convzoo.network.LastActivation;
import io.github.convzoo.network.PeleeNetVariant;
import io.github.convzoo.network.Variant;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModelConfigTest {

    private static final String DLA34 = "{'architecture': 'dla34', 'num_classes': 2%s, 'pretrained_cfg': {%s}}";

    private static ModelConfig parse(String json) throws IOException {
        return ModelConfig.parse(json.replace('\'', '"'), "config.json");
    }

    @Test
    void parse_ofTimmsFile_hasEverythingThatItSays() throws IOException {
        String json = Files.readString(Samples.resource("model-folder/dpn68b/config.json"));

        ModelConfig config = ModelConfig.parse(json, "config.json");

        assertThat(config.variant()).isEqualTo(DpnVariant.DPN68B);
        assertThat(config.options().numClasses()).isEqualTo(3);
        assertThat(config.options().inChannels()).isEqualTo(3);
        assertThat(config.options().family()).isEqualTo(new DpnOptions(false, LastActivation.RELU));
        assertThat(config.labels()).contains(new Labels(List.of("cat", "coffee", "rocket")));
        Normalization half = new Normalization(List.of(0.5, 0.5, 0.5), List.of(0.5, 0.5, 0.5));
        assertThat(config.preprocessing()).isEqualTo(Preprocessing.ofCropFraction(192, 0.95, Resampling.BICUBIC, half));
        assertThat(config.preprocessing(288)).isEqualTo(Preprocessing.ofCropFraction(288, 1, Resampling.BICUBIC, half));
        assertThat(config.preprocessing(256).cropFraction()).isEqualTo(0.95);
        // The size for larger inputs is a whole: one equal side is another size.
        assertThat(config.preprocessing(288, 256).cropFraction()).isEqualTo(0.95);
        assertThat(config.preprocessing(256, 288).cropFraction()).isEqualTo(0.95);
        // Another preprocessing is for inputs of any size.
        Preprocessing other = Preprocessing.ofCropFraction(64, 0.5, Resampling.BICUBIC, half);
        assertThat(config.withPreprocessing(other).preprocessing(288).cropFraction())
                .isEqualTo(0.5);
        assertThat(config.upright()).isTrue();
        assertThat(config.tag()).contains("ra_in1k");
        assertThat(config.license()).contains("apache-2.0");
        assertThat(config.differenceToTimm()).isEmpty();
    }

    @Test
    void parse_ofAnOlderFile_findsEverythingAtTheTop() throws IOException {
        ModelConfig config = parse("{'architecture': 'dla60x_c', 'num_classes': 2, 'labels': ['a', 'b'],"
                + " 'input_size': [3, 160, 128], 'crop_pct': 0.9, 'interpolation': 'bilinear', 'crop_mode': 'squash',"
                + " 'mean': [0.1], 'std': 0.2, 'num_features': 256, 'url': '', 'first_conv': 'base_layer.0'}");

        assertThat(config.variant()).isEqualTo(DlaVariant.DLA60X_C);
        assertThat(config.labels()).contains(new Labels(List.of("a", "b")));
        assertThat(config.preprocessing())
                .isEqualTo(new Preprocessing(
                        160,
                        128,
                        0.9,
                        CropMode.SQUASH,
                        Resampling.BILINEAR,
                        new Normalization(List.of(0.1, 0.1, 0.1), List.of(0.2, 0.2, 0.2))));
    }

    @Test
    void parse_ofALittle_hasTimmsDefaults() throws IOException {
        ModelConfig config = parse("{'architecture': 'dla34'}");

        assertThat(config.options().numClasses()).isEqualTo(1000);
        assertThat(config.preprocessing())
                .isEqualTo(Preprocessing.ofCropFraction(224, 0.875, Resampling.BICUBIC, Normalization.IMAGENET));
        assertThat(config.labels()).isEmpty();
        assertThat(config.tag()).isEmpty();
        assertThat(config.license()).isEmpty();
    }

    /** What describes the saved weights counts, not what they were trained from. */
    @Test
    void parse_ofSeveralNumbersOfClasses_takesThatOfTheModel() throws IOException {
        assertThat(parse("{'architecture': 'dla34', 'num_classes': 3, 'pretrained_cfg': {'num_classes': 1000}}")
                        .options()
                        .numClasses())
                .isEqualTo(3);
        assertThat(parse("{'architecture': 'dla34', 'model_args': {'num_classes': 4},"
                                + " 'pretrained_cfg': {'num_classes': 1000}}")
                        .options()
                        .numClasses())
                .isEqualTo(4);
        assertThat(parse("{'architecture': 'dla34', 'pretrained_cfg': {'num_classes': 5}}")
                        .options()
                        .numClasses())
                .isEqualTo(5);
    }

    @Test
    void parse_ofOneChannel_averagesTheStatisticsAsTimmDoes() throws IOException {
        ModelConfig config = parse("{'architecture': 'dla34', 'num_classes': 2, 'model_args': {'in_chans': 1},"
                + " 'pretrained_cfg': {'input_size': [3, 64, 64], 'mean': [0.1, 0.2, 0.3], 'std': [0.4, 0.5, 0.6]}}");

        assertThat(config.options().inChannels()).isEqualTo(1);
        assertThat(config.preprocessing().normalization().mean()).containsExactly((0.1 + 0.2 + 0.3) / 3);
        assertThat(config.preprocessing().normalization().std()).containsExactly((0.4 + 0.5 + 0.6) / 3);
        assertThat(parse("{'architecture': 'dla34', 'pretrained_cfg': {'input_size': [1, 64, 64]}}")
                        .options()
                        .inChannels())
                .isEqualTo(1);
    }

    @Test
    void parse_ofNumberedLabels_putsThemInTheirPlaces() throws IOException {
        assertThat(parse(DLA34.formatted(", 'label_names': {'1': 'dog', '0': 'cat'}", ""))
                        .labels())
                .contains(new Labels(List.of("cat", "dog")));
        assertThat(parse(DLA34.formatted(", 'label_names': {'1': 'dog'}", "")).labels())
                .contains(new Labels(List.of("0", "dog")));
        assertThat(parse(DLA34.formatted("", "'label_names': ['cat', 'dog']")).labels())
                .contains(new Labels(List.of("cat", "dog")));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "[1] | JSON, but not an object",
                "{'a' | : not JSON",
                "{'num_classes': 2} | has no architecture",
                "{'architecture': 'resnet50'} | architecture is resnet50, which ConvZoo does not support",
                "{'architecture': 'DLA34'} | did you mean dla34?",
                "{'architecture': 7} | architecture is 7",
                "{'architecture': 'dla34', 'num_classes': 2.5} | num_classes must be a whole number, not 2.5",
                "{'architecture': 'dla34', 'num_classes': -1} | num_classes must be a whole number, not -1",
                "{'architecture': 'dla34', 'num_classes': 'two'} | num_classes must be a number, not \"two\"",
                "{'architecture': 'dla34', 'num_classes': 2, 'label_names': ['a']} | has 1 label_names for"
                        + " num_classes 2",
                "{'architecture': 'dla34', 'num_classes': 2, 'label_names': {'2': 'a'}} | label_names has a class '2'",
                "{'architecture': 'dla34', 'num_classes': 2, 'label_names': 'a'} | label_names must be a list",
                "{'architecture': 'dla34', 'pretrained_cfg': []} | pretrained_cfg must be an object",
                "{'architecture': 'dla34', 'pretrained_cfg': {'interpolation': 'lanczos'}} | interpolation lanczos",
                "{'architecture': 'dla34', 'pretrained_cfg': {'crop_mode': 'random'}} | unknown crop mode random",
                "{'architecture': 'dla34', 'pretrained_cfg': {'crop_mode': 'unresized'}} | unknown crop mode unresized",
                "{'architecture': 'dla34', 'pretrained_cfg': {'crop_pct': 0}} | the crop fraction must be above 0",
                "{'architecture': 'dla34', 'pretrained_cfg': {'crop_pct': '1'}} | crop_pct must be a number",
                "{'architecture': 'dla34', 'pretrained_cfg': {'input_size': [224, 224]}} | channels, height and width",
                "{'architecture': 'dla34', 'pretrained_cfg': {'mean': [0.5, 0.5]}} | mean and std must have three"
                        + " values",
                "{'architecture': 'dla34', 'pretrained_cfg': {'std': [0, 0, 0]}} | standard deviations must be"
                        + " finite and positive",
                "{'architecture': 'dla34', 'pretrained_cfg': {'label_offset': 1}} | label_offset 1 is not supported",
                "{'architecture': 'dla34', 'model_args': {'output_stride': 16}} | model_args has output_stride = 16",
                "{'architecture': 'dla34', 'model_args': {'global_pool': 'max'}} | model_args has global_pool ="
                        + " \"max\"",
                "{'architecture': 'dla34', 'model_args': {'cardinality': 8}} | model_args has cardinality = 8",
                "{'architecture': 'dla34', 'global_pool': 'catavgmax'} | global_pool is catavgmax",
                "{'architecture': 'dla34', 'convzoo': {'last_activation': 'elu'}} | is an option of DPN only",
                "{'architecture': 'dla34', 'convzoo': {'newer': 1}} | convzoo: unknown option newer",
                "{'architecture': 'dpn68', 'convzoo': {'newer': 1}} | convzoo: DPN has no option newer",
                "{'architecture': 'dpn68', 'convzoo': {'last_activation': 'gelu'}} | must be relu, elu, or silu, not"
                        + " gelu",
                "{'architecture': 'dla34', 'convzoo': {'orientation': 'left'}} | must be upright or as_stored, not"
                        + " left",
                "{'architecture': 'dla34', 'convzoo': {'resize': 'no'}} | convzoo.resize must be true or false, not no"
            })
    void parse_ofWhatCannotBe_namesFileAndReason(String json, String message) {
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> parse(json))
                .withMessageStartingWith("config.json: ")
                .withMessageContaining(message);
    }

    /** Whatever a message quotes, what is wrong stands at its front and what to do at its end. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'architecture': 'LONG'}",
                "{'architecture': 'peleenet', 'global_pool': 'LONG'}",
                "{'architecture': 'peleenet', 'model_args': {'LONG': 1}}",
                "{'architecture': 'peleenet', 'num_classes': 'LONG'}",
                "{'architecture': 'peleenet', 'pretrained_cfg': {'interpolation': 'LONG'}}",
                "{'architecture': 'peleenet', 'pretrained_cfg': {'mean': ['LONG']}}",
            })
    void parse_ofLongTexts_isRefusedInAFewWords(String json) {
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> ModelConfig.parse(
                        json.replace('\'', '"').replace("LONG", "x".repeat(1_000_000)), "config.json"))
                .withMessageStartingWith("config.json: ")
                .satisfies(e -> assertThat(e.getMessage()).hasSizeLessThan(2100));
    }

    @Test
    void parse_ofDeepNesting_isRefused() {
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> parse("{'architecture': " + "[".repeat(100_000)))
                .withMessageStartingWith("config.json: ");
    }

    static Collection<Variant> variants() {
        return Variant.all().values();
    }

    @ParameterizedTest
    @MethodSource("variants")
    void toJson_ofEveryNetwork_isReadAgain(Variant variant) throws IOException {
        ModelConfig config = ModelConfig.usual(variant)
                .withOptions(variant.options().withNumClasses(2).withInChannels(1))
                .withLabels(new Labels(List.of("ä\"b", "c")))
                .withPreprocessing(new Preprocessing(
                        96,
                        64,
                        0.7,
                        CropMode.BORDER,
                        Resampling.NEAREST,
                        new Normalization(List.of(0.3), List.of(0.7))))
                .withUpright(false);

        assertThat(ModelConfig.parse(config.toJson(), "x")).isEqualTo(config);
        boolean inTimm = config.differenceToTimm().isEmpty();
        if (variant instanceof DlaVariant || variant instanceof DpnVariant) {
            assertThat(inTimm).isTrue();
        } else if (variant instanceof PeleeNetVariant
                || variant instanceof AlexNetVariant
                || variant instanceof DpnPostVariant) {
            assertThat(inTimm).isFalse();
        }
        assertThat(config.toJson().contains("timm has no " + variant.modelName()))
                .isEqualTo(!inTimm);
    }

    @Test
    void toJson_ofPublishedWeights_hasTagLicenseAndLargerInputs() throws IOException {
        ModelConfig config = ModelConfig.of(Manifest.find("dpn68b.ra_in1k"));

        JsonObject root = JsonParser.parseString(config.toJson()).getAsJsonObject();

        JsonObject pretrained = root.getAsJsonObject("pretrained_cfg");
        assertThat(root.get("num_features").getAsInt()).isEqualTo(832);
        assertThat(pretrained.get("tag").getAsString()).isEqualTo("ra_in1k");
        assertThat(pretrained.get("license").getAsString()).isEqualTo("apache-2.0");
        assertThat(pretrained.get("test_input_size").toString()).isEqualTo("[3,288,288]");
        assertThat(pretrained.get("first_conv").getAsString()).isEqualTo("features.conv1_1.conv");
        assertThat(pretrained.get("classifier").getAsString()).isEqualTo("classifier");
        assertThat(root.getAsJsonObject("convzoo").get("last_activation").getAsString())
                .isEqualTo("relu");
        ModelConfig again = ModelConfig.parse(config.toJson(), "x");
        assertThat(again.preprocessing(288)).isEqualTo(config.preprocessing(288));
        assertThat(again.options()).isEqualTo(config.options());
    }

    @Test
    void toJson_ofWhatTimmComputesOtherwise_saysSo() throws IOException {
        ModelConfig elu = ModelConfig.usual(DpnVariant.DPN68)
                .withOptions(DpnVariant.DPN68.options().withFamily(new DpnOptions(false, LastActivation.ELU)));
        assertThat(elu.differenceToTimm())
                .hasValueSatisfying(why -> assertThat(why).contains("computes relu", "need elu"));
        assertThat(ModelConfig.parse(elu.toJson(), "x")).isEqualTo(elu);

        ModelConfig unresized = ModelConfig.usual(DlaVariant.DLA34)
                .withPreprocessing(Preprocessing.unresized(32, 32, Normalization.IMAGENET));
        assertThat(unresized.differenceToTimm()).isPresent();
        assertThat(ModelConfig.parse(unresized.toJson(), "x")).isEqualTo(unresized);
    }

    @Test
    void construction_withLabelsOfOtherClasses_isRefused() {
        ModelConfig config = ModelConfig.usual(DlaVariant.DLA34);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> config.withLabels(new Labels(List.of("a"))))
                .withMessageContaining("there is 1 label for 1000 classes");
        ModelConfig labeled =
                config.withOptions(config.options().withNumClasses(1)).withLabels(new Labels(List.of("a")));
        assertThat(labeled.withOptions(config.options().withNumClasses(2)).labels())
                .isEmpty();
        assertThat(labeled.ofOtherWeights().labels()).isEmpty();
    }

    @Test
    void of_bundledWeights_hasTheirLabels() {
        Manifest.Row row = Manifest.find("peleenet.fmnist");
        ModelConfig config = ModelConfig.of(row);

        assertThat(config.labels())
                .contains(new Labels(Objects.requireNonNull(row.bundled()).labels()));
        assertThat(config.options().numClasses()).isEqualTo(10);
        assertThat(config.preprocessing().height()).isEqualTo(64);
    }
}
