package io.github.convzoo.image;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;

/** The supported formats, detected by the first bytes of a file. */
enum ImageFormat {
    JPEG,
    PNG,
    GIF,
    BMP,
    TIFF,
    WEBP;

    private static final int START_BYTES = 64;

    static ImageFormat detect(String name, ByteSource source) throws IOException {
        byte[] bytes = source.upTo(0, START_BYTES);
        if (bytes.length == 0) {
            throw new ImageException(name, "the file is empty; fetch or copy it again");
        }
        // One character per byte.
        String start = new String(bytes, StandardCharsets.ISO_8859_1);
        if (start.startsWith("\u00ff\u00d8")) {
            return JPEG;
        }
        if (start.startsWith("\u0089PNG\r\n\u001a\n")) {
            return PNG;
        }
        if (start.startsWith("GIF87a") || start.startsWith("GIF89a")) {
            return GIF;
        }
        if (start.startsWith("BM")) {
            return BMP;
        }
        if (start.startsWith("II*\0") || start.startsWith("MM\0*")) {
            return TIFF;
        }
        if (start.startsWith("RIFF") && start.startsWith("WEBP", 8)) {
            return WEBP;
        }
        throw new ImageException(
                name,
                otherFormat(start)
                        .map(known -> known + " is not supported; convert it to JPEG or PNG")
                        .orElse(problem(start)));
    }

    private static Optional<String> otherFormat(String start) {
        if (start.startsWith("ftyp", 4)) {
            String brand = start.substring(8, Math.min(12, start.length())).toLowerCase(Locale.ROOT);
            return Optional.of(
                    brand.startsWith("avi")
                            ? "AVIF"
                            : brand.startsWith("he") ? "HEIC" : "an MP4-like file, such as HEIC, AVIF or a video,");
        }
        if (start.startsWith("II+\0") || start.startsWith("MM\0+")) {
            return Optional.of("BigTIFF");
        }
        if (start.startsWith("\u00ff\n") || start.startsWith("\0\0\0\fJXL ")) {
            return Optional.of("JPEG XL");
        }
        if (start.startsWith("\0\0\0\fjP  ") || start.startsWith("\u00ffO\u00ffQ")) {
            return Optional.of("JPEG 2000");
        }
        if (start.startsWith("8BPS")) {
            return Optional.of("Photoshop's PSD");
        }
        if (start.matches("(?s)P[1-7]\\s.*")) {
            return Optional.of("Netpbm (PBM, PGM, PPM)");
        }
        if (start.startsWith("%PDF")) {
            return Optional.of("PDF");
        }
        if (start.matches("(?s)\\s*(<\\?xml\\b.*)?<svg\\b.*")) {
            return Optional.of("SVG");
        }
        return Optional.empty();
    }

    private static String problem(String start) {
        String text = start.strip().toLowerCase(Locale.ROOT);
        return text.startsWith("<!doctype html") || text.startsWith("<html")
                ? "a web page, not an image; the download probably failed, so download it again"
                : "unknown image format; ConvZoo reads " + ImageDecoder.FORMATS;
    }
}
