package io.github.convzoo.message;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.UnknownHostException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import org.junit.jupiter.api.Test;

class ReasonTest {

    @Test
    void of_anExceptionWhoseTypeIsTheReason_saysItInWords() {
        assertThat(Reason.of(new NoSuchFileException("/a/b"))).isEqualTo("no such file");
        assertThat(Reason.of(new AccessDeniedException("/a/b"))).isEqualTo("permission denied");
        assertThat(Reason.of(new NotDirectoryException("/a/b"))).isEqualTo("not a folder");
        assertThat(Reason.of(new ClosedByInterruptException())).isEqualTo("the thread was interrupted");
        assertThat(Reason.of(new UnknownHostException("example.org"))).isEqualTo("unknown host example.org");
    }

    @Test
    void of_aFileSystemException_isItsReasonWithoutThePath() {
        assertThat(Reason.of(new FileSystemException("/a/b", null, "No space left on device")))
                .isEqualTo("No space left on device");
    }

    @Test
    void of_anExceptionWithAMessage_isTheMessage() {
        assertThat(Reason.of(new IOException(" Connection reset\n"))).isEqualTo("Connection reset");
        assertThat(Reason.of(new ConnectException("timed out"))).isEqualTo("timed out");
    }

    @Test
    void of_anExceptionWithoutAMessage_isNeverEmpty() {
        assertThat(Reason.of(new ConnectException())).isEqualTo("connection refused");
        assertThat(Reason.of(new EOFException(" "))).isEqualTo("unexpected end of data");
        assertThat(Reason.of(new IOException(null, new AccessDeniedException("/a"))))
                .isEqualTo("permission denied");
        assertThat(Reason.of(new FileSystemException("/a/b"))).isEqualTo("FileSystemException");
        assertThat(Reason.of(new ArithmeticException())).isEqualTo("ArithmeticException");
    }

    @Test
    void withFile_namesTheFileOfAFileSystemExceptionOnly() {
        assertThat(Reason.withFile(new NoSuchFileException("/a/b"))).isEqualTo("/a/b: no such file");
        assertThat(Reason.withFile(new FileSystemException(null, null, "full"))).isEqualTo("full");
        assertThat(Reason.withFile(new IOException("broken"))).isEqualTo("broken");
        UncheckedIOException unchecked = new UncheckedIOException(new AccessDeniedException("/a/b"));
        assertThat(Reason.withFile(unchecked)).isEqualTo("/a/b: permission denied");
        assertThat(Reason.of(unchecked)).isEqualTo("permission denied");
    }
}
