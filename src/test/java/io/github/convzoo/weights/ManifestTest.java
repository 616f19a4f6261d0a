package io.github.convzoo.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.tuple;

import io.github.convzoo.Samples;
import io.github.convzoo.hub.Sha256;
import io.github.convzoo.image.Normalization;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.image.Resampling;
import io.github.convzoo.network.Variant;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ManifestTest {

    static Stream<Manifest.Row> rows() {
        return Manifest.rows().stream();
    }

    @Test
    void rows_areTwentyOne_eachOfAnotherName() {
        Set<String> names = new HashSet<>();
        rows().forEach(row -> names.add(row.model() + "." + row.tag()));

        assertThat(Manifest.rows()).hasSize(21);
        assertThat(names).hasSize(21);
    }

    @ParameterizedTest
    @MethodSource("rows")
    void row_isComplete(Manifest.Row row) {
        assertThat(Variant.all()).containsKey(row.model());
        assertThat(row.tag()).matches("[a-z0-9_]+");
        assertThat(row.top1()).isStrictlyBetween(0.0, 1.0);
        if (row.top5() != null) {
            assertThat(row.top5()).isGreaterThan(row.top1()).isLessThanOrEqualTo(1.0);
        }
        assertThat(row.preprocessing()).isIn("imagenet", "dpn", "dpn68b_ra", "fashion_mnist_64");
        assertThat(row.license()).isIn("BSD-3-Clause", "Apache-2.0", "unknown");
        assertThat(row.hub() != null || !row.urls().isEmpty() || row.bundled() != null)
                .as("is somewhere")
                .isTrue();
        if (row.hub() != null) {
            assertThat(row.hub()).isEqualTo("timm/" + row.model() + "." + row.tag());
        }
    }

    @ParameterizedTest
    @MethodSource("rows")
    void urls_ofPyTorchFiles_endInTheHash(Manifest.Row row) {
        for (String url : row.urls()) {
            URI uri = URI.create(url);
            assertThat(uri.getScheme()).isIn("http", "https");
            assertThat(uri.getHost()).isNotNull();
            if (url.endsWith(".pth")) {
                assertThat(url.substring(url.lastIndexOf('-') + 1)).matches("[0-9a-f]{8,64}\\.pth");
            }
        }
    }

    @Test
    void first_ofAModel_isItsFirstRow() {
        for (Variant variant : Variant.all().values()) {
            List<Manifest.Row> all = rows().filter(row -> row.model().equals(variant.modelName()))
                    .toList();
            assertThat(Manifest.first(variant.modelName()))
                    .isEqualTo(all.stream().findFirst());
        }
        assertThat(Objects.requireNonNull(Manifest.first("dla34").orElseThrow().hub()))
                .isEqualTo("timm/dla34.in1k");
        assertThat(Manifest.first("alexnet")).isEmpty();
        assertThat(Manifest.first("dla35")).isEmpty();
    }

    @Test
    void find_networkAlone_isItsFirstRow() {
        assertThat(Manifest.find("dpn68b").name()).isEqualTo("dpn68b.ra_in1k");
    }

    @Test
    void find_networkAndTag_isThatRow() {
        assertThat(Manifest.find("dpn68b.mx_in1k").hub()).isEqualTo("timm/dpn68b.mx_in1k");
    }

    @Test
    void find_unknown_saysWhatThereIs() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Manifest.find("dla35"))
                .withMessageContainingAll("dla35", "dla34.in1k", "peleenet.in1k", "dpn107.mx_in1k");
    }

    @Test
    void preprocessing_ofEveryRow_isThere() {
        assertThat(rows()).allSatisfy(row -> assertThat(
                        Manifest.preprocessing(row.preprocessing()).height())
                .isPositive());
        Preprocessing dpn = Manifest.preprocessing("dpn");
        assertThat(dpn.resizedSide()).isEqualTo(256);
        assertThat(dpn.resampling()).isEqualTo(Resampling.BICUBIC);
        assertThat(dpn.normalization().mean()).containsExactly(124 / 255.0, 117 / 255.0, 104 / 255.0);
        assertThat(dpn.normalization().std()).containsOnly(1 / (0.0167 * 255));
        assertThat(Manifest.preprocessing("imagenet"))
                .isEqualTo(Preprocessing.ofCropFraction(224, 0.875, Resampling.BILINEAR, Normalization.IMAGENET));
        assertThat(Manifest.preprocessing("dpn68b_ra").resizedSide()).isEqualTo(235);
        assertThat(Manifest.preprocessing("dpn68b_ra_288").resizedSide()).isEqualTo(288);
        assertThat(Manifest.preprocessing("fashion_mnist_64").resizedSide()).isEqualTo(56);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Manifest.preprocessing("resnet"))
                .withMessageContainingAll("resnet", "imagenet, dpn, dpn68b_ra");
    }

    @Test
    void bundled_isWhatTheManifestSays() throws Exception {
        Manifest.Row row = Manifest.find("peleenet.fmnist");
        Manifest.Bundled bundled = Objects.requireNonNull(row.bundled());
        Path file = Path.of("models", bundled.file());

        assertThat(Sha256.of(file)).isEqualTo(bundled.sha256());
        assertThat(Files.size(file)).isLessThan(5_000_000);
        assertThat(bundled.labels()).isEqualTo(Files.readAllLines(Samples.resource("fashion-mnist/labels.txt")));
    }

    @Test
    void olderFiles_ofRows_sayTheStartOfTheirHash() {
        assertThat(Manifest.find("dla34").olderFiles())
                .extracting(Manifest.OlderFile::sha256Start)
                .containsExactly("2b83ff04", "ba72cf86");
        assertThat(Manifest.find("peleenet").olderFiles())
                .singleElement()
                .satisfies(file -> assertThat(file.sha256Start()).isNull());
    }

    @Test
    void larger_ofTheOneRowThatHasIt_isWhatWasPublished() {
        assertThat(rows().filter(row -> row.larger() != null))
                .extracting(Manifest.Row::name, Manifest.Row::larger)
                .containsExactly(tuple("dpn68b.ra_in1k", new Manifest.Larger("dpn68b_ra_288", 0.79342, 0.9443)));
    }

    @Test
    void families_haveAPaperAndASourceOfTheirAccuracies() {
        assertThat(Manifest.families().keySet()).containsExactly("dla", "peleenet", "dpn", "fashion_mnist");
        assertThat(Manifest.families().values()).allSatisfy(family -> {
            assertThat(family.paper()).isNotBlank();
            assertThat(family.source()).matches("https://arxiv\\.org/abs/\\d{4}\\.\\d{5}");
            assertThat(family.accuracySource())
                    .matches(".*ImageNet-1k validation|ConvZoo, Fashion-MNIST's 10,000 test images");
        });
    }
}
