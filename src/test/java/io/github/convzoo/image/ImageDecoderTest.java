package io.github.convzoo.image;

import static io.github.convzoo.image.Fixtures.bytes;
import static io.github.convzoo.image.Fixtures.image;
import static io.github.convzoo.image.Fixtures.path;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.sun.management.ThreadMXBean;
import java.awt.image.BufferedImage;
import java.awt.image.DataBufferByte;
import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import javax.imageio.ImageIO;
import org.assertj.core.api.ThrowableAssertAlternative;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ImageDecoderTest {

    private final ImageDecoder decoder = new ImageDecoder();
    private final Path folder;

    ImageDecoderTest(@TempDir Path folder) {
        this.folder = folder;
    }

    /** Every NAME.EXT that has a NAME.EXT.png beside it. */
    static Stream<String> encoded() {
        return Fixtures.names("image")
                .filter(name -> name.matches(".*\\.(jpg|png|gif|bmp)\\.png"))
                .map(name -> name.substring(0, name.length() - 4));
    }

    @ParameterizedTest
    @MethodSource("encoded")
    void decode_ofEveryKind_equalsPillow(String name) throws IOException {
        assertThat(decoder.decode(bytes("image/" + name), name)).isEqualTo(image("image/" + name + ".png"));
    }

    @Test
    void fixtures_areAllThere() {
        assertThat(encoded()).hasSize(58);
    }

    @ParameterizedTest
    @MethodSource("encoded")
    void decode_ofFileAndStream_equalsThatOfBytes(String name) throws IOException {
        RgbImage expected = image("image/" + name);

        assertThat(decoder.decode(path("image/" + name))).isEqualTo(expected);
        assertThat(decoder.decode(new ByteArrayInputStream(bytes("image/" + name)), name))
                .isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
    void decode_withoutOrientation_leavesTheImageAsStored(int orientation) throws IOException {
        String name = "image/orientation_" + orientation + ".jpg";

        assertThat(decoder.withOrientation(false).decode(bytes(name), name))
                .isEqualTo(image("image/orientation_1.jpg"));
    }

    @Test
    void decode_ofWrongExtension_goesByTheContent() throws IOException {
        Path file = Files.write(folder.resolve("photo.png"), bytes("image/grey.jpg"));

        assertThat(decoder.decode(file)).isEqualTo(image("image/grey.jpg"));
    }

    @Test
    void decode_ofFileInAnArchive_reads() throws IOException {
        URI uri = URI.create("jar:" + folder.resolve("images.zip").toUri());
        try (FileSystem archive = FileSystems.newFileSystem(uri, Map.of("create", "true"))) {
            Path file = Files.write(archive.getPath("/a.jpg"), bytes("image/grey.jpg"));

            assertThat(decoder.decode(file)).isEqualTo(image("image/grey.jpg"));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ycc_420_baseline.jpg",
                "ycc_420_progressive.jpg",
                "grey.jpg",
                "cmyk.jpg",
                "ycc_restart.jpg",
            })
    void decode_ofJpegCutAnywhere_isRefused(String name) {
        byte[] whole = bytes("image/" + name);
        for (int length = 2; length < whole.length; length++) {
            byte[] cut = Arrays.copyOf(whole, length);

            assertRefused(cut, "cut.jpg").withMessageContaining("truncated");
        }
    }

    /** Pillow too takes a PNG that lacks its check sum or its last chunk, once the pixels are whole. */
    @ParameterizedTest
    @ValueSource(
            strings = {"rgb.png", "rgb_interlaced.png", "palette.png", "grey_1bit.png", "rgb_16bit.png", "rgba.png"})
    void decode_ofPngCutBeforeItsLastChunk_isRefused(String name) throws IOException {
        byte[] whole = bytes("image/" + name);
        RgbImage expected = image("image/" + name);
        int endOfPixels = whole.length - 12 - 4 - 4;
        for (int length = 8; length < whole.length; length++) {
            byte[] cut = Arrays.copyOf(whole, length);

            if (length < endOfPixels - 8) {
                assertRefused(cut, "cut.png").withMessageContaining("truncated");
            } else {
                assertDecodesOrIsRefused(cut, expected);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"palette.gif", "rgb.bmp", "grey.bmp", "palette.bmp"})
    void decode_ofOtherFormatsCutAnywhere_isWholeOrRefused(String name) throws IOException {
        byte[] whole = bytes("image/" + name);
        RgbImage expected = image("image/" + name);
        for (int length = 6; length < whole.length; length++) {
            assertDecodesOrIsRefused(Arrays.copyOf(whole, length), expected);
        }
    }

    @ParameterizedTest
    @MethodSource("encoded")
    void decode_ofDamagedBytes_throwsNothingElse(String name) {
        byte[] whole = bytes("image/" + name);
        Random random = new Random(name.hashCode());
        for (int i = 0; i < 100; i++) {
            byte[] damaged = whole.clone();
            for (int k = 0; k < 3; k++) {
                damaged[2 + random.nextInt(damaged.length - 2)] = (byte) random.nextInt();
            }
            try {
                decoder.withMaxPixels(1_000_000).decode(damaged, name);
            } catch (ImageException e) {
                assertThat(e).hasMessageStartingWith(name + ": ");
            }
        }
    }

    @Test
    void decode_ofEmptyFile_namesIt() throws IOException {
        Path file = Files.createFile(folder.resolve("empty.jpg"));

        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(() -> decoder.decode(file))
                .withMessage(file + ": the file is empty; fetch or copy it again");
    }

    @Test
    void decode_ofNoFile_namesIt() {
        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(() -> decoder.decode(folder.resolve("none.jpg")))
                .withMessage(folder.resolve("none.jpg") + ": no such file; check the path");
    }

    @Test
    void decode_ofDirectory_namesIt() {
        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(() -> decoder.decode(folder))
                .withMessage(folder + ": this is a directory; name an image file");
    }

    @Test
    void decode_ofFailingStream_namesIt() throws IOException {
        InputStream failing = new BufferedInputStream(InputStream.nullInputStream());
        failing.close();

        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(() -> decoder.decode(failing, "upload"))
                .withMessageContaining("upload: ")
                .withMessageContaining("Stream closed");
    }

    @ParameterizedTest
    @CsvSource({
        "no image,not an image",
        "x,not an image",
        "RIFF1234WEBPVP8 ,WebP is not supported",
        "....ftypheic,HEIC",
        "II*\0....,TIFF is not supported",
        "BM,truncated",
        "GIF89a,truncated",
        "\u00ff\u00d8,truncated",
        "\u00ff\u00d8\u00ff\u00d9,no image data",
    })
    void decode_ofWhatIsNoImage_saysWhatItIs(String content, String problem) {
        assertRefused(content.getBytes(ISO_8859_1), "upload").withMessageContaining(problem);
    }

    @Test
    void decode_atTheLimitOfPixels_isAllowed() throws IOException {
        RgbImage image = image("image/rgb.png");
        int pixels = image.width() * image.height();
        for (String name : new String[] {"rgb.png", "ycc_444_baseline.jpg", "palette.gif", "rgb.bmp"}) {
            byte[] bytes = bytes("image/" + name);

            assertThat(decoder.withMaxPixels(pixels).decode(bytes, name).width())
                    .isEqualTo(image.width());
            assertThatExceptionOfType(ImageException.class)
                    .isThrownBy(() -> decoder.withMaxPixels(pixels - 1).decode(bytes, name))
                    .withMessageContaining("%d x %d pixels", image.width(), image.height())
                    .withMessageContaining("raise the limit");
        }
    }

    @Test
    void decode_ofHeadersThatClaimHugeImages_isRefusedBeforeAllocation() {
        byte[] png = ByteBuffer.wrap(bytes("image/rgb.png"))
                .putInt(16, 100_000)
                .putInt(20, 100_000)
                .array();
        CRC32 crc = new CRC32();
        crc.update(png, 12, 17);
        ByteBuffer.wrap(png).putInt(29, (int) crc.getValue());
        byte[] jpeg = bytes("image/ycc_444_baseline.jpg");
        int frame = new String(jpeg, ISO_8859_1).indexOf("\u00ff\u00c0");
        ByteBuffer.wrap(jpeg).putShort(frame + 5, (short) 65_500).putShort(frame + 7, (short) 65_500);
        byte[] bmp = bytes("image/rgb.bmp");
        ByteBuffer.wrap(bmp).putInt(18, 0x204e0000).putInt(22, 0x204e0000);
        byte[] gif = bytes("image/palette.gif");
        int frameOfGif = new String(gif, ISO_8859_1).lastIndexOf(",\0\0\0\0");
        ByteBuffer.wrap(gif).putInt(frameOfGif + 5, 0xffffffff);

        assertRefused(png, "bomb.png").withMessageContaining("100000 x 100000 pixels are more than");
        assertRefused(jpeg, "bomb.jpg").withMessageContaining("65500 x 65500 pixels are more than");
        // The JDK compares the size with the file's length.
        assertRefused(bmp, "bomb.bmp").withMessageContaining("Invalid width/height");
        assertRefused(gif, "bomb.gif").withMessageContaining("65535 x 65535 pixels are more than");
    }

    /**
     * What is allocated is the RGB copy and little else, as samples are turned into RGB where they lie; of a PNG, the
     * JDK's reader allocates every row once more, and drops it.
     */
    @ParameterizedTest
    @CsvSource({"jpg, 1", "png, 2"})
    void decode_of50Megapixels_holdsOneCopy(String format, int copies) throws IOException {
        int width = 8660;
        int height = 5774;
        Path file = folder.resolve("large." + format);
        BufferedImage photo = new BufferedImage(width, height, BufferedImage.TYPE_3BYTE_BGR);
        byte[] samples = ((DataBufferByte) photo.getRaster().getDataBuffer()).getData();
        for (int i = 0; i < samples.length; i++) {
            samples[i] = (byte) (i >> 16);
        }
        assertThat(ImageIO.write(photo, format, file.toFile())).isTrue();

        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        RgbImage image = decoder.decode(file);
        long allocated = threads.getCurrentThreadAllocatedBytes() - before;

        assertThat(allocated).isBetween(3L * width * height, copies * 3L * width * height + (16 << 20));
        assertThat(image.width()).isEqualTo(width);
        assertThat(image.height()).isEqualTo(height);
        if (format.equals("png")) {
            assertThat(image).isEqualTo(RgbImage.of(photo));
        }
    }

    @Test
    void decode_atTheLimitOfStreamBytes_isAllowed() throws IOException {
        byte[] bytes = bytes("image/grey.jpg");

        assertThat(decoder.withMaxStreamBytes(bytes.length).decode(new ByteArrayInputStream(bytes), "grey"))
                .isEqualTo(image("image/grey.jpg"));
        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(() ->
                        decoder.withMaxStreamBytes(bytes.length - 1).decode(new ByteArrayInputStream(bytes), "grey"))
                .withMessageContaining("more than the allowed");
    }

    @Test
    void withMaxPixels_whateverTheLocale_isRefusedInTheSameWords() {
        Locale locale = Locale.getDefault();
        try {
            Locale.setDefault(Locale.GERMANY);
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> decoder.withMaxPixels(1L << 40))
                    .withMessageContaining("not 1,099,511,627,776");
        } finally {
            Locale.setDefault(locale);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -1, RgbImage.MAX_PIXELS + 1})
    void withMaxPixels_outOfRange_isRefused(long limit) {
        assertThatIllegalArgumentException().isThrownBy(() -> decoder.withMaxPixels(limit));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, Integer.MAX_VALUE})
    void withMaxStreamBytes_outOfRange_isRefused(int limit) {
        assertThatIllegalArgumentException().isThrownBy(() -> decoder.withMaxStreamBytes(limit));
    }

    /** Tables of unlimited size before the first scan would be kept, so they are limited. */
    @ParameterizedTest
    @CsvSource({"15, truncated", "16, more than 1 MiB"})
    void decode_ofJpegWithEndlessTables_isRefused(int segments, String problem) {
        ByteArrayOutputStream jpeg = new ByteArrayOutputStream();
        jpeg.writeBytes(new byte[] {(byte) 0xff, (byte) 0xd8});
        for (int i = 0; i < segments; i++) {
            jpeg.writeBytes(new byte[] {(byte) 0xff, (byte) 0xdb, (byte) 0xff, (byte) 0xff});
            jpeg.writeBytes(new byte[65_533]);
        }

        assertRefused(jpeg.toByteArray(), "tables.jpg").withMessageContaining(problem);
    }

    @ParameterizedTest
    @CsvSource({
        "0xc3, 8, 3, SOF3",
        "0xc9, 8, 3, SOF9",
        "0xc0, 12, 3, 12 bits",
        "0xc0, 8, 2, 2 components",
        "0xc0, 8, 0, 0 components",
    })
    void decode_ofJpegKindsThatAreNotSupported_saysWhich(int marker, int bits, int components, String problem) {
        ByteArrayOutputStream jpeg = new ByteArrayOutputStream();
        jpeg.writeBytes(
                new byte[] {(byte) 0xff, (byte) 0xd8, (byte) 0xff, (byte) marker, 0, (byte) (8 + 3 * components)});
        jpeg.writeBytes(new byte[] {(byte) bits, 0, 8, 0, 8, (byte) components});
        jpeg.writeBytes(new byte[3 * components]);
        jpeg.writeBytes(new byte[] {(byte) 0xff, (byte) 0xda, 0, 2});

        assertRefused(jpeg.toByteArray(), "odd.jpg").withMessageContaining(problem);
    }

    private ThrowableAssertAlternative<ImageException> assertRefused(byte[] bytes, String name) {
        return assertThatExceptionOfType(ImageException.class)
                .isThrownBy(() -> decoder.decode(bytes, name))
                .withMessageStartingWith(name + ": ");
    }

    private void assertDecodesOrIsRefused(byte[] bytes, RgbImage expected) {
        try {
            assertThat(decoder.decode(bytes, "cut")).isEqualTo(expected);
        } catch (ImageException e) {
            assertThat(e).hasMessageStartingWith("cut: ");
        }
    }
}
