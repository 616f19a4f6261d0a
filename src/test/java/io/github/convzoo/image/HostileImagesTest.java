package io.github.convzoo.image;

import static io.github.convzoo.image.Fixtures.bytes;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.sun.management.ThreadMXBean;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.ImageOutputStream;
import org.assertj.core.api.ThrowableAssertAlternative;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Small images that ask for much time or memory, and files that have no end. */
@Timeout(60)
class HostileImagesTest {

    private static final long SECOND = 1_000_000_000L;
    private static final long MIB = 1 << 20;

    private final ImageDecoder decoder = new ImageDecoder();
    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private final Path folder;

    HostileImagesTest(@TempDir Path folder) {
        this.folder = folder;
    }

    @Test
    void decode_ofBmpThatHoldsAPicture_isRefusedWithoutMemory() {
        assertRefusedCheaply(bytes("cases/hostile/emb_size.bmp")).withMessageContaining("an embedded PNG");
        byte[] jpeg = bytes("cases/hostile/emb_size.bmp");
        jpeg[30] = 4;
        assertRefusedCheaply(jpeg).withMessageContaining("an embedded JPEG");
    }

    @Test
    void decode_ofManyScansOfManyPixels_isRefusedWithoutWork() throws IOException {
        byte[] jpeg = withScans(progressive(8000, 8000), 1000);
        assertThat(jpeg.length).isLessThan(1 << 20);
        assertRefusedCheaply(jpeg).withMessageContaining("scans of 8000 x 8000 pixels exceed the limit of");
    }

    /** Each row takes the JDK a while, so that sixty million of them, in 117 KB, take many seconds. */
    @Test
    void decode_ofManyShortRows_countsEachAs32Pixels() throws IOException {
        ByteArrayOutputStream png = new ByteArrayOutputStream();
        ImageIO.write(new BufferedImage(3, 100, BufferedImage.TYPE_BYTE_BINARY), "png", png);

        assertThat(decoder.withMaxDecodedPixels(3200)
                        .decode(png.toByteArray(), "tall")
                        .height())
                .isEqualTo(100);
        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(() -> decoder.withMaxDecodedPixels(3199).decode(png.toByteArray(), "tall"))
                .withMessageContaining("3 x 100 pixels take as long to decode as 3,200 pixels in long rows");
    }

    @ParameterizedTest
    @CsvSource({"0, true", "-1, false"})
    void decode_atTheLimitOfDecodedPixels_isAllowed(int over, boolean allowed) throws IOException {
        byte[] jpeg = withScans(progressive(30, 20), 25);
        ImageDecoder limited = decoder.withMaxDecodedPixels(25 * 600 + over);
        if (allowed) {
            assertThat(limited.decode(jpeg, "scans").width()).isEqualTo(30);
        } else {
            assertThatExceptionOfType(ImageException.class)
                    .isThrownBy(() -> limited.decode(jpeg, "scans"))
                    .withMessageContaining("25 or more scans of 30 x 20 pixels");
        }
    }

    /** One pixel more than Pillow warns of, in the head of each format. */
    @ParameterizedTest
    @ValueSource(
            strings = {"image/rgb.png", "image/rgb.bmp", "image/palette.gif", "image/gray.jpg", "formats/w_lossy.webp"})
    void decode_ofAHeadThatAnnouncesTooManyPixels_isRefusedWithoutMemory(String name) {
        byte[] image = bytes(name);
        ByteBuffer head = ByteBuffer.wrap(image);
        switch (name.substring(name.lastIndexOf('.') + 1)) {
            case "png" -> {
                head.putInt(16, 13_378).putInt(20, 13_377);
                CRC32 crc = new CRC32();
                crc.update(image, 12, 17);
                head.putInt(29, (int) crc.getValue());
            }
            case "bmp" -> head.order(ByteOrder.LITTLE_ENDIAN).putInt(18, 13_378).putInt(22, 13_378);
            case "gif" ->
                head.order(ByteOrder.LITTLE_ENDIAN).putShort(6, (short) 13_378).putShort(8, (short) 13_378);
            case "jpg" -> {
                int frame = 2;
                while (image[frame + 1] != (byte) 0xc0 && image[frame + 1] != (byte) 0xc2) {
                    frame += 2 + head.getShort(frame + 2);
                }
                head.putShort(frame + 5, (short) 13_378).putShort(frame + 7, (short) 13_378);
            }
            default ->
                // The bits of a lossy frame's head.
                head.order(ByteOrder.LITTLE_ENDIAN).putShort(26, (short) 13_378).putShort(28, (short) 13_378);
        }
        assertRefusedCheaply(image).withMessageContaining("pixels are more than the allowed 178,956,970");
    }

