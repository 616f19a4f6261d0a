package io.github.convzoo.zoo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.convzoo.hub.Hubs;
import io.github.convzoo.hub.LoopbackServer;
import io.github.convzoo.hub.SpecialAddresses;
import io.github.convzoo.image.ImageDecoder;
import io.github.convzoo.image.ImageException;
import io.github.convzoo.image.RgbImage;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProxySelector;
import java.net.ServerSocket;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import javax.imageio.ImageIO;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(30)
class RemoteImageTest {

    private static final byte[] PNG = png();

    private final List<LoopbackServer> servers = new ArrayList<>();
    private final Path folder;

    RemoteImageTest(@TempDir Path folder) {
        this.folder = folder;
    }

    @AfterEach
    void stop() throws IOException {
        for (LoopbackServer server : servers) {
            server.close();
        }
    }

    @Test
    void read_ofOrdinaryAnswers_decodes() throws IOException {
        LoopbackServer server = serve((request, out) -> {
            switch (request.target()) {
                case "/length" -> Hubs.send(request, out, PNG, PNG.length);
                case "/close" -> {
                    LoopbackServer.head(out, 200);
                    out.write(PNG);
                }
                case "/continue" -> {
                    out.write("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                    Hubs.send(request, out, PNG, PNG.length);
                }
                default -> {
                    LoopbackServer.head(out, 200, "Transfer-Encoding", "chunked");
                    for (int at = 0; at < PNG.length; at += 50) {
                        int length = Math.min(50, PNG.length - at);
                        write(out, String.format(Locale.ROOT, "%x;note=x\r\n", length));
                        out.write(PNG, at, length);
                        write(out, "\r\n");
                    }
                    write(out, "0\r\n\r\n");
                }
            }
        });
        for (String path : List.of("/length", "/close", "/continue", "/chunked")) {
            assertThat(read(server.url() + path, ofSeconds(20)).width()).isEqualTo(7);
        }
        assertThat(server.requests().get(0).headers())
                .containsEntry("host", "127.0.0.1:" + server.port())
                .containsEntry("accept-encoding", "identity");
    }

    @ParameterizedTest
    @ValueSource(strings = {"status", "head", "body", "chunks", "silence"})
    void read_ofAnswersThatTrickle_endsInTime(String what) throws IOException {
        LoopbackServer server = serve((request, out) -> {
            switch (what) {
                case "status" -> {}
                case "silence" -> Thread.sleep(20_000);
                case "head" -> write(out, "HTTP/1.1 200 OK\r\n");
                case "chunks" -> LoopbackServer.head(out, 200, "Transfer-Encoding", "chunked");
                default -> LoopbackServer.head(out, 200, "Content-Length", 100_000);
            }
            while (true) {
                write(out, what.equals("chunks") ? "1\r\nx\r\n" : "x");
                out.flush();
                Thread.sleep(20);
            }
        });
        long start = System.nanoTime();
        assertFails(server.url() + "/a.png", Duration.ofMillis(400), "the download took longer than 0.400 s");
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(ofSeconds(10));
    }

    @Test
    void read_ofAServerThatNeverTakesTheConnection_endsInTime() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            assertFails(
                    "https://127.0.0.1:" + socket.getLocalPort() + "/", Duration.ofMillis(300), "longer than 0.300 s");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nx', the connection broke",
        "'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nx', the connection broke",
        "'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nx', no length",
        "'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n', no end",
        "'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n', unknown transfer encoding",
        "'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n', 'unrequested content encoding (gzip)'",
        "'HTTP/1.1 200 OK', the connection broke",
        "'SSH-2.0-x\r\n', response is not HTTP",
        "'', the connection broke",
        "'HTTP/1.1 500 No\r\n\r\n', the server responded 500",
        "'HTTP/1.1 302 No\r\nLocation: /b\r\n\r\n', 'responded 302 with a redirect, which is not followed'",
    })
    void read_ofBrokenAnswers_saysWhatIsWrong(String answer, String problem) throws IOException {
        LoopbackServer server =
                serve((request, out) -> write(out, answer.replace("\\r", "\r").replace("\\n", "\n")));
        assertFails(server.url() + "/a.png", ofSeconds(20), problem);
        assertThat(server.requests()).hasSize(1);
    }

    @Test
    void read_ofEndlessHead_isRefused() throws IOException {
        LoopbackServer server = serve((request, out) -> {
            write(out, "HTTP/1.1 200 OK\r\n");
            while (true) {
                write(out, "X-Header: " + "x".repeat(1000) + "\r\n");
            }
        });
        assertFails(server.url() + "/a.png", ofSeconds(20), "longer than 64 KiB");
    }

    @ParameterizedTest
    @ValueSource(ints = {1 << 16, (1 << 16) + 1})
    void read_ofAHeadAtTheLimit_isRead_andBeyondIsRefused(int bytes) throws IOException {
        // Line feeds do not count.
        String head = "HTTP/1.1 200 OK\r\nContent-Length: " + PNG.length + "\r\nX: \r\n\r\n";
        String filler = "x".repeat(bytes - head.replace("\n", "").length());
        LoopbackServer server = serve((request, out) -> {
            write(out, head.replace("X: ", "X: " + filler));
            out.write(PNG);
        });
        if (bytes == 1 << 16) {
            assertThat(read(server.url() + "/a.png", ofSeconds(20)).width()).isEqualTo(7);
        } else {
            assertFails(server.url() + "/a.png", ofSeconds(20), "longer than 64 KiB");
        }
    }

    @Test
    void read_ofEndlessBody_isRefusedAtTheLimit() throws IOException {
        LoopbackServer server = serve((request, out) -> {
            LoopbackServer.head(out, 200);
            while (true) {
                out.write(new byte[1000]);
            }
        });
        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(() -> RemoteImage.read(
                        new ImageDecoder().withMaxStreamBytes(100_000),
                        new URL(server.url() + "/a.png"),
                        address -> true))
                .withMessageContaining("more than the allowed 100,000 bytes");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://:8080/a.png",
                "http:///a.png",
                "http:a.png",
                "http:/a.png",
                "http://@/a.png",
                "http://user@:80/a.png",
                "https://?a.png",
                "https://#a.png",
            })
    void read_ofUrlWithoutHost_saysSo(String url) {
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> ImageReader.linked(new ImageDecoder(), url, SpecialAddresses::isPublic))
                .withMessageContaining("has no host");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://127.0.0.1:0/a.png",
                "http://127.0.0.1:65536/a.png",
                "http://127.0.0.1:99999999999/a.png",
                "http://127.0.0.1:-1/a.png",
                "http://[::1/a.png",
                "http://[fe80::1%25eth0]/a.png",
                "http://[]/a.png",
                "http://a b/",
                "http://\u0000/",
                "http://..../a.png",
                "http://exämple.invalid/a.png",
                "http://-/a.png",
                "http://%31/a.png",
                "http:",
                "http://",
                "https",
                "ftp://127.0.0.1/a.png",
                "jar:http://127.0.0.1/a.jar!/a.png",
                "file://127.0.0.1/a.png",
                "file:///%00",
                "file:///no/such/file.png",
                "file:a.png",
                "gopher://127.0.0.1/",
                "data:;base64,!",
            })
    void read_ofOddUrls_throwsNothingElse(String url) {
        for (boolean open : new boolean[] {false, true}) {
            assertThatExceptionOfType(IOException.class)
                    .isThrownBy(() ->
                            ImageReader.linked(new ImageDecoder(), url, address -> open && address.isLoopbackAddress()))
                    .satisfies(e -> assertThat(e.getMessage()).isNotBlank());
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "127.0.0.1",
                "127.1",
                "2130706433",
                "localhost",
                "LOCALHOST",
                "[::ffff:127.0.0.1]",
                "user@127.0.0.1"
            })
    void read_ofAddressThatIsNotAllowed_connectsToNothing(String host) throws IOException {
        LoopbackServer server = serve((request, out) -> Hubs.send(request, out, PNG, PNG.length));
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> ImageReader.linked(
                        new ImageDecoder(),
                        "http://" + host + ":" + server.port() + "/a.png?key=secret",
                        SpecialAddresses::isPublic))
                .withMessageContaining("is at an internal network address")
                .withMessageNotContaining("secret");
        assertThat(server.requests()).isEmpty();
    }

    /** It gets the address that was checked, and never sees the name. */
    @Test
    void read_throughAProxy_asksForTheCheckedAddress() throws IOException {
        LoopbackServer proxy = serve((request, out) -> LoopbackServer.status(out, 403));
        ProxySelector before = ProxySelector.getDefault();
        ProxySelector.setDefault(
                ProxySelector.of(new InetSocketAddress(InetAddress.getLoopbackAddress(), proxy.port())));
        try {
            assertFails("http://localhost:9/a.png", ofSeconds(20), "cannot be downloaded");
        } finally {
            ProxySelector.setDefault(before);
        }
        assertThat(proxy.requests())
                .extracting(request -> request.method() + " " + request.target())
                .allMatch(line -> line.equals("CONNECT 127.0.0.1:9") || line.equals("CONNECT [::1]:9"))
                .isNotEmpty();
    }

    /** All certificates but the last are trusted; only the first is for this host. */
    @ParameterizedTest
    @CsvSource({
        "'SAN=ip:127.0.0.1,dns:localhost', true, true",
        "'SAN=dns:other.example', true, false",
        "'SAN=ip:127.0.0.2', true, false",
        "'SAN=dns:localhost.other.example,dns:*.localhost', true, false",
        "'SAN=ip:127.0.0.1,dns:localhost', false, false",
    })
    void read_overHttps_needsATrustedCertificateForTheHost(String names, boolean trusted, boolean read)
            throws Exception {
        KeyStore keys = certificate(names);
        LoopbackServer server = new LoopbackServer(
                tls(keys, keys).getServerSocketFactory(), (request, out) -> Hubs.send(request, out, PNG, PNG.length));
        servers.add(server);
        SSLSocketFactory before = HttpsURLConnection.getDefaultSSLSocketFactory();
        HttpsURLConnection.setDefaultSSLSocketFactory(
                tls(keys, trusted ? keys : certificate("SAN=dns:other.example")).getSocketFactory());
        try {
            for (String host : List.of("127.0.0.1", "localhost")) {
                String url = "https://" + host + ":" + server.port() + "/a.png";
                if (read) {
                    assertThat(read(url, ofSeconds(20)).width()).isEqualTo(7);
                } else {
                    assertFails(url, ofSeconds(20), "cannot be downloaded (the TLS handshake failed: ");
                }
            }
        } finally {
            HttpsURLConnection.setDefaultSSLSocketFactory(before);
        }
        assertThat(server.requests()).hasSize(read ? 2 : 0);
    }

    private KeyStore certificate(String names) throws Exception {
        Path store = Files.createTempFile(folder, "keys", "");
        Files.delete(store);
        String keytool = "-genkeypair -alias server -keyalg EC -dname CN=127.0.0.1 -validity 2 -storetype PKCS12"
                + " -storepass changeit -ext " + names + " -keystore " + store;
        List<String> command = new ArrayList<>(List.of(keytool.split(" ", -1)));
        command.add(
                0, Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
        return KeyStore.getInstance(store.toFile(), "changeit".toCharArray());
    }

    private static SSLContext tls(KeyStore own, KeyStore trusted) throws Exception {
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(own, "changeit".toCharArray());
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        KeyStore certificates = KeyStore.getInstance("PKCS12");
        certificates.load(null, null);
        certificates.setCertificateEntry("server", trusted.getCertificate("server"));
        trust.init(certificates);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }

    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void read_ofFileUrl_isAsOfTheFile() throws Exception {
        Path file = Files.write(folder.resolve("a b%c.png"), PNG);
        assertThat(RemoteImage.read(new ImageDecoder(), file.toUri().toURL(), address -> true)
                        .width())
                .isEqualTo(7);
        assertFails("file:///dev/zero", ofSeconds(20), "not a regular file");
    }

    @ParameterizedTest
    @CsvSource({
        "http://a.example, /",
        "http://a.example?q=1, /?q=1",
        "http://a.example/a%20b?c=d%2F#e, /a%20b?c=d%2F",
        "http://a.example/ä b, /%C3%A4%20b",
    })
    void target_isPathAndQueryInAscii(String url, String target) throws IOException {
        assertThat(PinnedRequest.target(new URL(url))).isEqualTo(target);
    }

    @Test
    void target_withLineBreaks_addsNoHeader() throws IOException {
        assertThat(PinnedRequest.target(new URL("http://a.example/a\r\nX: y"))).isEqualTo("/a%0D%0AX:%20y");
    }

    @Test
    void load_inAnInterruptedThread_saysSo() {
        Thread.currentThread().interrupt();
        try {
            assertThatExceptionOfType(IOException.class)
                    .isThrownBy(() -> ConvZoo.load("peleenet.fmnist", Path.class, LoadOptions.published()))
                    .withMessageContaining("interrupted")
                    .withMessageNotContaining("null");
        } finally {
            assertThat(Thread.interrupted()).isTrue();
        }
    }

    private static Duration ofSeconds(int seconds) {
        return Duration.ofSeconds(seconds);
    }

    private static void write(OutputStream out, String text) throws IOException {
        out.write(text.getBytes(StandardCharsets.ISO_8859_1));
        out.flush();
    }

    private static RgbImage read(String url, Duration time) throws IOException {
        return RemoteImage.read(new ImageDecoder().withMaxFetchTime(time), new URL(url), address -> true);
    }

    private static void assertFails(String url, Duration time, String problem) {
        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(() -> read(url, time))
                .withMessageContaining(url.replaceAll("^file://", "") + ": ")
                .withMessageContaining(problem);
    }

    private LoopbackServer serve(LoopbackServer.Handler handler) throws IOException {
        LoopbackServer server = new LoopbackServer(handler);
        servers.add(server);
        return server;
    }

    private static byte[] png() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            ImageIO.write(new BufferedImage(7, 5, BufferedImage.TYPE_3BYTE_BGR), "png", bytes);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        return bytes.toByteArray();
    }
}
