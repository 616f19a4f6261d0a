package io.github.convzoo.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.convzoo.Samples;
import io.github.convzoo.image.ImageDecoder;
import io.github.convzoo.image.Labels;
import io.github.convzoo.image.Normalization;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.image.RgbImage;
import io.github.convzoo.weights.Manifest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FashionMnistTest {

    private final Path folder;

    FashionMnistTest(@TempDir Path folder) {
        this.folder = folder;
    }

    @Test
    void test_ofTheRealFiles_givesTheImagesAsTheyAreSavedElsewhere() throws IOException {
        FashionMnist images = FashionMnist.test(Samples.FASHION_MNIST, 32);

        assertThat(images.size()).isEqualTo(100);
        assertThat(images.classes())
                .isEqualTo(
                        Labels.read(Samples.FASHION_MNIST.resolve("labels.txt")).names());
        assertThat(images.classes().get(images.label(0))).isEqualTo("Ankle boot");
        assertThat(images.classes().get(images.label(2))).isEqualTo("Trouser");
        assertThat(images.image(0)).isEqualTo(padded("ankle-boot.png"));
        assertThat(images.image(2)).isEqualTo(padded("trouser.png"));
    }

    @Test
    void training_ofBothSetsInOneFolder_takesItsOwnFiles() throws IOException {
        IdxFiles.write(folder, new byte[][] {noise(1), noise(2)}, 3, 0);
        Files.write(folder.resolve("train-images-idx3-ubyte"), IdxFiles.images(noise(7)));
        Files.write(folder.resolve("train-labels-idx1-ubyte"), IdxFiles.labels(8));
        FashionMnist images = FashionMnist.training(folder, 32);

        assertThat(images.size()).isEqualTo(1);
        assertThat(images.label(0)).isEqualTo(8);
        assertThat(images.image(0).pixel(2, 2) & 0xff).isEqualTo(noise(7)[0] & 0xff);
        assertThat(images.name(0)).isEqualTo(folder.resolve("train-images-idx3-ubyte") + " image 0");
    }

    private static RgbImage padded(String name) throws IOException {
        return Preprocessing.unresized(32, 32, Normalization.IMAGENET)
                .resizeAndCrop(new ImageDecoder().decode(Samples.FASHION_MNIST.resolve(name)));
    }

    @Test
    void test_ofPlainAndGzippedFiles_givesTheSame() throws IOException {
        byte[][] pixels = {noise(1), noise(2), noise(3)};
        IdxFiles.write(folder, pixels, 3, 0, 9);
        FashionMnist plain = FashionMnist.test(folder, 32);
        Files.delete(folder.resolve(IdxFiles.IMAGES));
        Files.delete(folder.resolve(IdxFiles.LABELS));
        Files.write(folder.resolve(IdxFiles.IMAGES + ".gz"), IdxFiles.gzipped(IdxFiles.images(pixels)));
        Files.write(folder.resolve(IdxFiles.LABELS + ".gz"), IdxFiles.gzipped(IdxFiles.labels(3, 0, 9)));
        FashionMnist zipped = FashionMnist.test(folder, 32);

        assertThat(plain.size()).isEqualTo(3);
        assertThat(zipped.size()).isEqualTo(3);
        for (int i = 0; i < 3; i++) {
            assertThat(zipped.image(i)).isEqualTo(plain.image(i));
            assertThat(zipped.label(i)).isEqualTo(plain.label(i));
        }
        assertThat(plain.label(2)).isEqualTo(9);
        assertThat(plain.image(0)).isNotEqualTo(plain.image(1));
    }

    @ParameterizedTest
    @ValueSource(ints = {32, 48, 64, 77})
    void image_ofAnySize_isPaddedThenRepeatedByNearestNeighbor(int size) throws IOException {
        byte[] pixels = noise(5);
        IdxFiles.write(folder, new byte[][] {noise(4), pixels}, 1, 2);
        RgbImage image = FashionMnist.test(folder, size).image(1);

        // Straight from the definition: pad by 2, then output i takes input floor(i * 32 / size).
        int[][] padded = new int[32][32];
        for (int y = 0; y < 28; y++) {
            for (int x = 0; x < 28; x++) {
                padded[y + 2][x + 2] = pixels[28 * y + x] & 0xff;
            }
        }
        assertThat(image.width()).isEqualTo(size);
        assertThat(image.height()).isEqualTo(size);
        for (int y = 0; y < size; y++) {
            for (int x = 0; x < size; x++) {
                int gray = padded[(int) Math.floor(y * 32.0 / size)][(int) Math.floor(x * 32.0 / size)];
                assertThat(image.pixel(x, y)).as("(%d, %d)", x, y).isEqualTo(gray * 0x010101);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 27, 31, 8193, Integer.MAX_VALUE})
    void test_ofImpossibleSize_isRefused(int size) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> FashionMnist.test(Samples.FASHION_MNIST, size))
                .withMessageContaining("must be 32 to 8192, or 28 for unpadded images, not " + size);
    }

    @Test
    void test_withoutAFile_namesFolderAndFile() throws IOException {
        assertRefused(folder, "found neither t10k-images-idx3-ubyte nor t10k-images-idx3-ubyte.gz");
        Files.write(folder.resolve(IdxFiles.IMAGES), IdxFiles.images(noise(1)));
        assertRefused(folder, "found neither t10k-labels-idx1-ubyte nor");
        assertRefused(folder.resolve("none"), "found neither");
    }

    @Test
    void test_ofAnotherKindOfFile_namesItsMagic() throws IOException {
        write(IdxFiles.labels(1), IdxFiles.labels(1));
        assertRefused(folder.resolve(IdxFiles.IMAGES), "starts with 0x00000801 instead of 0x00000803");
        write(IdxFiles.images(noise(1)), IdxFiles.images(noise(1)));
        assertRefused(folder.resolve(IdxFiles.LABELS), "starts with 0x00000803 instead of 0x00000801");
    }

    @Test
    void test_ofATruncatedFile_isRefusedWhereverItEnds() throws IOException {
        byte[] whole = IdxFiles.images(noise(1), noise(2));
        for (int length : new int[] {0, 3, 4, 7, 8, 15, 16, 17, whole.length - 1}) {
            write(Arrays.copyOf(whole, length), IdxFiles.labels(1, 2));
            assertRefused(folder.resolve(IdxFiles.IMAGES), "is truncated");
        }
        write(whole, Arrays.copyOf(IdxFiles.labels(1, 2), 9));
        assertRefused(folder.resolve(IdxFiles.LABELS), "is truncated");
    }

    @Test
    void test_ofAFileWithTrailingBytes_isRefused() throws IOException {
        byte[] images = IdxFiles.images(noise(1));
        write(Arrays.copyOf(images, images.length + 1), IdxFiles.labels(1));
        assertRefused(folder.resolve(IdxFiles.IMAGES), "has data after its 1 entries");
    }

    @Test
    void test_ofDifferentCounts_namesBoth() throws IOException {
        write(IdxFiles.images(noise(1), noise(2)), IdxFiles.labels(1, 2, 3));
        assertRefused(folder.resolve(IdxFiles.IMAGES), "has 2 images, but ", "has 3 labels");
    }

    @ParameterizedTest
    @ValueSource(ints = {10, 127, 128, 255})
    void test_ofALabelOverNine_namesItAndTheImage(int label) throws IOException {
        write(IdxFiles.images(noise(1), noise(2)), IdxFiles.labels(9, label));
        assertRefused(folder.resolve(IdxFiles.LABELS), "label " + label + " of image 1 is not one of 0 to 9");
    }

    @Test
    void test_ofImagesOfAnotherSize_namesIt() throws IOException {
        write(IdxFiles.file(new byte[28 * 32], 0x0803, 1, 28, 32), IdxFiles.labels(1));
        assertRefused(folder.resolve(IdxFiles.IMAGES), "has images of 32 x 28, not 28 x 28");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, 1_000_001, Integer.MAX_VALUE})
    void test_ofImpossibleCount_isRefusedBeforeAnythingIsAllocated(int count) throws IOException {
        write(IdxFiles.file(new byte[784], 0x0803, count, 28, 28), IdxFiles.labels(1));
        assertRefused(
                folder.resolve(IdxFiles.IMAGES),
                "has " + count + " entries according to its header; expected 1 to 1000000");
    }

    @Test
    void test_ofDamagedGzip_namesTheFile() throws IOException {
        Path labels = folder.resolve(IdxFiles.LABELS + ".gz");
        Files.write(folder.resolve(IdxFiles.IMAGES), IdxFiles.images(noise(1)));
        byte[] whole = IdxFiles.gzipped(IdxFiles.labels(1));

        Files.write(labels, Arrays.copyOf(whole, whole.length - 12));
        assertRefused(labels, "is truncated");
        Files.write(labels, IdxFiles.labels(1));
        assertRefused(labels, "damaged gzip file");
        whole[whole.length - 6] ^= 1;
        Files.write(labels, whole);
        assertRefused(labels, "damaged gzip file");
    }

    private void write(byte[] images, byte[] labels) throws IOException {
        Files.write(folder.resolve(IdxFiles.IMAGES), images);
        Files.write(folder.resolve(IdxFiles.LABELS), labels);
    }

    private void assertRefused(Path named, String... parts) {
        Path set = named.startsWith(folder) && named.endsWith("none") ? named : folder;
        assertThatIOException()
                .isThrownBy(() -> FashionMnist.test(set, 32))
                .withMessageStartingWith(named + ": ")
                .satisfies(e -> assertThat(e.getMessage()).contains(parts));
    }

    private static byte[] noise(long seed) {
        byte[] pixels = new byte[28 * 28];
        new Random(seed).nextBytes(pixels);
        return pixels;
    }

    @Test
    void test_ofTheImagesAsTheyAre_padsNothing() throws IOException {
        FashionMnist padded = FashionMnist.test(Samples.FASHION_MNIST, 64);
        FashionMnist plain = FashionMnist.test(Samples.FASHION_MNIST, FashionMnist.SIDE);

        RgbImage image = plain.image(3);

        assertThat(image.width()).isEqualTo(28);
        // The published preprocessing makes of it what the data set itself makes.
        assertThat(Manifest.preprocessing("fashion_mnist_64").resizeAndCrop(image))
                .isEqualTo(padded.image(3));
    }
}