    @Test
    void decode_ofAStreamWithoutEnd_takesNoMoreThanTheLimit() {
        long memory = threads.getCurrentThreadAllocatedBytes();
        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(() -> decoder.withMaxStreamBytes(10 << 20).decode(new Endless(), "endless"))
                .withMessageContaining("more than the allowed 10,485,760 bytes");
        assertThat(threads.getCurrentThreadAllocatedBytes() - memory).isLessThan(40 * MIB);
    }

    private static final class Endless extends InputStream {
        @Override
        public int read() {
            return 0;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) {
            return length;
        }
    }

    /** What looks like a scan inside of a comment is none, nor is what comes behind the end. */
    @Test
    void decode_ofScansThatAreNone_doesNotCountThem() throws IOException {
        byte[] jpeg = progressive(30, 20);
        int scans = starts(jpeg).size();
        int last = starts(jpeg).get(scans - 1);
        ByteArrayOutputStream odd = new ByteArrayOutputStream();
        odd.write(jpeg, 0, last);
        odd.writeBytes(new byte[] {(byte) 0xff, (byte) 0xfe, 0, 8, (byte) 0xff, (byte) 0xda, 0, 8, 1, 1});
        odd.write(jpeg, last, jpeg.length - last);
        odd.writeBytes(new byte[] {0, 2});
        odd.write(jpeg, last, jpeg.length - last);
        assertThat(decoder.withMaxDecodedPixels(scans * 600L).decode(odd.toByteArray(), "odd"))
                .isEqualTo(decoder.decode(jpeg, "plain"));
    }

    @Test
    void decode_ofOrdinaryPhotos_isWithinTheLimit() throws IOException {
        byte[] jpeg = progressive(1000, 1000);
        assertThat(starts(jpeg).size()).isBetween(2, 10);
        assertThat(decoder.withMaxDecodedPixels(10_000_000)
                        .decode(jpeg, "photo")
                        .height())
                .isEqualTo(1000);
    }

