package io.github.convzoo.serve;

import io.github.convzoo.Samples;
import io.github.convzoo.image.ImageDecoder;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.LoadOptions;
import io.github.convzoo.zoo.OpenModel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** A server in this process, and a client of it. */
final class Served implements AutoCloseable {

    static final Path BOOT = Samples.resource("fashion-mnist/ankle-boot.png");
    static final Path TROUSER = Samples.resource("fashion-mnist/trouser.png");

    /** Open to this machine, on any port. */
    static final ServerOptions OPTIONS = new ServerOptions(
            "127.0.0.1",
            0,
            ServerOptions.Access.DEFAULT,
            ServerOptions.Batching.DEFAULT,
            ServerOptions.RequestLimits.DEFAULT,
            2);

    private final ModelServer server;
    private final HttpClient client = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(30))
            .build();

    private Served(ModelServer server) {
        this.server = server;
    }

    /** Serves the bundled network under the names. */
    static Served of(ServerOptions options, String... names) throws IOException {
        List<Offer> offers = new ArrayList<>();
        for (String name : names) {
            offers.add(offer(name, "peleenet.fmnist", LoadOptions.published()));
        }
        return new Served(ModelServer.start(offers, options));
    }

    static Served of(ServerOptions options, List<Offer> offers) throws IOException {
        return new Served(ModelServer.start(offers, options));
    }

    static Offer offer(String name, String model, LoadOptions options) throws IOException {
        OpenModel open = ConvZoo.open(model, options);
        return new Offer(name, open, options, open.config(options), new ImageDecoder());
    }

    static ServerOptions with(ServerOptions.Access access) {
        return new ServerOptions("127.0.0.1", 0, access, OPTIONS.batching(), OPTIONS.limits(), 2);
    }

    static ServerOptions withKey(String key) {
        return with(new ServerOptions.Access(Optional.of(key), Set.of(), false));
    }

    static ServerOptions with(ServerOptions.Batching batching) {
        return new ServerOptions("127.0.0.1", 0, OPTIONS.access(), batching, OPTIONS.limits(), 2);
    }

    static ServerOptions with(ServerOptions.RequestLimits limits) {
        return new ServerOptions("127.0.0.1", 0, OPTIONS.access(), OPTIONS.batching(), limits, 2);
    }

    /** Limits of requests, with the usual ones of connections. */
    static ServerOptions.RequestLimits limits(int bytes, int images, long memory, Duration readTime) {
        return new ServerOptions.RequestLimits(
                bytes, images, memory, readTime, OPTIONS.limits().connections());
    }

    static ServerOptions.Batching batching(int size, Duration delay, int queue, Duration deadline) {
        return new ServerOptions.Batching(OptionalInt.of(size), delay, queue, deadline);
    }

    ModelServer server() {
        return server;
    }

    URI uri(String path) {
        return server.address().resolve(path);
    }

    HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(uri(path)).timeout(Duration.ofMinutes(1));
    }

    HttpResponse<String> send(HttpRequest request) throws IOException {
        return send(request, HttpResponse.BodyHandlers.ofString());
    }

    <T> HttpResponse<T> send(HttpRequest request, HttpResponse.BodyHandler<T> handler) throws IOException {
        try {
            return client.send(request, handler);
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    HttpResponse<String> get(String path) throws IOException {
        return send(request(path).build());
    }

    HttpResponse<String> post(String path, byte[] body, String... headers) throws IOException {
        HttpRequest.Builder builder = request(path).POST(HttpRequest.BodyPublishers.ofByteArray(body));
        return send((headers.length == 0 ? builder : builder.headers(headers)).build());
    }

    HttpResponse<String> post(String path, String json) throws IOException {
        return post(path, json.getBytes(StandardCharsets.UTF_8), "Content-Type", "application/json");
    }

    HttpResponse<String> post(String path, Path file) throws IOException {
        return post(path, Files.readAllBytes(file));
    }

    /** A connection on which a test reads and writes bytes itself. */
    Socket connect() throws IOException {
        Socket socket =
                new Socket(InetAddress.getLoopbackAddress(), server.address().getPort());
        socket.setSoTimeout(60_000);
        return socket;
    }

    /** Sends bytes as they are, and returns what comes back until the server closes the connection. */
    String raw(byte[] request) throws IOException {
        try (Socket socket = connect()) {
            socket.getOutputStream().write(request);
            socket.getOutputStream().flush();
            socket.shutdownOutput();
            return read(socket.getInputStream());
        }
    }

    /** Everything until the end, also if the server resets the connection because it did not read all. */
    static String read(InputStream in) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        try {
            in.transferTo(all);
        } catch (IOException e) {
            // What came before counts.
        }
        return all.toString(StandardCharsets.ISO_8859_1);
    }

    String raw(String request) throws IOException {
        return raw(request.getBytes(StandardCharsets.ISO_8859_1));
    }

    /** A multipart form of files and fields. */
    static final class FormData {

        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        FormData file(String name, String fileName, byte[] content) {
            return part(
                    "Content-Disposition: form-data; name=\"" + name + "\"; filename=\"" + fileName + "\"", content);
        }

        FormData field(String name, String value) {
            return part(
                    "Content-Disposition: form-data; name=\"" + name + "\"", value.getBytes(StandardCharsets.UTF_8));
        }

        FormData part(String headers, byte[] content) {
            bytes.writeBytes(("--cut\r\n" + headers + "\r\n\r\n").getBytes(StandardCharsets.UTF_8));
            bytes.writeBytes(content);
            bytes.writeBytes("\r\n".getBytes(StandardCharsets.UTF_8));
            return this;
        }

        byte[] end() {
            bytes.writeBytes("--cut--\r\n".getBytes(StandardCharsets.UTF_8));
            return bytes.toByteArray();
        }
    }

    HttpResponse<String> postForm(String path, FormData form) throws IOException {
        return post(path, form.end(), "Content-Type", "multipart/form-data; boundary=cut");
    }

    @Override
    public void close() {
        server.close();
    }
}
