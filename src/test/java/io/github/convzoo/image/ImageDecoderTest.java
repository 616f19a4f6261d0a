package io.github.convzoo.image;

import static io.github.convzoo.image.Fixtures.bytes;
import static io.github.convzoo.image.Fixtures.image;
import static io.github.convzoo.image.Fixtures.path;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.sun.management.ThreadMXBean;
import java.awt.image.BufferedImage;
import java.awt.image.DataBufferByte;
import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
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

    /** Every NAME.EXT that has a NAME.EXT.png next to it. */
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
        assertThat(formats()).hasSize(104);
    }

    /** Of src/test/python/format_fixtures.py: every file that has a picture with the same name and .png next to it. */
    static Stream<String> formats() {
        return Fixtures.names("formats")
                .filter(name -> name.matches(".*\\..*\\.png"))
                .map(name -> name.substring(0, name.length() - 4));
    }

    @ParameterizedTest
    @MethodSource("formats")
    void decode_ofWhatReadersUnderstandDifferently_equalsPillow(String name) throws IOException {
        assertThat(decoder.decode(bytes("formats/" + name), name)).isEqualTo(image("formats/" + name + ".png"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "b_16_555.bmp",
                "b_bfsize0.bmp",
                "b_bfsize_datalen.bmp",
                "g_nopal.gif",
                "g_small00.gif",
                "x_webp.jpg"
            })
    void decode_ofReportedFiles_equalsPillow(String name) throws IOException {
        assertThat(decoder.decode(path("cases/images/" + name))).isEqualTo(image("cases/images/" + name + ".png"));
    }

    @ParameterizedTest
    @CsvSource({
        "o_exif6.png, 31",
        "o_xmp.png, 31",
        "o_xmp.jpg, 31",
        "w_exif6.webp, 31",
        "w_xmp8.webp, 31",
        "t_turned6.tif, 5"
    })
    void decode_withoutOrientation_turnsOnlyTiffs(String name, int width) throws IOException {
        assertThat(decoder.withOrientation(false)
                        .decode(path("formats/" + name))
                        .width())
                .isEqualTo(width);
    }

    /** A palette of grays of the frame's own, which Pillow reads but then shows in the colors of the file's. */
    @Test
    void decode_ofGifWithItsOwnGrays_isGray() throws IOException {
        byte[] gif = bytes("formats/g_local.gif");
        int palette = new String(gif, ISO_8859_1).indexOf(",\5\0\7\0\r\0\t\0") + 10;
        for (int i = 0; i < 48; i++) {
            gif[palette + i] = (byte) (i / 3);
        }
        RgbImage image = decoder.decode(gif, "grays.gif");

        for (int x = 5; x < 18; x++) {
            assertThat(image.pixel(x, 9) % 0x010101).isZero();
            assertThat(image.pixel(x, 9)).isLessThan(0x101010);
        }
        // The screen too is filled with its color 0.
        assertThat(image.pixel(0, 0)).isZero();
    }

    /** What is left out has color 0, as in the JDK; Pillow refuses a run length encoding that ends early. */
    @Test
    void decode_ofRunsThatEndEarly_fillsUp() throws IOException {
        byte[] bmp = bytes("formats/r8.bmp");
        int data = ByteBuffer.wrap(bmp).order(LITTLE_ENDIAN).getInt(10);
        byte[] ends = Arrays.copyOf(bmp, data + 6);
        System.arraycopy(new byte[] {5, 3, 0, 0, 0, 1}, 0, ends, data, 6);
        RgbImage image = decoder.decode(ends, "early.bmp");

        assertThat(image.pixel(4, 10)).isEqualTo(paletteColor(bmp, 3));
        assertThat(image.pixel(5, 10)).isEqualTo(paletteColor(bmp, 0));
        assertThat(image.pixel(0, 0)).isEqualTo(paletteColor(bmp, 0));
        assertRefused(Arrays.copyOf(ends, data + 4), "cut.bmp").withMessageContaining("truncated");
    }

    private static int paletteColor(byte[] bmp, int index) {
        return ByteBuffer.wrap(bmp).order(LITTLE_ENDIAN).getInt(54 + 4 * index) & 0xffffff;
    }

    @ParameterizedTest
    @CsvSource({
        "14, 41, a header of 41 bytes",
        "28, 3, 3 bits per pixel",
        "30, 4, an embedded JPEG",
        "30, 5, an embedded PNG",
        "30, 9, compression 9",
        "30, 1, compression 1 of 24 bits",
        "18, 0, 0 x 11 pixels",
        "22, 0, 23 x 0 pixels",
    })
    void decode_ofBmpKindsThatAreNotSupported_saysWhich(int at, int value, String problem) {
        byte[] bmp = bytes("formats/b24_size0.bmp");
        bmp[at] = (byte) value;

        assertRefused(bmp, "odd.bmp").withMessageContaining(problem);
    }

    /** By tags: compression, photometric interpretation. */
    @ParameterizedTest
    @CsvSource({
        "259, 50000, compression 50000",
        "262, 8, photometric interpretation 8",
    })
    void decode_ofTiffKindsThatAreNotSupported_saysWhich(int tag, int value, String problem) {
        byte[] tiff = bytes("formats/t_raw.tif");
        ByteBuffer buffer = ByteBuffer.wrap(tiff).order(LITTLE_ENDIAN);
        buffer.putShort(tiffEntry(buffer, tag) + 8, (short) value);

        assertRefused(tiff, "odd.tif").withMessageContaining(problem);
    }

    @ParameterizedTest
    @CsvSource({"8, 8, 0", "0, 8, 8", "0, 0, 0", "8, 8, 16", "16, 8, 8", "8, 4, 8"})
    void decode_ofTiffWithSamplesOfDifferentBits_isRefused(short red, short green, short blue) {
        byte[] tiff = bytes("formats/t_raw.tif");
        ByteBuffer buffer = ByteBuffer.wrap(tiff).order(LITTLE_ENDIAN);
        int bits = buffer.getInt(tiffEntry(buffer, 258) + 8);
        buffer.putShort(bits, red).putShort(bits + 2, green).putShort(bits + 4, blue);

        assertRefused(tiff, "odd.tif")
                .withMessageContaining("TIFF with 3 samples of %d, %d, %d bits per pixel".formatted(red, green, blue));
    }

    /** The offset of a tag's entry in a TIFF's first directory. */
    private static int tiffEntry(ByteBuffer tiff, int tag) {
        int directory = tiff.getInt(4);
        for (int i = 0; i < tiff.getShort(directory); i++) {
            int entry = directory + 2 + 12 * i;
            if (tiff.getShort(entry) == tag) {
                return entry;
            }
        }
        throw new AssertionError("no tag " + tag);
    }

    /** The directory begins at the last byte, or ends within its first entry. */
    @Test
    void decode_ofJpegWithCutExif_isUpright() throws IOException {
        byte[] upright = bytes("image/orientation_1.jpg");
        byte[] exif = {
            'E', 'x', 'i', 'f', 0, 0, 'I', 'I', '*', 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0
        };
        for (int length = 6; length < exif.length; length++) {
            assertThat(decoder.decode(withExif(upright, Arrays.copyOf(exif, length)), "cut.jpg"))
                    .isEqualTo(image("image/orientation_1.jpg"));
        }
        assertThat(decoder.decode(withExif(upright, exif), "whole.jpg").width())
                .isEqualTo(image("image/orientation_1.jpg").height());
        for (int start = 8; start < 40; start++) {
            exif[10] = (byte) start;
            if (start != 8) {
                assertThat(decoder.decode(withExif(upright, exif), "moved.jpg"))
                        .isEqualTo(image("image/orientation_1.jpg"));
            }
        }
    }

    private static byte[] withExif(byte[] jpeg, byte[] exif) {
        return ByteBuffer.allocate(jpeg.length + exif.length + 4)
                .put(jpeg, 0, 2)
                .putShort((short) 0xffe1)
                .putShort((short) (exif.length + 2))
                .put(exif)
                .put(jpeg, 2, jpeg.length - 2)
                .array();
    }

    @ParameterizedTest
    @CsvSource({
        "o_exif6.png",
        "o_ztext.png",
        "w_exif6.webp",
        "w_animated.webp",
        "t_strips.tif",
        "t_turned6.tif",
        "g_local.gif"
    })
    void decode_ofDamagedMetadata_throwsNothingElse(String name) {
        byte[] whole = bytes("formats/" + name);
        Random random = new Random(name.hashCode());
        int decoded = 0;
        for (int i = 0; i < 500; i++) {
            byte[] damaged = whole.clone();
            for (int k = 0; k < 2; k++) {
                damaged[8 + random.nextInt(Math.min(damaged.length, 250) - 8)] = (byte) random.nextInt();
            }
            try {
                decoder.withMaxPixels(1_000_000).decode(damaged, name);
                decoded++;
            } catch (ImageException e) {
                assertThat(e).hasMessageStartingWith(name + ": ");
            }
        }
        assertThat(decoded).isBetween(1, 499);
    }

    @ParameterizedTest
    @ValueSource(strings = {"w_lossy.webp", "w_lossless_alpha.webp", "w_animated_offset.webp", "t_raw.tif"})
    void decode_ofWebpAndTiffCutAnywhere_isRefusedButForTheEnd(String name) throws IOException {
        byte[] whole = bytes("formats/" + name);
        RgbImage expected = image("formats/" + name);
        int refused = 0;
        for (int length = 12; length < whole.length; length++) {
            try {
                assertThat(decoder.decode(Arrays.copyOf(whole, length), "cut")).isEqualTo(expected);
            } catch (ImageException e) {
                assertThat(e).hasMessageStartingWith("cut: ");
                refused++;
            }
        }
        assertThat(refused).isGreaterThan((whole.length - 12) * 9 / 10);
    }

    /** All by what is allocated for the samples, in a process that has not so much memory. */
    @Test
    void decode_ofLargeImagesWithLittleMemory_saysSoWhateverTheFormat() throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx60m",
                "-cp",
                System.getProperty("java.class.path"),
                DecodeMain.class.getName()));
        BufferedImage image = new BufferedImage(9000, 4000, BufferedImage.TYPE_3BYTE_BGR);
        for (String format : List.of("png", "jpg", "bmp", "tif")) {
            Path file = folder.resolve("large." + format);
            assertThat(ImageIO.write(image, format.equals("tif") ? "tiff" : format, file.toFile()))
                    .isTrue();
            command.add(file.toString());
        }
        Path gif = folder.resolve("large.gif");
        BufferedImage indexed = new BufferedImage(9000, 4000, BufferedImage.TYPE_BYTE_INDEXED);
        assertThat(ImageIO.write(indexed, "gif", gif.toFile())).isTrue();
        command.add(gif.toString());
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        List<String> lines = new String(process.getInputStream().readAllBytes(), UTF_8)
                .lines()
                .toList();

        assertThat(process.waitFor()).isZero();
        assertThat(lines)
                .hasSize(5)
                .allMatch(line -> line.contains(": not enough memory to decode; raise the JVM's heap (-Xmx)"));
    }

    /** Without the library: in a process whose class path lacks it. */
    @Test
    void decode_ofWebpWithoutTheLibrary_namesIt() throws Exception {
        String classPath = Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(each -> !each.contains("webp-imageio"))
                .collect(Collectors.joining(File.pathSeparator));
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        classPath,
                        DecodeMain.class.getName(),
                        path("formats/w_lossy.webp").toString())
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), UTF_8);

        assertThat(process.waitFor()).isZero();
        assertThat(said)
                .contains(
                        "w_lossy.webp: this is a WebP, which needs a library: add com.github.usefulness:webp-imageio");
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
        Path file = Files.write(folder.resolve("photo.png"), bytes("image/gray.jpg"));

        assertThat(decoder.decode(file)).isEqualTo(image("image/gray.jpg"));
    }

    @Test
    void decode_ofFileInAnArchive_reads() throws IOException {
        URI uri = URI.create("jar:" + folder.resolve("images.zip").toUri());
        try (FileSystem archive = FileSystems.newFileSystem(uri, Map.of("create", "true"))) {
            Path file = Files.write(archive.getPath("/a.jpg"), bytes("image/gray.jpg"));

            assertThat(decoder.decode(file)).isEqualTo(image("image/gray.jpg"));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ycc_420_baseline.jpg",
                "ycc_420_progressive.jpg",
                "gray.jpg",
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
            strings = {"rgb.png", "rgb_interlaced.png", "palette.png", "gray_1bit.png", "rgb_16bit.png", "rgba.png"})
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
    @CsvSource({"palette.gif, 1", "rgb.bmp, 1", "gray.bmp, 3", "palette.bmp, 3"})
    void decode_ofOtherFormatsCutAnywhere_isWholeOrRefused(String name, int readable) throws IOException {
        byte[] whole = bytes("image/" + name);
        RgbImage expected = image("image/" + name);
        int refused = 0;
        for (int length = 6; length < whole.length; length++) {
            refused += assertDecodesOrIsRefused(Arrays.copyOf(whole, length), expected) ? 0 : 1;
        }
        // Whole without its end: the mark at the end of a GIF, the bytes that fill up the last row of a BMP.
        assertThat(whole.length - 6 - refused).isEqualTo(readable);
    }

    @ParameterizedTest
    @MethodSource("encoded")
    void decode_ofDamagedBytes_throwsNothingElse(String name) {
        byte[] whole = bytes("image/" + name);
        Random random = new Random(name.hashCode());
        int decoded = 0;
        for (int i = 0; i < 100; i++) {
            byte[] damaged = whole.clone();
            for (int k = 0; k < 1 + i % 3; k++) {
                damaged[2 + random.nextInt(damaged.length - 2)] = (byte) random.nextInt();
            }
            try {
                decoder.withMaxPixels(1_000_000).decode(damaged, name);
                decoded++;
            } catch (ImageException e) {
                assertThat(e).hasMessageStartingWith(name + ": ");
            }
        }
        // A PNG has check sums, so that nearly all damage shows.
        assertThat(decoded).isGreaterThanOrEqualTo(name.endsWith(".png") ? 0 : 5);
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
                .withMessage(folder + ": this is a directory; pass an image file");
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
        "no image,unknown image format",
        "x,unknown image format",
        "RIFF1234WEBPVP8 ,truncated",
        "....ftypheic,HEIC is not supported; convert it",
        "....ftypavif,AVIF is not supported; convert it",
        "....ftypmif1,'an MP4-like file, such as HEIC, AVIF or a video,'",
        "II+\0....,BigTIFF is not supported",
        "'\u00ff\n....',JPEG XL",
        "'\0\0\0\fJXL ',JPEG XL",
        "'\0\0\0\fjP  ',JPEG 2000",
        "8BPS..,Photoshop",
        "'P6\n3 3 255\n',Netpbm",
        "%PDF-1.7,PDF is not supported",
        "<svg xmlns=,SVG is not supported",
        "<!DOCTYPE html>,a web page",
        "II*\0....,truncated",
        "BM,truncated",
        "GIF89a,truncated",
        "\u00ff\u00d8,truncated",
        "\u00ff\u00d8\u00ff\u00d9,no image data",
    })
    void decode_ofWhatIsNoImage_saysWhatItIs(String content, String problem) {
        assertRefused(content.getBytes(ISO_8859_1), "upload").withMessageContaining(problem);
    }

    /** Codes of three bits: 4 clears the table, 5 ends the data. The JDK's reader leaves missing pixels black. */
    @ParameterizedTest
    @CsvSource({
        "'4 1 1 4 1 1 5', true",
        "'4 1 6 1 5', true",
        "'1 6 1 5', true",
        "'4 1 6 5', false",
        "'4 1 4 1 4 1 5', false",
        "'4 1 5', false",
        "'5', false",
        "'4 1 7 1 1', false",
        "'4 6 1 1 1', false",
    })
    void decode_ofGifWithMissingPixels_isRefused(String codes, boolean complete) throws IOException {
        int bits = 0;
        int length = 0;
        for (String code : codes.split(" ", -1)) {
            bits |= Integer.parseInt(code) << length;
            length += 3;
        }
        ByteArrayOutputStream gif = new ByteArrayOutputStream();
        gif.writeBytes("GIF89a\2\0\2\0\200\0\0\0\0\0\377\377\377,\0\0\0\0\2\0\2\0\0\2".getBytes(ISO_8859_1));
        gif.write((length + 7) / 8);
        for (int i = 0; i < length; i += 8) {
            gif.write(bits >>> i);
        }
        gif.writeBytes("\0;".getBytes(ISO_8859_1));
        if (complete) {
            RgbImage image = decoder.decode(gif.toByteArray(), "upload");
            assertThat(image.toBytes()).containsOnly(-1);
        } else {
            assertRefused(gif.toByteArray(), "upload").withMessageContaining("truncated");
        }
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

    /** The limit is that of the whole picture: a screen, a canvas. */
    @ParameterizedTest
    @ValueSource(strings = {"w_lossy.webp", "w_animated_offset.webp", "t_raw.tif", "g_offset.gif", "r8.bmp"})
    void decode_ofOtherFormatsAtTheLimitOfPixels_isAllowed(String name) throws IOException {
        RgbImage image = image("formats/" + name);
        int pixels = image.width() * image.height();

        assertThat(decoder.withMaxPixels(pixels).decode(path("formats/" + name)))
                .isEqualTo(image);
        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(() -> decoder.withMaxPixels(pixels - 1).decode(path("formats/" + name)))
                .withMessageContaining("%d x %d pixels are more than", image.width(), image.height());
    }

    /** A palette of three bytes per color, which the offset of the pixels leaves out. */
    @Test
    void decode_ofOldBmpWhoseOffsetLeavesThePaletteOut_findsThePixels() throws IOException {
        byte[] bmp = bytes("formats/b8_core.bmp");
        ByteBuffer.wrap(bmp).order(LITTLE_ENDIAN).putInt(10, 26);

        assertThat(decoder.decode(bmp, "core.bmp")).isEqualTo(image("formats/b8_core.bmp"));
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
        assertRefused(bmp, "bomb.bmp").withMessageContaining("pixels are more than");
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
        byte[] bytes = bytes("image/gray.jpg");

        assertThat(decoder.withMaxStreamBytes(bytes.length).decode(new ByteArrayInputStream(bytes), "gray"))
                .isEqualTo(image("image/gray.jpg"));
        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(() ->
                        decoder.withMaxStreamBytes(bytes.length - 1).decode(new ByteArrayInputStream(bytes), "gray"))
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

    @Test
    void withLimit_ofEachName_isThatLimit() throws IOException {
        byte[] bytes = bytes("image/rgb.png");
        int pixels = image("image/rgb.png").width() * image("image/rgb.png").height();
        assertThat(decoder.withLimit("imagePixels=" + pixels).decode(bytes, "a").height())
                .isPositive();
        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(
                        () -> decoder.withLimit("imagePixels=" + (pixels - 1)).decode(bytes, "a"))
                .withMessageContaining("raise the limit imagePixels");
        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(() -> decoder.withLimit("imageBytes=" + (bytes.length - 1))
                        .decode(new ByteArrayInputStream(bytes), "a"))
                .withMessageContaining("raise the limit imageBytes");
        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(() -> decoder.withLimit("imageDecodedPixels=1").decode(bytes("image/gray.jpg"), "a"))
                .withMessageContaining("raise the limit imageDecodedPixels");
        assertThat(decoder.withLimit("imageSeconds=2K").maxFetchTime()).isEqualTo(Duration.ofSeconds(2048));
        assertThat(decoder.maxFetchTime()).isEqualTo(Duration.ofMinutes(1));
        assertThat(ImageDecoder.isLimit("imagePixels=1")).isTrue();
        assertThat(ImageDecoder.isLimit("pickleBytes=1")).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"imagePixels", "imagePixels=", "imagePixels=x", "imagePixels=0", "imageSeconds=0", "images=1"})
    void withLimit_ofNonsense_isRefused(String limit) {
        assertThatIllegalArgumentException().isThrownBy(() -> decoder.withLimit(limit));
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

    /** Whether it decodes. */
    private boolean assertDecodesOrIsRefused(byte[] bytes, RgbImage expected) {
        try {
            assertThat(decoder.decode(bytes, "cut")).isEqualTo(expected);
            return true;
        } catch (ImageException e) {
            assertThat(e).hasMessageStartingWith("cut: ");
            return false;
        }
    }
}
