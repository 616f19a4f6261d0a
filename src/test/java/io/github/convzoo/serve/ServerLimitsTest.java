package io.github.convzoo.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.convzoo.image.ImageDecoder;
import io.github.convzoo.image.Labels;
import io.github.convzoo.image.RgbImage;
import io.github.convzoo.zoo.LoadOptions;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Clients that try to take the server's memory, threads, or connections. */
@Timeout(60)
class ServerLimitsTest {

    private static final String INFER = "/v2/models/clothes/infer";

    private static ServerOptions.RequestLimits limits(ServerOptions.ConnectionLimits connections) {
        return new ServerOptions.RequestLimits(1 << 20, 64, 64 << 20, Duration.ofSeconds(30), connections);
    }

    private static ServerOptions.ConnectionLimits connections(int perClient, Duration headers, Duration write) {
        return new ServerOptions.ConnectionLimits(100, perClient, headers, write, 1 << 30);
    }

    /** A request for the classes of single pixels. */
    private static String pixels(int images, String outputs) {
        return "{\"inputs\":[{\"name\":\"pixels\",\"datatype\":\"UINT8\",\"shape\":[" + images + ",1,1,3],\"data\":["
                + "7,".repeat(3 * images - 1) + "7]}],\"outputs\":[" + outputs + "]}";
    }

    // Memory

    @Test
    void answer_thatWouldTakeTooMuchMemory_isRefusedBeforeItIsComputed() throws IOException {
        byte[] boot = Files.readAllBytes(Served.BOOT);
        Served.FormData forty = new Served.FormData().field("topK", "10");
        for (int i = 0; i < 40; i++) {
            forty.file("data", "a", boot);
        }
        try (Served small = Served.of(Served.with(Served.limits(100_000, 64, 1, Duration.ofSeconds(30))), "clothes")) {
            for (HttpResponse<String> response : List.of(
                    small.post(INFER, pixels(64, "{\"name\":\"probabilities\"}")),
                    small.post(
                            INFER, pixels(64, "{\"name\":\"probabilities\",\"parameters\":{\"classification\":10}}")),
                    small.postForm("/predictions/clothes", forty),
                    // Two bytes each, and four in memory.
                    small.post(INFER, pixels(15_000, "{\"name\":\"class\"}")),
                    small.post("/explanations/clothes", boot))) {
                assertThat(response.statusCode()).as(response.body()).isEqualTo(413);
                assertThat(response.body()).contains("bytes of memory, and all requests together may take 200000;");
            }
            assertThat(small.post(INFER, pixels(64, "{\"name\":\"class\"}")).statusCode())
                    .isEqualTo(200);
            assertThat(small.post("/predictions/clothes", boot).statusCode()).isEqualTo(200);
            assertThat(small.post("/explanations/clothes", boot, "Accept", "application/json")
                            .statusCode())
                    .isEqualTo(200);
            assertThat(small.get("/metrics").body())
                    .contains("convzoo_images_total{model=\"clothes\",work=\"prediction\"} 65.0");
        }
    }

    /** The longest texts, so that no answer takes more than was taken for it. */
    @Test
    void answer_isNeverLargerThanItsEstimate() throws IOException {
        LoadOptions odd = LoadOptions.published()
                .withLabels(new Labels(IntStream.range(0, 10)
                        .mapToObj(i -> "<\u4e2d\u0007\"" + i)
                        .toList()));
        try (ServedModel model = model(Served.offer("clothes", "peleenet.fmnist", odd));
                Served served = Served.of(Served.OPTIONS, List.of(Served.offer("clothes", "peleenet.fmnist", odd)))) {
            long top = served.post("/predictions/clothes?topK=10", Served.BOOT)
                    .body()
                    .getBytes(StandardCharsets.UTF_8)
                    .length;
            long texts = served.post(
                            INFER, pixels(1, "{\"name\":\"probabilities\",\"parameters\":{\"classification\":10}}"))
                    .body()
                    .getBytes(StandardCharsets.UTF_8)
                    .length;

            // Eight copies of the text, which is the smaller part.
            assertThat(8 * (top - 100)).isLessThan(AnswerCost.entries(model, 1, 10));
            assertThat(8 * (texts - 300)).isLessThan(AnswerCost.texts(model, 1, 10));
            assertThat(model.longestLabels(1)).isEqualTo("\"\\u003c".length() + 3 + "\\u0007\\\"0\"".length());
            assertThat(model.longestLabels(10)).isEqualTo(10 * model.longestLabels(1));
        }
    }

    private static ServedModel model(Offer offer) throws IOException {
        return ServedModel.load(
                offer, new BatchQueue(System::nanoTime), ServerOptions.Batching.DEFAULT, new Metrics(), Runnable::run);
    }