    /** Each tile is decoded whole: here 625 of 176 million pixels for an image of 10,000. */
    @Test
    void decode_ofTiffWithTilesFarLargerThanIt_isRefusedWithoutWork() {
        byte[] tiff = tiff(8, 256, 10_000, 257, 1, 322, 16, 323, 11_000_000, 259, 8, 262, 1, 258, 8, 324, 8, 325, 8);
        assertRefusedCheaply(tiff).withMessageContaining("625 strips or tiles of 16 x 11000000 pixels");
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "0, 16", "16, 0"})
    void decode_ofTiffWithTilesOfNoSize_saysSo(int tileWidth, int tileHeight) {
        byte[] tiff =
                tiff(8, 256, 100, 257, 100, 322, tileWidth, 323, tileHeight, 259, 1, 262, 1, 258, 8, 324, 8, 325, 8);
        assertRefusedCheaply(tiff).withMessageContaining("damaged: it has a size of ");
    }

    @Test
    void decode_ofTiffWhoseSizeOverflows_isRefusedWithoutWork() {
        byte[] tiff = tiff(8, 256, -1, 257, -1, 259, 1, 262, 1, 258, 8, 273, 8, 279, 8);
        assertRefusedCheaply(tiff).withMessageContaining("4294967295 x 4294967295 pixels are more than the allowed");
    }

    @Test
    void decode_ofTiffWithThousandsOfSamples_isRefusedWithoutMemory() {
        byte[] tiff = tiff(8, 256, 10_000, 257, 10_000, 259, 8, 262, 2, 258, 8, 277, 2000, 273, 8, 279, 8);
        assertRefusedCheaply(tiff).withMessageContaining("2000 samples");
    }

    /** A thousand strips that all are the whole file. */
    @Test
    void decode_ofTiffWhoseStripsOverlap_isRefusedWithoutWork() {
        int strips = 1000;
        int list = 8 + 2 + 8 * 12 + 4;
        ByteBuffer file = ByteBuffer.allocate(100_000).order(ByteOrder.LITTLE_ENDIAN);
        file.put(tiff(8, 256, 1, 257, strips, 259, 5, 262, 1, 258, 8, 278, 1, 273, list, 279, list + 4 * strips));
        for (int entry : new int[] {6, 7}) {
            file.putInt(10 + 12 * entry + 4, strips);
        }
        for (int i = 0; i < strips; i++) {
            file.putInt(list + 4 * i, 8).putInt(list + 4 * (strips + i), file.capacity());
        }
        assertRefusedCheaply(file.array()).withMessageContaining("overlap");
    }

    @ParameterizedTest
    @CsvSource({"0, true", "-1, false"})
    void decode_ofTiffAroundAJpegOfManyScans_countsThem(int over, boolean allowed) throws IOException {
        byte[] jpeg = withScans(progressive(30, 20), 25);
        int start = 8 + 2 + 9 * 12 + 4;
        ByteBuffer file = ByteBuffer.allocate(start + jpeg.length).order(ByteOrder.LITTLE_ENDIAN);
        file.put(tiff(8, 256, 30, 257, 20, 258, 8, 259, 7, 262, 1, 273, start, 277, 1, 278, 20, 279, jpeg.length));
        file.position(start).put(jpeg);
        ImageDecoder limited = decoder.withMaxDecodedPixels(25 * 600 + over);
        if (allowed) {
            assertThat(limited.decode(file.array(), "tiff").width()).isEqualTo(30);
        } else {
            assertThatExceptionOfType(ImageException.class)
                    .isThrownBy(() -> limited.decode(file.array(), "tiff"))
                    .withMessageContaining("the scans of the JPEGs in this TIFF exceed the limit of");
        }
    }

    /** Both strips are the same JPEG, which counts twice. */
    @Test
    void decode_ofTiffWithAJpegInEachStrip_addsTheirScans() throws IOException {
        byte[] jpeg = withScans(progressive(30, 10), 25);
        int list = 8 + 2 + 9 * 12 + 4;
        int start = list + 16;
        ByteBuffer file = ByteBuffer.allocate(start + jpeg.length).order(ByteOrder.LITTLE_ENDIAN);
        file.put(tiff(8, 256, 30, 257, 20, 258, 8, 259, 7, 262, 1, 273, list, 277, 1, 278, 10, 279, list + 8));
        file.putInt(10 + 12 * 5 + 4, 2).putInt(10 + 12 * 8 + 4, 2);
        file.position(list);
        file.putInt(start).putInt(start).putInt(jpeg.length).putInt(jpeg.length).put(jpeg);
        assertThat(decoder.withMaxDecodedPixels(2 * 25 * 300)
                        .decode(file.array(), "tiff")
                        .height())
                .isEqualTo(20);
        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(() -> decoder.withMaxDecodedPixels(2 * 25 * 300 - 1).decode(file.array(), "tiff"))
                .withMessageContaining("the scans of the JPEGs");
    }

    /** Ten thousand texts of a kilobyte that inflate to a mebibyte each. */
    @Test
    void decode_ofPngWithManyCompressedTexts_looksIntoAFew() throws IOException {
        byte[] png = bytes("image/rgb.png");
        Deflater deflater = new Deflater();
        deflater.setInput(new byte[1 << 20]);
        deflater.finish();
        byte[] text = new byte[4096];
        int length = deflater.deflate(text);
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        body.writeBytes("zTXtRaw profile type exif\0\0".getBytes(UTF_8));
        body.write(text, 0, length);
        CRC32 crc = new CRC32();
        crc.update(body.toByteArray());
        byte[] chunk = ByteBuffer.allocate(body.size() + 8)
                .putInt(body.size() - 4)
                .put(body.toByteArray())
                .putInt((int) crc.getValue())
                .array();
        ByteArrayOutputStream many = new ByteArrayOutputStream();
        many.write(png, 0, 33);
        for (int i = 0; i < 10_000; i++) {
            many.writeBytes(chunk);
        }
        many.write(png, 33, png.length - 33);
        long before = threads.getCurrentThreadAllocatedBytes();
        assertThat(decoder.decode(many.toByteArray(), "many")).isEqualTo(decoder.decode(png, "plain"));
        assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(200 * MIB);
    }

    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void decode_ofPipe_isRefusedWithoutWaiting() throws Exception {
        Path pipe = folder.resolve("pipe.png");
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor())
                .isZero();
        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(() -> decoder.decode(pipe))
                .withMessageStartingWith(pipe + ": a pipe or device, not a regular file");
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> Labels.read(pipe))
                .withMessage(pipe + ": not a regular file; pass a label file");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/dev/zero", "/dev/null", "link"})
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void decode_ofDevice_isRefused(String name) throws IOException {
        Path file = name.equals("link")
                ? Files.createSymbolicLink(folder.resolve("link.png"), Path.of("/dev/zero"))
                : Path.of(name);
        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(() -> decoder.decode(file))
                .withMessageStartingWith(file + ": a pipe or device, not a regular file");
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> Labels.read(file))
                .withMessageStartingWith(file + ": not a regular file");
    }

    @Test
    void decode_inAnInterruptedThread_saysSo() throws IOException {
        Path image = Files.write(folder.resolve("rgb.png"), bytes("image/rgb.png"));
        Thread.currentThread().interrupt();
        try {
            assertThatExceptionOfType(ImageException.class)
                    .isThrownBy(() -> decoder.decode(image))
                    .withMessage(image + ": not read because the thread was interrupted; try again");
            assertThat(Thread.currentThread().isInterrupted()).isTrue();
        } finally {
            assertThat(Thread.interrupted()).isTrue();
        }
    }

    /**
     * Whatever of it does not fit: in a process with every size of heap, images are decoded or too large for the
     * memory.
     */
    @ParameterizedTest
    @ValueSource(ints = {16, 24, 40})
    void decode_withLittleMemory_isNeverDamaged(int mebibytes) throws Exception {
        List<Path> files = new ArrayList<>();
        for (int type : new int[] {
            BufferedImage.TYPE_3BYTE_BGR,
            BufferedImage.TYPE_BYTE_GRAY,
            BufferedImage.TYPE_USHORT_GRAY,
            BufferedImage.TYPE_4BYTE_ABGR,
            BufferedImage.TYPE_BYTE_INDEXED
        }) {
            Path file = folder.resolve(type + ".png");
            assertThat(ImageIO.write(new BufferedImage(2500, 2000, type), "png", file.toFile()))
                    .isTrue();
            files.add(file);
        }
        files.add(Files.write(folder.resolve("progressive.jpg"), progressive(2500, 2000)));
        Process process = new ProcessBuilder(Stream.concat(
                                Stream.of(
                                        Path.of(System.getProperty("java.home"), "bin", "java")
                                                .toString(),
                                        "-Xmx" + mebibytes + "m",
                                        "-cp",
                                        System.getProperty("java.class.path"),
                                        DecodeMain.class.getName(),
                                        DecodeMain.ENDLESS),
                                files.stream().map(Path::toString))
                        .toList())
                .redirectErrorStream(true)
                .start();
        List<String> lines = new String(process.getInputStream().readAllBytes(), UTF_8)
                .lines()
                .toList();
        assertThat(process.waitFor()).isZero();
        assertThat(lines)
                .hasSize(7)
                .allMatch(line -> line.contains("not enough memory to decode;") || line.contains("2500 x 2000"));
        assertThat(lines.get(0)).contains("not enough memory");
    }

    private ThrowableAssertAlternative<ImageException> assertRefusedCheaply(byte[] image) {
        long time = threads.getCurrentThreadCpuTime();
        long memory = threads.getCurrentThreadAllocatedBytes();
        ThrowableAssertAlternative<ImageException> refused = assertThatExceptionOfType(ImageException.class)
                .isThrownBy(() -> decoder.decode(new ByteArrayInputStream(image), "hostile"))
                .withMessageStartingWith("hostile: ");
        assertThat(threads.getCurrentThreadCpuTime() - time).isLessThan(SECOND);
        assertThat(threads.getCurrentThreadAllocatedBytes() - memory).isLessThan(32 * MIB);
        return refused;
    }

    /** A gray progressive JPEG of one color. */
    private static byte[] progressive(int width, int height) throws IOException {
        ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ImageOutputStream out = ImageIO.createImageOutputStream(bytes)) {
            ImageWriteParam param = writer.getDefaultWriteParam();
            param.setProgressiveMode(ImageWriteParam.MODE_DEFAULT);
            writer.setOutput(out);
            writer.write(
                    null,
                    new IIOImage(new BufferedImage(width, height, BufferedImage.TYPE_BYTE_GRAY), null, null),
                    param);
        } finally {
            writer.dispose();
        }
        return bytes.toByteArray();
    }

    /** The last scan as often as needed. */
    private static byte[] withScans(byte[] jpeg, int scans) {
        List<Integer> starts = starts(jpeg);
        int last = starts.get(starts.size() - 1);
        byte[] scan = Arrays.copyOfRange(jpeg, last, jpeg.length - 2);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.write(jpeg, 0, jpeg.length - 2);
        for (int i = starts.size(); i < scans; i++) {
            bytes.writeBytes(scan);
        }
        bytes.write(jpeg, jpeg.length - 2, 2);
        return bytes.toByteArray();
    }

    private static List<Integer> starts(byte[] jpeg) {
        List<Integer> starts = new ArrayList<>();
        for (int i = 0; i + 1 < jpeg.length; i++) {
            if (jpeg[i] == (byte) 0xff && jpeg[i + 1] == (byte) 0xda) {
                starts.add(i);
            }
        }
        return starts;
    }

    /** A little-endian file of one directory, given as tags and their values, with eight zeros behind it. */
    private static byte[] tiff(int directory, int... entries) {
        int count = entries.length / 2;
        ByteBuffer file = ByteBuffer.allocate(directory + 2 + 12 * count + 4).order(ByteOrder.LITTLE_ENDIAN);
        file.put("II*\0".getBytes(UTF_8)).putInt(directory);
        file.position(directory).putShort((short) count);
        for (int i = 0; i < count; i++) {
            file.putShort((short) entries[2 * i]).putShort((short) 4).putInt(1).putInt(entries[2 * i + 1]);
        }
        return file.array();
    }
}
