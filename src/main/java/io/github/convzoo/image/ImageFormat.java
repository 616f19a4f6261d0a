package io.github.convzoo.image;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** The formats that are decoded, told by how a file begins. */
enum ImageFormat {
    JPEG,
    PNG,
    GIF,
    BMP;

    private static final int START_BYTES = 12;

    static ImageFormat detect(String name, ByteSource source) throws IOException {
        byte[] bytes = new byte[START_BYTES];
        int n = 0;
        int read = source.read(0, bytes, 0, START_BYTES);
        while (read > 0) {
            n += read;
            read = n < START_BYTES ? source.read(n, bytes, n, START_BYTES - n) : 0;
        }
        if (n == 0) {
            throw new ImageException(name, "the file is empty; fetch or copy it again");
        }
        // One character a byte.
        String start = new String(bytes, 0, n, StandardCharsets.ISO_8859_1);
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
        throw new ImageException(name, problem(start));
    }

    private static String problem(String start) {
        @Nullable String known = null;
        if (start.startsWith("RIFF") && start.startsWith("WEBP", 8)) {
            known = "WebP";
        } else if (start.startsWith("II*\0") || start.startsWith("MM\0*")) {
            known = "TIFF";
        } else if (start.startsWith("ftyp", 4)) {
            known = "HEIC, AVIF or another of that family";
        }
        return known == null
                ? "not an image that can be read; JPEG, PNG, GIF and BMP are"
                : known + " is not supported; convert it to JPEG or PNG";
    }
}