    @Test
    void memoryThatRunsOut_isAnswered503() {
        assertThat(RequestHandler.answer(new OutOfMemoryError("test")).status()).isEqualTo(503);
        assertThat(RequestHandler.answer(new IllegalStateException("test")).status())
                .isEqualTo(500);
    }

    // Time

    @Test
    void images_ofOneRequest_endAtTheDeadline() throws IOException {
        long[] now = {0};
        AtomicInteger decoded = new AtomicInteger();
        try (ServedModel model = model(Served.offer("clothes", "peleenet.fmnist", LoadOptions.published()))) {
            RequestImages images = new RequestImages(false, () -> now[0]);
            RequestImages.Images slow = i -> {
                decoded.incrementAndGet();
                now[0] += 60;
                return RgbImage.of(1, 1, new byte[3]);
            };
            assertThatThrownBy(() -> images.prepare(model, 5, 100, slow))
                    .isInstanceOfSatisfying(
                            Problem.class, problem -> assertThat(problem.kind()).isEqualTo(Problem.Kind.EXPIRED))
                    .hasMessageContaining("after 2 of its 5 images");
            assertThat(decoded.get()).isEqualTo(2);
        }
    }

    @Test
    void imageOfAUrl_hasTheTimeThatTheRequestHas() {
        RequestImages images = new RequestImages(true, () -> 5_000_000_000L);
        ImageDecoder decoder = new ImageDecoder().withMaxFetchTime(Duration.ofSeconds(10));

        assertThat(images.inTime(decoder, 20_000_000_000L).maxFetchTime()).isEqualTo(Duration.ofSeconds(10));
        assertThat(images.inTime(decoder, 8_000_000_000L).maxFetchTime()).isEqualTo(Duration.ofSeconds(3));
        assertThat(images.inTime(decoder, 0).maxFetchTime()).isEqualTo(Duration.ofMillis(1));
    }

    @Test
    void pixels_ofOneRequest_beyondTheLimit_areRefused_atTheLimitAccepted() throws IOException {
        Offer offer = Served.offer("clothes", "peleenet.fmnist", LoadOptions.published());
        // Four times 28 x 28 pixels.
        Offer small = new Offer(
                "clothes", offer.model(), offer.options(), offer.config(), new ImageDecoder().withMaxPixels(784));
        byte[] boot = Files.readAllBytes(Served.BOOT);
        Served.FormData form = new Served.FormData();
        try (Served served = Served.of(Served.OPTIONS, List.of(small))) {
            for (int i = 0; i < 4; i++) {
                form.file("data", "a", boot);
            }
            byte[] four = form.end();
            Served.FormData more = new Served.FormData();
            for (int i = 0; i < 6; i++) {
                more.file("data", "a", boot);
            }
            String type = "multipart/form-data; boundary=cut";
            assertThat(served.post("/predictions/clothes", four, "Content-Type", type)
                            .statusCode())
                    .isEqualTo(200);
            HttpResponse<String> refused = served.post("/predictions/clothes", more.end(), "Content-Type", type);
            assertThat(refused.statusCode()).isEqualTo(413);
            assertThat(refused.body()).contains("at most 3136 pixels together, and the first 5 have 3920");
        }
    }

    // Connections

    private static void write(Socket socket, String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
        socket.getOutputStream().flush();
    }

    /** Reads a response of a connection that stays open, up to its JSON's end. */
    private static String response(Socket socket) throws IOException {
        StringBuilder text = new StringBuilder();
        while (text.indexOf("}") < 0) {
            int next = socket.getInputStream().read();
            assertThat(next).isNotNegative();
            text.append((char) next);
        }
        return text.toString();
    }

    /** Sends a byte now and then, for ten seconds or until the server has closed the connection. */
    private static boolean isClosedWhileTrickling(Socket socket) throws InterruptedException {
        try {
            socket.setSoTimeout(20);
            for (int i = 0; i < 500; i++) {
                write(socket, "x");
                try {
                    if (socket.getInputStream().read() < 0) {
                        return true;
                    }
                } catch (java.net.SocketTimeoutException e) {
                    // Still open.
                }
            }
            return false;
        } catch (IOException e) {
            return true;
        }
    }

    @Test
    void headers_thatTrickle_loseTheConnection() throws Exception {
        ServerOptions options = Served.with(limits(connections(50, Duration.ofMillis(300), Duration.ofSeconds(30))));
        String ping = "GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n";
        try (Served served = Served.of(options, "clothes")) {
            try (Socket first = served.connect()) {
                write(first, "GET /ping HTTP/1.1\r\nHost: localhost\r\nX: ");
                assertThat(isClosedWhileTrickling(first)).isTrue();
            }
            try (Socket kept = served.connect();
                    Socket second = served.connect()) {
                write(kept, ping);
                response(kept);
                write(second, ping);
                response(second);
                write(second, "GET /ping HTTP/1.1\r\nHost: localhost\r\nX: ");
                assertThat(isClosedWhileTrickling(second)).isTrue();
                // Longer than the time for headers has passed, but no request had begun.
                write(kept, ping);
                assertThat(response(kept)).startsWith("HTTP/1.1 200 ");
            }
        }
    }

