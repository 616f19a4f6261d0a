package io.github.convzoo.image;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What the metadata of an image say about its orientation, in whatever chunks its format has for them.
 *
 * <p>EXIF decides; where it has no such tag, XMP does, as in Pillow's {@code ImageOps.exif_transpose}. Damaged metadata count as
 * upright.
 */
final class OrientationTags {

    /** Metadata larger than this are not looked into. */
    static final int MAX_BYTES = 1 << 20;

    private static final String EXIF_START = "Exif\0\0";
    private static final Pattern XMP = Pattern.compile("tiff:Orientation(?:=\"|>)([0-9])");

    private byte @Nullable [] exif;
    private byte @Nullable [] xmp;

    /** Takes a TIFF structure, with "Exif" and two zeros before it or without. The first one counts. */
    void exif(byte[] bytes) {
        if (exif == null) {
            exif = bytes;
        }
    }

    /** Takes a packet of XMP. */
    void xmp(byte[] bytes) {
        xmp = bytes;
    }

    Orientation find() {
        if (exif != null) {
            Orientation found = ofExif(exif);
            if (found != null) {
                return found;
            }
        }
        if (xmp != null) {
            Matcher matcher = XMP.matcher(new String(xmp, StandardCharsets.ISO_8859_1));
            if (matcher.find()) {
                return Orientation.of(matcher.group(1).charAt(0) - '0');
            }
        }
        return Orientation.UPRIGHT;
    }

    private static @Nullable Orientation ofExif(byte[] bytes) {
        int start = 0;
        // Some programs write it twice.
        while (start < 2 * EXIF_START.length()
                && new String(
                                bytes,
                                start,
                                Math.min(EXIF_START.length(), bytes.length - start),
                                StandardCharsets.US_ASCII)
                        .equals(EXIF_START)) {
            start += EXIF_START.length();
        }
        byte[] tiff = Arrays.copyOfRange(bytes, start, bytes.length);
        try {
            TiffDirectory directory = TiffDirectory.read(ByteSource.of(tiff));
            return directory.has(TiffDirectory.ORIENTATION)
                    ? Orientation.of(directory.value(TiffDirectory.ORIENTATION, 1))
                    : null;
        } catch (IOException e) {
            // Arrays have no errors of input.
            throw new UncheckedIOException(e);
        }
    }
}
