package io.github.convzoo.serve;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;

/**
 * A thousand requests with something wrong: cut off, with wrong lengths, headers, types, JSON, or bytes, or small and
 * greedy. None may get a 500 or a stack trace, and the server must still answer afterwards.
 */
class MalformedRequestsTest {

    private static final int REQUESTS = 1000;
    private static final Pattern STATUS = Pattern.compile("HTTP/1\\.1 (\\d{3}) ");

    private static final List<String> PATHS = List.of(
            "/predictions/clothes",
            "/explanations/clothes",
            "/v2/models/clothes/infer",
            "/v2/models/clothes/versions/1/infer",
            "/v2/models/clothes",
            "/v2",
            "/models",
            "/ping",
            "/predictions/clothes?topK=3",
            "/explanations/clothes?class=4",
            "/%2e%2e/%2fetc",
            "/predictions/%00",
            "/\u00fc",
            "//",
            "*");

    private static final List<String> TYPES = List.of(
            "image/png",
            "application/octet-stream",
            "application/json",
            "multipart/form-data; boundary=cut",
            "multipart/form-data; boundary=",
            "multipart/form-data; boundary=\"",
            "text/plain; charset=nonsense",
            ";;;",
            "");

    private static final List<String> HEADERS = List.of(
            "Inference-Header-Content-Length: 7",
            "Inference-Header-Content-Length: -1",
            "Inference-Header-Content-Length: 99999999999999999999",
            "Content-Encoding: gzip",
            "Transfer-Encoding: chunked",
            "Transfer-Encoding: identity, chunked, chunked",
            "Content-Length: -5",
            "Content-Length: 99999999999",
            "Expect: 200-maybe",
            "Expect: 100-continue",
            "Accept: ;q=?",
            "Accept: text/html",
            "Origin: null",
            "Host: other",
            "Upgrade: h2c",
            "Connection: Upgrade, HTTP2-Settings",
            "Cookie: =;=;=\u0001",
            "Range: bytes=5-1",
            "Authorization: Bearer",
            "X: " + "y".repeat(10_000),
            ": no name",
            "no colon",
            " folded: header");

    private final Random random = new Random(16);
    private byte[] boot = new byte[0];
    private byte[] tall = new byte[0];

    @Test
    void server_afterAThousandMalformedRequests_stillAnswers_andNeverFailed() throws IOException {
        boot = Files.readAllBytes(Served.BOOT);
        tall = tall(2000);
        int[] statuses = new int[600];
        try (Served served = Served.of(Served.OPTIONS, "clothes")) {
            for (int i = 0; i < REQUESTS; i++) {
                byte[] request = request();
                String response = send(served, request);
                String shown = "request " + i + ": "
                        + new String(request, 0, Math.min(300, request.length), StandardCharsets.ISO_8859_1)
                        + "\nresponse: " + response;
                Matcher status = STATUS.matcher(response);
                while (status.find()) {
                    int code = Integer.parseInt(status.group(1));
                    statuses[code]++;
                    assertThat(code).as(shown).isNotEqualTo(500);
                }
                assertThat(response).as(shown).doesNotContain("Exception", "\tat ", "org.eclipse", "java.");
            }
            assertThat(served.post("/predictions/clothes", Served.BOOT).body())
                    .startsWith("[{\"className\":\"Ankle boot\"");
            assertThat(served.get("/metrics").body()).contains("convzoo_queue_images{model=\"clothes\"} 0.0");
        }
        // They reached the places that they were made for.
        assertThat(Arrays.stream(statuses).sum()).isGreaterThan(REQUESTS * 9 / 10);
        for (int status : List.of(200, 400, 403, 404, 405, 413, 415, 431)) {
            assertThat(statuses[status]).as("responses " + status).isPositive();
        }
    }

    private static String send(Served served, byte[] request) throws IOException {
        try (Socket socket = new Socket(
                InetAddress.getLoopbackAddress(), served.server().address().getPort())) {
            socket.setSoTimeout(60_000);
            try {
                socket.getOutputStream().write(request);
                socket.shutdownOutput();
            } catch (IOException e) {
                // The server has answered and closed the connection already.
            }
            InputStream in = socket.getInputStream();
            return Served.read(in);
        }
    }

    private <T> T any(List<T> list) {
        return list.get(random.nextInt(list.size()));
    }

    private byte[] request() {
        byte[] body = body();
        StringBuilder head = new StringBuilder();
        head.append(random.nextInt(10) == 0 ? any(List.of("GET", "PUT", "DELETE", "FOO", "get", "")) : "POST")
                .append(' ')
                .append(random.nextInt(3) == 0 ? any(PATHS) : PATHS.get(random.nextInt(4)))
                .append(' ')
                .append(random.nextInt(40) == 0 ? any(List.of("HTTP/1.0", "HTTP/3", "HTTP/1.1x", "")) : "HTTP/1.1")
                .append("\r\nHost: localhost\r\nConnection: close\r\n");
        if (random.nextInt(20) > 0) {
            head.append("Content-Type: ").append(any(TYPES)).append("\r\n");
        }
        if (random.nextInt(4) == 0) {
            head.append(any(HEADERS)).append("\r\n");
        }
        int length = random.nextInt(8) == 0 ? random.nextInt(2 * body.length + 2) : body.length;
        if (random.nextInt(20) > 0) {
            head.append("Content-Length: ").append(length).append("\r\n");
        }
        head.append("\r\n");
        byte[] whole = concat(head.toString().getBytes(StandardCharsets.ISO_8859_1), body);
        if (random.nextInt(8) == 0) {
            return Arrays.copyOf(whole, random.nextInt(whole.length));
        }
        if (random.nextInt(8) == 0) {
            for (int i = random.nextInt(4); i >= 0; i--) {
                whole[random.nextInt(whole.length)] = (byte) random.nextInt();
            }
        }
        return whole;
    }

