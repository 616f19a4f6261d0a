package io.github.convzoo.image;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.stream.Collectors;
import java.util.zip.InflaterInputStream;

/**
 * The orientation of a PNG: from its {@code eXIf} chunk, from the text chunk in which ImageMagick stores EXIF data, or
 * from XMP in an {@code iTXt} chunk. Each may be before or after the pixels.
 *
 * <p>Source: W3C, Portable Network Graphics, third edition, 11.3.
 */
final class PngMetadata {

    private static final int SIGNATURE_BYTES = 8;
    private static final int CHUNK_HEAD_BYTES = 8;
    private static final int CHECKSUM_BYTES = 4;

    /** Further chunks are ignored: each costs a read of the file. */
    private static final int MAX_CHUNKS = 1 << 20;

    /** Further texts are ignored: 1 KiB of compressed text can expand to 1 MiB. */
    private static final int MAX_TEXTS = 16;

    private static final String RAW_PROFILE = "Raw profile type exif";
    private static final String XMP = "XML:com.adobe.xmp";

    private PngMetadata() {}

    static Orientation orientation(ByteSource source) throws IOException {
        OrientationTags tags = new OrientationTags();
        int chunks = 0;
        int texts = 0;
        byte[] rawProfile = new byte[0];
        long at = SIGNATURE_BYTES;
        byte[] head = source.upTo(at, CHUNK_HEAD_BYTES);
        while (head.length == CHUNK_HEAD_BYTES && chunks++ < MAX_CHUNKS) {
            long length = Integer.toUnsignedLong(ByteBuffer.wrap(head).getInt());
            String type = new String(head, 4, 4, StandardCharsets.ISO_8859_1);
            if (length <= OrientationTags.MAX_BYTES) {
                long start = at + CHUNK_HEAD_BYTES;
                switch (type) {
                    case "eXIf" -> tags.exif(source.upTo(start, (int) length));
                    case "tEXt", "zTXt" -> {
                        byte[] chunk = source.upTo(start, (int) length);
                        if (startsWith(chunk, RAW_PROFILE) && ++texts <= MAX_TEXTS) {
                            byte[] text = text(chunk, RAW_PROFILE, type.equals("zTXt") ? 1 : 0);
                            rawProfile = text.length > 0 ? fromHex(text) : rawProfile;
                        }
                    }
                    case "iTXt" -> {
                        byte[] chunk = source.upTo(start, (int) length);
                        byte[] text =
                                startsWith(chunk, XMP) && ++texts <= MAX_TEXTS ? internationalText(chunk) : new byte[0];
                        if (text.length > 0) {
                            tags.xmp(text);
                        }
                    }
                    default -> {}
                }
            }
            at += CHUNK_HEAD_BYTES + length + CHECKSUM_BYTES;
            head = source.upTo(at, CHUNK_HEAD_BYTES);
        }
        if (rawProfile.length > 0) {
            // Counts only if there is no eXIf chunk.
            tags.exif(rawProfile);
        }
        return tags.find();
    }

    /** The text after a keyword; empty if the keyword differs. */
    private static byte[] text(byte[] chunk, String keyword, int methodBytes) {
        int start = keyword.length() + 1 + methodBytes;
        if (!startsWith(chunk, keyword) || chunk.length <= start) {
            return new byte[0];
        }
        return methodBytes == 0 ? rest(chunk, start) : inflate(rest(chunk, start));
    }

    /** XMP text, which follows the keyword, a flag, a method, a language, and a translation of the keyword. */
    private static byte[] internationalText(byte[] chunk) {
        int start = XMP.length() + 1;
        if (!startsWith(chunk, XMP) || chunk.length < start + 4) {
            return new byte[0];
        }
        boolean compressed = chunk[start] == 1;
        int at = start + 2;
        for (int zeros = 0; zeros < 2 && at < chunk.length; at++) {
            zeros += chunk[at] == 0 ? 1 : 0;
        }
        return compressed ? inflate(rest(chunk, at)) : rest(chunk, at);
    }

    private static boolean startsWith(byte[] chunk, String keyword) {
        return chunk.length > keyword.length()
                && new String(chunk, 0, keyword.length() + 1, StandardCharsets.ISO_8859_1).equals(keyword + "\0");
    }

    private static byte[] rest(byte[] bytes, int start) {
        return Arrays.copyOfRange(bytes, start, bytes.length);
    }

    /** Inflates bytes; empty if they are damaged. */
    private static byte[] inflate(byte[] bytes) {
        try (InflaterInputStream in = new InflaterInputStream(new ByteArrayInputStream(bytes))) {
            return in.readNBytes(OrientationTags.MAX_BYTES);
        } catch (IOException e) {
            return new byte[0];
        }
    }

    /** Decodes lines of hexadecimal digits, which follow an empty line, a name, and a length. */
    private static byte[] fromHex(byte[] text) {
        String digits = new String(text, StandardCharsets.ISO_8859_1)
                .lines()
                .skip(3)
                .map(String::strip)
                .collect(Collectors.joining());
        try {
            return HexFormat.of().parseHex(digits);
        } catch (IllegalArgumentException e) {
            return new byte[0];
        }
    }
}
