package io.github.convzoo.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import javax.imageio.stream.ImageInputStreamImpl;

/**
 * The input of the JDK's image readers: some prepended bytes, then a source from a given position to its end.
 *
 * <p>It records whether the reader asked for more bytes than there are, which is how a truncated JPEG shows: the JPEG
 * reader itself fills the missing end with gray.
 */
final class SourceInputStream extends ImageInputStreamImpl {

    private static final int BUFFER_BYTES = 1 << 16;

    private final ByteSource prefix;
    private final ByteSource source;
    private final long sourceStart;

    private final byte[] buffer = new byte[BUFFER_BYTES];
    private long bufferStart;
    private int bufferLength;
    private boolean ranOut;

    SourceInputStream(ByteSource source) {
        this(new byte[0], source, 0);
    }

    SourceInputStream(byte[] prefix, ByteSource source, long sourceStart) {
        this.prefix = ByteSource.of(prefix);
        this.source = source;
        this.sourceStart = sourceStart;
    }

    /** Whether a read reached the end. */
    boolean ranOut() {
        return ranOut;
    }

    @Override
    public long length() {
        return prefix.length() + source.length() - sourceStart;
    }

    @Override
    public int read() throws IOException {
        checkClosed();
        bitOffset = 0;
        if (!fill()) {
            return -1;
        }
        return buffer[(int) (streamPos++ - bufferStart)] & 0xff;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
        checkClosed();
        bitOffset = 0;
        if (length == 0) {
            return 0;
        }
        if (!fill()) {
            return -1;
        }
        int from = (int) (streamPos - bufferStart);
        int n = Math.min(length, bufferLength - from);
        ByteBuffer.wrap(buffer).get(from, target, offset, n);
        streamPos += n;
        return n;
    }

    /** Moves past the next byte with a value; if none is left, moves to the end and returns false. */
    boolean skipPast(int value) throws IOException {
        while (fill()) {
            for (int i = (int) (streamPos - bufferStart); i < bufferLength; i++) {
                if ((buffer[i] & 0xff) == value) {
                    streamPos = bufferStart + i + 1;
                    return true;
                }
            }
            streamPos = bufferStart + bufferLength;
        }
        return false;
    }

    /** Loads the byte at the stream's position into the buffer, if there is one. */
    private boolean fill() throws IOException {
        if (streamPos >= bufferStart && streamPos < bufferStart + bufferLength) {
            return true;
        }
        bufferStart = streamPos;
        if (streamPos < prefix.length()) {
            bufferLength = prefix.read(streamPos, buffer, 0, buffer.length);
        } else {
            long position = sourceStart + streamPos - prefix.length();
            bufferLength = Math.max(0, source.read(position, buffer, 0, buffer.length));
        }
        if (bufferLength == 0) {
            ranOut = true;
            return false;
        }
        return true;
    }
}
