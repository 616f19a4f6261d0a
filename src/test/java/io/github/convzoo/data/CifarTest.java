package io.github.convzoo.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.convzoo.image.RgbImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CifarTest {

    private static final List<String> TEN =
            IntStream.range(0, 10).mapToObj(i -> "ten " + i).toList();
    private static final List<String> FINE =
            IntStream.range(0, 100).mapToObj(i -> "fine " + i).toList();
    private static final List<String> COARSE =
            IntStream.range(0, 20).mapToObj(i -> "coarse " + i).toList();

    private final Path folder;

    CifarTest(@TempDir Path folder) throws IOException {
        this.folder = folder;
        // As published, with an empty line at the end.
        Files.writeString(folder.resolve("batches.meta.txt"), String.join("\n", TEN) + "\n\n");
        Files.write(folder.resolve("fine_label_names.txt"), FINE);
        Files.write(folder.resolve("coarse_label_names.txt"), COARSE);
    }

    /** The bytes of an image: its planes. */
    private static byte[] planes(long seed) {
        byte[] planes = new byte[3072];
        new Random(seed).nextBytes(planes);
        return planes;
    }

    private static byte[] records(byte[]... parts) {
        ByteArrayOutputStream records = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            records.writeBytes(part);
        }
        return records.toByteArray();
    }

    private static byte[] labels(int... labels) {
        byte[] bytes = new byte[labels.length];
        for (int i = 0; i < labels.length; i++) {
            bytes[i] = (byte) labels[i];
        }
        return bytes;
    }

    private static void assertShows(RgbImage image, byte[] planes) {
        assertThat(image.width()).isEqualTo(32);
        assertThat(image.height()).isEqualTo(32);
        for (int i = 0; i < 1024; i++) {
            assertThat(image.pixel(i % 32, i / 32))
                    .isEqualTo((planes[i] & 0xff) << 16 | (planes[1024 + i] & 0xff) << 8 | (planes[2048 + i] & 0xff));
        }
    }

    @Test
    void training10_ofFiveFiles_givesTheirImagesOneAfterTheOther() throws IOException {
        for (int i = 1; i <= 5; i++) {
            Files.write(
                    folder.resolve("data_batch_" + i + ".bin"),
                    records(labels(i), planes(2L * i), labels(9 - i), planes(2L * i + 1)));
        }
        Cifar images = Cifar.training10(folder);

        assertThat(images.size()).isEqualTo(10);
        assertThat(images.classes()).isEqualTo(TEN);
        for (int i = 0; i < 10; i++) {
            int file = i / 2 + 1;
            assertThat(images.label(i)).isEqualTo(i % 2 == 0 ? file : 9 - file);
            assertShows(images.image(i), planes(i + 2));
        }
        assertThat(images.name(5)).isEqualTo(folder.resolve("data_batch_3.bin") + " image 1");
        assertThatIllegalStateException().isThrownBy(images::withCoarseLabels);
    }

    @Test
    void test10_givesTheTestSet() throws IOException {
        Files.write(folder.resolve("test_batch.bin"), records(labels(7), planes(1)));
        Cifar images = Cifar.test10(folder);

        assertThat(images.size()).isEqualTo(1);
        assertThat(images.label(0)).isEqualTo(7);
        assertShows(images.image(0), planes(1));
    }

    @Test
    void cifar100_hasFineLabelsUnlessAskedForCoarseOnes() throws IOException {
        Files.write(folder.resolve("train.bin"), records(labels(19, 99), planes(1), labels(3, 0), planes(2)));
        Files.write(folder.resolve("test.bin"), records(labels(2, 50), planes(3)));
        Cifar images = Cifar.training100(folder);
        Cifar coarse = images.withCoarseLabels();

        assertThat(images.classes()).isEqualTo(FINE);
        assertThat(IntStream.range(0, 2).map(images::label)).containsExactly(99, 0);
        assertThat(coarse.classes()).isEqualTo(COARSE);
        assertThat(IntStream.range(0, 2).map(coarse::label)).containsExactly(19, 3);
        assertShows(images.image(1), planes(2));
        assertShows(coarse.image(1), planes(2));
        assertThat(Cifar.test100(folder).label(0)).isEqualTo(50);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 3072, 3074, 2 * 3073 - 1})
    void test10_ofIncompleteRecords_namesTheSize(int bytes) throws IOException {
        Path file = folder.resolve("test_batch.bin");
        Files.write(file, Arrays.copyOf(records(labels(1), planes(1), labels(2), planes(2)), bytes));

        assertThatIOException()
                .isThrownBy(() -> Cifar.test10(folder))
                .withMessageStartingWith("%s: has %,d bytes", file, bytes);
    }

    @Test
    void labels_outOfRange_areNamed() throws IOException {
        Files.write(folder.resolve("test_batch.bin"), records(labels(9), planes(1), labels(10), planes(2)));
        Files.write(folder.resolve("test.bin"), records(labels(20, 99), planes(3)));
        Files.write(folder.resolve("train.bin"), records(labels(0, 200), planes(3)));

        assertThatIOException()
                .isThrownBy(() -> Cifar.test10(folder))
                .withMessageStartingWith(folder.resolve("test_batch.bin") + " image 1: label 10 is not one of 0 to 9");
        assertThatIOException()
                .isThrownBy(() -> Cifar.training100(folder))
                .withMessageContaining("label 200 is not one of 0 to 99");
        Cifar images = Cifar.test100(folder);
        assertThatIOException()
                .isThrownBy(images::withCoarseLabels)
                .withMessageContaining("label 20 is not one of 0 to 19");
    }

    @Test
    void names_inALargeFile_areRefused() throws IOException {
        Files.write(folder.resolve("test_batch.bin"), records(labels(7), planes(1)));
        String names = String.join("\n", TEN);
        Path file = folder.resolve("batches.meta.txt");
        Files.writeString(file, names + "\n".repeat((1 << 16) - names.length()));
        assertThat(Cifar.test10(folder).classes()).isEqualTo(TEN);
        Files.writeString(file, names + "\n".repeat((1 << 16) + 1 - names.length()));
        assertThatIOException().isThrownBy(() -> Cifar.test10(folder)).withMessageStartingWith(file + ": 65,537 bytes");
    }

    @Test
    void missingFiles_areNamed() throws IOException {
        assertThatIOException()
                .isThrownBy(() -> Cifar.test10(folder))
                .withMessage(folder + ": test_batch.bin not found; pass the folder of CIFAR-10's binary version");
        Files.write(folder.resolve("test.bin"), records(labels(0, 0), planes(3)));
        Files.delete(folder.resolve("fine_label_names.txt"));
        assertThatIOException()
                .isThrownBy(() -> Cifar.test100(folder))
                .withMessageContaining("fine_label_names.txt not found");
        Files.write(folder.resolve("fine_label_names.txt"), COARSE);
        assertThatIOException()
                .isThrownBy(() -> Cifar.test100(folder))
                .withMessageStartingWith(folder.resolve("fine_label_names.txt") + ": lists 20 classes, not 100");
    }
}
