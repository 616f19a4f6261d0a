package io.github.convzoo.message;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.google.gson.Gson;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.UnresolvedAddressException;
import java.nio.charset.MalformedInputException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.concurrent.CompletionException;
import javax.net.ssl.SSLHandshakeException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ReasonTest {

    @Test
    void of_anExceptionWhoseTypeIsTheReason_saysItInWords() {
        assertThat(Reason.of(new NoSuchFileException("/a/b"))).isEqualTo("no such file");
        assertThat(Reason.of(new AccessDeniedException("/a/b"))).isEqualTo("permission denied");
        assertThat(Reason.of(new NotDirectoryException("/a/b"))).isEqualTo("not a directory");
        assertThat(Reason.of(new ClosedByInterruptException())).isEqualTo("the thread was interrupted");
        assertThat(Reason.of(new UnresolvedAddressException())).isEqualTo("unknown host");
        assertThat(Reason.of(new MalformedInputException(1))).isEqualTo("not UTF-8");
        assertThat(Reason.of(new UnknownHostException("example.org"))).isEqualTo("unknown host example.org");
    }

    @Test
    void of_aSentenceOfTheSystem_isItsReasonWithoutThePath() {
        assertThat(Reason.of(new FileSystemException("/a/b", null, "No space left on device")))
                .isEqualTo("no space left on device");
        assertThat(Reason.of(new SSLHandshakeException("No trusted certificate found")))
                .isEqualTo("the TLS handshake failed: No trusted certificate found");
        assertThat(Reason.of(new BindException("Address already in use"))).isEqualTo("address already in use");
        assertThat(Reason.of(new FileSystemException("/a/b", null, "I/O error")))
                .isEqualTo("I/O error");
    }

    @Test
    void of_anExceptionWithAMessage_isTheMessage() {
        assertThat(Reason.of(new IOException(" Stream closed\n"))).isEqualTo("Stream closed");
        assertThat(Reason.of(new ConnectException("timed out"))).isEqualTo("timed out");
        assertThat(Reason.of(new IllegalArgumentException("a size of 0"))).isEqualTo("a size of 0");
    }

    @Test
    void of_anExceptionWhoseMessageIsNoReason_namesIt() {
        assertThat(Reason.of(new NegativeArraySizeException("-5"))).isEqualTo("NegativeArraySizeException: -5");
        assertThat(Reason.of(new NoClassDefFoundError("a/B"))).isEqualTo("NoClassDefFoundError: a/B");
    }

    @Test
    void of_anExceptionWithoutAMessage_isNeverEmpty() {
        assertThat(Reason.of(new ConnectException())).isEqualTo("connection refused");
        assertThat(Reason.of(new SocketTimeoutException())).isEqualTo("timed out");
        assertThat(Reason.of(new UnknownHostException())).isEqualTo("unknown host");
        assertThat(Reason.of(new EOFException(" "))).isEqualTo("unexpected end of data");
        assertThat(Reason.of(new IOException(null, new AccessDeniedException("/a"))))
                .isEqualTo("permission denied");
        assertThat(Reason.of(new FileSystemException("/a/b"))).isEqualTo("FileSystemException");
        assertThat(Reason.of(new ArithmeticException())).isEqualTo("ArithmeticException");
    }

    @Test
    void of_aWrapper_isTheReasonInIt() {
        AccessDeniedException inside = new AccessDeniedException("/a/b");
        assertThat(Reason.of(new UncheckedIOException(inside))).isEqualTo("permission denied");
        assertThat(Reason.of(new UncheckedIOException("of the wrapper", inside)))
                .isEqualTo("permission denied");
        assertThat(Reason.of(new CompletionException(new IOException(inside)))).isEqualTo("permission denied");
        assertThat(Reason.of(new IOException("told", inside))).isEqualTo("told");
        assertThat(Reason.withFile(new UncheckedIOException(inside))).isEqualTo("/a/b: permission denied");
    }

    @Test
    void withFile_namesTheFilesOfAFileSystemExceptionOnly() {
        assertThat(Reason.withFile(new NoSuchFileException("/a/b"))).isEqualTo("/a/b: no such file");
        assertThat(Reason.withFile(new NoSuchFileException("/a", "/b/c", null))).isEqualTo("/a -> /b/c: no such file");
        assertThat(Reason.withFile(new FileSystemException(null, null, "full"))).isEqualTo("full");
        assertThat(Reason.withFile(new IOException("broken"))).isEqualTo("broken");
    }

    @Test
    void within_namesAnotherFileOnly() {
        Path folder = Path.of("a");
        assertThat(Reason.within(folder, new AccessDeniedException("a"))).isEqualTo("permission denied");
        assertThat(Reason.within(folder, new AccessDeniedException("a/b"))).isEqualTo("a/b: permission denied");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "{bad|end of input at line 1 column 5 path $.bad",
                "[1]x|unexpected text at line 1 column 5 path $",
                "['a' 'b']|unterminated array at line 1 column 7 path $[1]",
            })
    void reason_ofBrokenJson_isGsonsWithoutItsAdvice(String json, String reason) {
        assertThatExceptionOfType(JsonParseException.class)
                .isThrownBy(() -> JsonParser.parseString(json.replace('\'', '"')))
                .satisfies(e -> assertThat(Reason.ofJson(e)).isEqualTo(reason));
    }

    @Test
    void reason_ofJsonOfAnotherType_isInWords() {
        assertThatExceptionOfType(JsonParseException.class)
                .isThrownBy(() -> new Gson().fromJson("[1]", ReasonTest.class))
                .satisfies(e -> assertThat(Reason.ofJson(e))
                        .isEqualTo("expected BEGIN_OBJECT but was BEGIN_ARRAY at line 1 column 2 path $"));
        assertThat(Reason.ofJson(new IllegalArgumentException())).isEqualTo("unexpected text");
    }
}