    private byte[] body() {
        return switch (random.nextInt(7)) {
            case 0 -> broken(boot);
            case 1 -> random(random.nextInt(2000));
            case 2 -> broken(json(random.nextInt(3)).getBytes(StandardCharsets.UTF_8));
            case 3 ->
                broken(new Served.FormData()
                        .field(any(List.of("topK", "class", "other")), any(List.of("3", "x", "-1")))
                        .file("data", "a\u202eb", broken(boot))
                        .end());
            case 4 -> withBinary();
            case 5 -> greedy();
            default -> new byte[random.nextInt(3)];
        };
    }

    private String json(int kind) {
        String base64 = Base64.getEncoder().encodeToString(boot);
        return switch (kind) {
            case 0 ->
                "{\"inputs\":[{\"name\":\"images\",\"datatype\":\"BYTES\",\"shape\":[1],\"data\":[\"" + base64
                        + "\"]}]}";
            case 1 -> "{\"image_url\":\"" + any(List.of("http://127.0.0.1/", "data:,x", "file:///", "x", "")) + "\"}";
            default ->
                "{\"inputs\":[{\"name\":\"pixels\",\"datatype\":\"UINT8\",\"shape\":[1,1,2,3],"
                        + "\"data\":[[1,2,3,4,5,6]]}],\"outputs\":[{\"name\":\"label\"}]}";
        };
    }

    private byte[] withBinary() {
        byte[] element = concat(
                ByteBuffer.allocate(4)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putInt(boot.length + (random.nextBoolean() ? 0 : random.nextInt()))
                        .array(),
                boot);
        byte[] json = ("{\"inputs\":[{\"name\":\"images\",\"datatype\":\"BYTES\",\"shape\":[1],\"parameters\":"
                        + "{\"binary_data_size\":" + (element.length + random.nextInt(2)) + "}}]}")
                .getBytes(StandardCharsets.UTF_8);
        return concat(json, element);
    }

    /** A small request that would take much memory or time if it were not limited. */
    private byte[] greedy() {
        String pixels = "{\"name\":\"pixels\",\"datatype\":\"UINT8\",\"shape\":[1,1,1,3],\"data\":[1,2,3]}";
        String images = "{\"name\":\"images\",\"datatype\":\"BYTES\",\"shape\":[5000],\"data\":[";
        String json =
                switch (random.nextInt(5)) {
                    case 0 -> {
                        String output = "{\"name\":\"" + any(List.of("probabilities", "class", "label")) + "\"}";
                        yield "{\"inputs\":[" + pixels + "],\"outputs\":[" + (output + ",").repeat(5000) + output
                                + "]}";
                    }
                    case 1 ->
                        "{\"id\":\"" + any(List.of("x", "<", "\u00fc")).repeat(1000 + random.nextInt(50))
                                + "\",\"inputs\":[" + pixels + "]}";
                    case 2 -> "{\"inputs\":[" + (pixels + ",").repeat(1000) + pixels + "]}";
                    case 3 -> "{\"inputs\":[" + images + "\"\",".repeat(4999) + "\"\"]}]}";
                    default -> {
                        Served.FormData form = new Served.FormData();
                        for (int i = random.nextInt(80); i >= 0; i--) {
                            form.file("data", "tall", tall);
                        }
                        yield new String(form.end(), StandardCharsets.ISO_8859_1);
                    }
                };
        return json.getBytes(StandardCharsets.ISO_8859_1);
    }

    /** A PNG with one black pixel per row. */
    private static byte[] tall(int height) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        ImageIO.write(new BufferedImage(1, height, BufferedImage.TYPE_BYTE_BINARY), "png", bytes);
        return bytes.toByteArray();
    }

    /** A change that a careless or hostile client makes: cut off, doubled, or with other bytes in it. */
    private byte[] broken(byte[] bytes) {
        byte[] changed = bytes.clone();
        switch (random.nextInt(5)) {
            case 0 -> changed = Arrays.copyOf(bytes, random.nextInt(bytes.length));
            case 1 -> changed = concat(bytes, bytes);
            case 2 -> {
                for (int i = random.nextInt(10); i >= 0; i--) {
                    changed[random.nextInt(changed.length)] = (byte) random.nextInt();
                }
            }
            case 3 -> {
                int from = random.nextInt(bytes.length);
                changed = concat(
                        Arrays.copyOf(bytes, from),
                        random(random.nextInt(20)),
                        Arrays.copyOfRange(bytes, from, bytes.length));
            }
            default -> {
                // As it is; something else in the request is wrong, or nothing.
            }
        }
        return changed;
    }

    private byte[] random(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    private static byte[] concat(byte[]... parts) {
        ByteBuffer all = ByteBuffer.allocate(
                Arrays.stream(parts).mapToInt(part -> part.length).sum());
        for (byte[] part : parts) {
            all.put(part);
        }
        return all.array();
    }
}
