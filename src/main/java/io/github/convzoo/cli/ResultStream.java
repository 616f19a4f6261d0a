package io.github.convzoo.cli;

import io.github.convzoo.message.Reason;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Locale;

/** Standard output on which a failed write ends the command; a print stream would silently lose it. */
final class ResultStream extends FilterOutputStream {

    private boolean failed;

    ResultStream(OutputStream out) {
        super(out);
    }

    /** A failed write, which print writers do not catch. */
    static final class FailedException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        FailedException(IOException cause) {
            super(
                    "standard output: cannot be written (" + Reason.of(cause)
                            + "); the results after this point are lost",
                    cause);
        }

        /** Whether the reader closed the pipe, as {@code head} does once it has read enough. */
        boolean isClosedPipe() {
            String message = String.valueOf(getMessage()).toLowerCase(Locale.ROOT);
            return message.contains("broken pipe") || message.contains("pipe is being closed");
        }
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
        run(() -> out.write(bytes, offset, length));
    }

    @Override
    public void write(int value) {
        run(() -> out.write(value));
    }

    @Override
    public void flush() {
        run(out::flush);
    }

    private interface Action {
        void run() throws IOException;
    }

    private void run(Action action) {
        if (failed) {
            // Reported already; buffered output must not cause a second failure.
            return;
        }
        try {
            action.run();
        } catch (IOException e) {
            failed = true;
            throw new FailedException(e);
        }
    }
}
