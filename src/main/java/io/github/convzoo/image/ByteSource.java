package io.github.convzoo.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.util.Arrays;

/** Bytes with random access, so that a file need not be held in memory. */
interface ByteSource {

    /** The number of bytes. */
    long length();

    /**
     * Reads at least one byte.
     *
     * @return the number of bytes read, or -1 if {@code position} is at or past the end
     */
    int read(long position, byte[] target, int offset, int length) throws IOException;

    /** Reads up to {@code length} bytes, fewer at the end. */
    default byte[] upTo(long position, int length) throws IOException {
        byte[] bytes = new byte[(int) Math.max(0, Math.min(length, length() - position))];
        int n = 0;
        while (n < bytes.length) {
            int read = read(position + n, bytes, n, bytes.length - n);
            if (read < 0) {
                return Arrays.copyOf(bytes, n);
            }
            n += read;
        }
        return bytes;
    }

    static ByteSource of(byte[] bytes) {
        return new ByteSource() {
            @Override
            public long length() {
                return bytes.length;
            }

            @Override
            public int read(long position, byte[] target, int offset, int length) {
                if (position >= bytes.length) {
                    return -1;
                }
                int n = (int) Math.min(length, bytes.length - position);
                System.arraycopy(bytes, (int) position, target, offset, n);
                return n;
            }
        };
    }

    static ByteSource of(SeekableByteChannel channel) throws IOException {
        long size = channel.size();
        return new ByteSource() {
            @Override
            public long length() {
                return size;
            }

            @Override
            public int read(long position, byte[] target, int offset, int length) throws IOException {
                channel.position(position);
                return channel.read(ByteBuffer.wrap(target, offset, length));
            }
        };
    }
}