    @Test
    void request_thatIsComputed_mayTakeLongerThanHeaders() throws IOException {
        ServerOptions.RequestLimits limits = limits(connections(50, Duration.ofMillis(100), Duration.ofSeconds(30)));
        // The image waits for another to share its batch.
        ServerOptions.Batching slow = Served.batching(2, Duration.ofMillis(500), 64, Duration.ofSeconds(30));
        ServerOptions options = new ServerOptions("127.0.0.1", 0, Served.OPTIONS.access(), slow, limits, 1);
        try (Served served = Served.of(options, "clothes")) {
            assertThat(served.post("/predictions/clothes", Served.BOOT).statusCode())
                    .isEqualTo(200);
        }
    }

    @Test
    void client_withItsShareOfConnections_getsNoMore_untilItClosesOne() throws Exception {
        ServerOptions options = Served.with(limits(connections(3, Duration.ofSeconds(30), Duration.ofSeconds(30))));
        String ping = "GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n";
        try (Served served = Served.of(options, "clothes")) {
            List<Socket> open = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                Socket socket = served.connect();
                write(socket, ping);
                response(socket);
                open.add(socket);
            }
            for (int i = 0; i < 5; i++) {
                assertThat(served.raw(ping)).isEmpty();
            }
            open.get(0).close();
            String answer = "";
            while (answer.isEmpty()) {
                answer = served.raw(ping);
            }
            assertThat(answer).startsWith("HTTP/1.1 200 ");
            for (Socket socket : open) {
                socket.close();
            }
        }
    }

    /** An answer of 8 MB, more than the kernel buffers, is in memory until the client reads it. */
    @Test
    void answer_thatIsNotRead_countsUntilItIsWritten_orTheClientGone() throws IOException {
        try (Served served = ofLongLabels(Duration.ofSeconds(30))) {
            String request = pixels(64, "{\"name\":\"label\"}");
            Socket slow = ask(served, request);
            for (int i = 0; i < 3; i++) {
                HttpResponse<String> refused = served.post(INFER, request);
                assertThat(refused.statusCode()).isEqualTo(503);
                assertThat(refused.body()).contains("queue_full");
            }
            // The answer itself counts, and no longer what it took to make it.
            assertThat(served.post(INFER, pixels(8, "{\"name\":\"label\"}")).statusCode())
                    .isEqualTo(200);
            slow.close();
            HttpResponse<String> response = served.post(INFER, request);
            while (response.statusCode() == 503) {
                response = served.post(INFER, request);
            }
            assertThat(response.body().length()).isGreaterThan(8_000_000);
            // Each answer that was read is given back.
            assertThat(served.post(INFER, request).statusCode()).isEqualTo(200);
        }
    }

    /** Long before Jetty's idle timeout of 30 seconds. */
    @Test
    void answer_thatIsReadTooSlowly_isAborted_andGivenBack() throws Exception {
        try (Served served = ofLongLabels(Duration.ofMillis(300))) {
            String request = pixels(64, "{\"name\":\"label\"}");
            try (Socket slow = ask(served, request)) {
                Thread.sleep(2000);
                assertThat(Served.read(slow.getInputStream()).length()).isLessThan(8_000_000);
            }
            assertThat(served.post(INFER, request).statusCode()).isEqualTo(200);
        }
    }

    /** A server with room for one answer of 8 MB: 64 labels of 128 KB. */
    private static Served ofLongLabels(Duration writeTime) throws IOException {
        LoadOptions longLabels = LoadOptions.published()
                .withLabels(new Labels(IntStream.range(0, 10)
                        .mapToObj(i -> i + "x".repeat(128_000))
                        .toList()));
        ServerOptions.RequestLimits limits = new ServerOptions.RequestLimits(
                1 << 20, 64, 80_000_000, Duration.ofSeconds(30), connections(50, Duration.ofSeconds(30), writeTime));
        return Served.of(Served.with(limits), List.of(Served.offer("clothes", "peleenet.fmnist", longLabels)));
    }

    /** Sends a request, and reads only the start of its answer. */
    private static Socket ask(Served served, String json) throws IOException {
        Socket socket = new Socket();
        socket.setReceiveBufferSize(4096);
        socket.connect(new java.net.InetSocketAddress(
                java.net.InetAddress.getLoopbackAddress(),
                served.server().address().getPort()));
        socket.setSoTimeout(60_000);
        write(
                socket,
                "POST " + INFER + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + json.length() + "\r\n\r\n"
                        + json);
        InputStream in = socket.getInputStream();
        assertThat(new String(in.readNBytes(15), StandardCharsets.US_ASCII)).isEqualTo("HTTP/1.1 200 OK");
        return socket;
    }
}
