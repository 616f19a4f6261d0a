package io.github.convzoo.image;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The orientation in an image's metadata, whatever chunks its format stores them in.
 *
 * <p>EXIF takes precedence over XMP, as in Pillow's {@code ImageOps.exif_transpose}. Damaged metadata counts as
 * upright.
 */
final class OrientationTags {

    /** Larger metadata is ignored. */
    static final int MAX_BYTES = 1 << 20;

    private static final String EXIF_START = "Exif\0\0";
    private static final Pattern XMP = Pattern.compile("tiff:Orientation(?:=\"|>)([0-9])");

    private byte @Nullable [] exif;
    private byte @Nullable [] xmp;

    /** Adds a TIFF structure, with or without a prefix of "Exif" and two zeros. The first one counts. */
    void exif(byte[] bytes) {
        if (exif == null) {
            exif = bytes;
        }
    }

    /** Adds an XMP packet. */
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
        // Some programs write the prefix twice.
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
            // Arrays cause no I/O errors.
            throw new UncheckedIOException(e);
        }
    }
}
