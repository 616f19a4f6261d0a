package io.github.convzoo.image;

import java.io.IOException;

/**
 * Measures the work of a JPEG's scans. The JDK's reader recomputes the whole image after each scan, and a scan can be
 * as short as a dozen bytes, so a small file could keep it busy for hours. Source: ITU-T T.81, annex B.
 */
final class JpegScans {

    private static final int SOF0 = 0xc0;
    private static final int SOF2 = 0xc2;
    private static final int RST0 = 0xd0;
    private static final int RST7 = 0xd7;
    private static final int EOI = 0xd9;
    private static final int SOS = 0xda;
    private static final int TEM = 0x01;

    private final SourceInputStream in;
    private final long end;

    private JpegScans(ByteSource source, long start, long end) throws IOException {
        in = new SourceInputStream(source);
        in.seek(start);
        this.end = end;
    }

    /**
     * Counts the scans of a file.
     *
     * @param start the offset of its first scan, or of an earlier segment
     * @param most when to stop counting
     * @return the number of scans, or one more than {@code most}
     */
    static long count(ByteSource source, long start, long most) throws IOException {
        JpegScans scans = new JpegScans(source, start, source.length());
        long count = 0;
        for (int marker = scans.next(); marker >= 0 && count <= most; marker = scans.next()) {
            count += marker == SOS ? 1 : 0;
            scans.skip();
        }
        return count;
    }

    /**
     * Counts the pixels of all scans of a file inside another file.
     *
     * @param start the offset of its start
     * @param end the offset of its end
     * @param pixels the pixels of its frame, if the file does not state them
     */
    static long pixels(ByteSource source, long start, long end, long pixels) throws IOException {
        JpegScans scans = new JpegScans(source, start + 2, Math.min(end, source.length()));
        long frame = pixels;
        long sum = 0;
        for (int marker = scans.next(); marker >= 0; marker = scans.next()) {
            if (marker == SOS) {
                sum += frame;
            }
            if (marker >= SOF0 && marker <= SOF2) {
                byte[] head = source.upTo(scans.in.getStreamPosition() + 3, 4);
                frame = head.length == 4
                        ? Math.max(frame, (long) JpegHeader.unsignedShort(head, 0) * JpegHeader.unsignedShort(head, 2))
                        : frame;
            }
            scans.skip();
        }
        return Math.max(sum, frame);
    }

    /** The next marker that has a length; -1 at the end. */
    private int next() throws IOException {
        while (in.getStreamPosition() < end && in.skipPast(0xff)) {
            int marker = in.read();
            while (marker == 0xff) {
                marker = in.read();
            }
            if (marker == EOI || marker < 0) {
                return -1;
            }
            // A zero escapes 0xff in the coded data.
            if (marker != 0 && marker != TEM && (marker < RST0 || marker > RST7)) {
                return marker;
            }
        }
        return -1;
    }

    private void skip() throws IOException {
        byte[] length = {(byte) Math.max(0, in.read()), (byte) Math.max(0, in.read())};
        in.seek(in.getStreamPosition() + Math.max(0, JpegHeader.unsignedShort(length, 0) - 2));
    }
}
