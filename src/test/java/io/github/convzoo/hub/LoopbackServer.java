package io.github.convzoo.hub;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.net.ServerSocketFactory;

/** An HTTP server on loopback that can break off, stall and lie; a connection takes one request. */
public final class LoopbackServer implements Closeable {

    /** What a client asked for; header names in lower case. */
    public record Request(String method, String target, Map<String, String> headers) {

        /** The first byte that a range request asks for; 0 for the whole file. */
        public int from() {
            String range = headers.get("range");
            return range == null ? 0 : Integer.parseInt(range.replaceAll("bytes=(\\d+)-", "$1"));
        }
    }

    /** Answers one request. The connection is closed when it returns. */
    @FunctionalInterface
    public interface Handler {
        void answer(Request request, OutputStream out) throws IOException, InterruptedException;
    }

    private final ServerSocket socket;
    private final Handler handler;
    private final List<Request> requests = new CopyOnWriteArrayList<>();

    public LoopbackServer(Handler handler) throws IOException {
        this(ServerSocketFactory.getDefault(), handler);
    }

    /** A server with sockets of another kind, such as those of TLS. */
    public LoopbackServer(ServerSocketFactory sockets, Handler handler) throws IOException {
        this.handler = handler;
        socket = sockets.createServerSocket(0, 100, InetAddress.getLoopbackAddress());
        Thread accepting = new Thread(this::accept, "loopback-server");
        accepting.setDaemon(true);
        accepting.start();
    }

    public String url() {
        return "http://127.0.0.1:" + port();
    }

    public int port() {
        return socket.getLocalPort();
    }

    public List<Request> requests() {
        return requests;
    }

    /** Writes a head; headers are names and values in turn. */
    public static void head(OutputStream out, int status, Object... headers) throws IOException {
        StringBuilder head = new StringBuilder("HTTP/1.1 ").append(status).append(" Status\r\nConnection: close\r\n");
        for (int i = 0; i < headers.length; i += 2) {
            head.append(headers[i]).append(": ").append(headers[i + 1]).append("\r\n");
        }
        out.write(head.append("\r\n").toString().getBytes(StandardCharsets.ISO_8859_1));
        out.flush();
    }

    /** Answers without a body. */
    public static void status(OutputStream out, int status, Object... headers) throws IOException {
        Object[] all = Arrays.copyOf(headers, headers.length + 2);
        all[headers.length] = "Content-Length";
        all[headers.length + 1] = 0;
        head(out, status, all);
    }

    private void accept() {
        while (true) {
            Socket connection;
            try {
                connection = socket.accept();
            } catch (IOException e) {
                return;
            }
            Thread answering = new Thread(() -> serve(connection), "loopback-connection");
            answering.setDaemon(true);
            answering.start();
        }
    }

    private void serve(Socket connection) {
        try (connection) {
            InputStream in = new BufferedInputStream(connection.getInputStream());
            String[] words = line(in).split(" ", -1);
            if (words.length < 2) {
                return;
            }
            Map<String, String> headers = new HashMap<>();
            for (String line = line(in); !line.isEmpty(); line = line(in)) {
                int colon = line.indexOf(':');
                headers.put(
                        line.substring(0, colon).toLowerCase(Locale.ROOT),
                        line.substring(colon + 1).strip());
            }
            Request request = new Request(words[0], words[1], headers);
            requests.add(request);
            handler.answer(request, connection.getOutputStream());
            connection.getOutputStream().flush();
        } catch (IOException e) {
            // The client went away, as it may.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static String line(InputStream in) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int b = in.read(); b >= 0 && b != '\n'; b = in.read()) {
            line.write(b);
        }
        return line.toString(StandardCharsets.ISO_8859_1).stripTrailing();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
