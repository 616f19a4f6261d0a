package io.github.convzoo.zoo;

import io.github.convzoo.hub.Deadline;
import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/**
 * One GET request over HTTP/1.1 to a checked address, within a total time limit.
 *
 * <p>The JDK's clients resolve the host again after the check, when its name server may answer differently; this class
 * connects to the checked address. Their timeouts cover silence, but not a response head that arrives byte by byte;
 * this class closes the connection when the time is up, whatever its state. It does not follow redirects, because they
 * could lead to a forbidden address. Source: RFC 9112.
 */
final class PinnedRequest implements Closeable {

    /** Thrown if a host's address is not allowed. */
    static final class RefusedException extends IOException {
        private static final long serialVersionUID = 1L;

        RefusedException(String host) {
            super(host);
        }
    }

    private static final Duration CONNECT = Duration.ofSeconds(15);
    private static final int MAX_HEAD_BYTES = 1 << 16;
    private static final Pattern STATUS = Pattern.compile("HTTP/1\\.[0-9] ([1-9][0-9]{2})( .*)?");
    private static final Pattern LENGTH = Pattern.compile("[0-9]{1,18}");
    private static final Pattern CHUNK = Pattern.compile("([0-9a-fA-F]{1,8})\\s*(;.*)?");

    private static final ScheduledThreadPoolExecutor CLOCK = clock();

    private final URL url;
    private final Deadline deadline;
    private final ScheduledFuture<?> alarm;
    private volatile @Nullable Socket open;
    private volatile boolean over;
    private InputStream in = InputStream.nullInputStream();
    private int headBytes;
    private int status;
    private Map<String, String> headers = Map.of();

    private PinnedRequest(URL url, Duration time) {
        this.url = url;
        deadline = Deadline.in(time);
        alarm = CLOCK.schedule(this::expire, deadline.whole().toNanos(), TimeUnit.NANOSECONDS);
    }

    private static ScheduledThreadPoolExecutor clock() {
        ScheduledThreadPoolExecutor executor = new ScheduledThreadPoolExecutor(1, task -> {
            Thread thread = new Thread(task, "convzoo-image-requests");
            thread.setDaemon(true);
            return thread;
        });
        executor.setRemoveOnCancelPolicy(true);
        return executor;
    }

    /**
     * Sends the request and reads the head of the response.
     *
     * @param url an http or https URL with a host
     * @param allowed the condition for all of the host's addresses
     * @param time the time limit for everything, including the body
     * @throws RefusedException if an address is not allowed
     * @throws SocketTimeoutException if the time is up
     */
    static PinnedRequest send(URL url, Predicate<InetAddress> allowed, Duration time) throws IOException {
        PinnedRequest request = new PinnedRequest(url, time);
        try {
            request.connect(allowed);
            request.readHead();
            return request;
        } catch (IOException e) {
            request.close();
            throw request.explained(e);
        } catch (RuntimeException e) {
            request.close();
            throw e;
        }
    }

    int status() {
        return status;
    }

    Optional<String> header(String lowerCaseName) {
        return Optional.ofNullable(headers.get(lowerCaseName));
    }

    private void connect(Predicate<InetAddress> allowed) throws IOException {
        String host = url.getHost().replaceAll("^\\[|\\]$", "");
        List<InetAddress> addresses = List.of(InetAddress.getAllByName(host));
        if (!addresses.stream().allMatch(allowed)) {
            throw new RefusedException(host);
        }
        int port = url.getPort() < 0 ? url.getDefaultPort() : url.getPort();
        Socket socket = connected(addresses, port);
        if (url.getProtocol().equalsIgnoreCase("https")) {
            SSLSocket tls =
                    (SSLSocket) HttpsURLConnection.getDefaultSSLSocketFactory().createSocket(socket, host, port, true);
            SSLParameters parameters = tls.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            tls.setSSLParameters(parameters);
            tls.startHandshake();
            socket = tls;
        }
        String authority = url.getPort() < 0 ? url.getHost() : url.getHost() + ":" + url.getPort();
        String head = "GET " + target(url) + " HTTP/1.1\r\nHost: " + authority
                + "\r\nUser-Agent: convzoo\r\nAccept: image/*,*/*;q=0.5\r\nAccept-Encoding: identity"
                + "\r\nConnection: close\r\n\r\n";
        socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
        in = new BufferedInputStream(socket.getInputStream());
    }

    /** Connects to the first address that answers. */
    private Socket connected(List<InetAddress> addresses, int port) throws IOException {
        IOException failure = new IOException("no address");
        for (InetAddress address : addresses) {
            Socket socket = new Socket(proxy());
            keep(socket);
            try {
                socket.connect(new InetSocketAddress(address, port), connectMillis());
                return socket;
            } catch (IOException e) {
                failure = e;
                socket.close();
            }
        }
        throw failure;
    }

    /** Asks a proxy for a tunnel to the address. */
    private Proxy proxy() {
        ProxySelector selector = ProxySelector.getDefault();
        if (selector == null) {
            return Proxy.NO_PROXY;
        }
        List<Proxy> proxies = selector.select(
                URI.create(url.getProtocol() + "://" + url.getHost().replaceAll("%.*", "]")));
        return proxies.isEmpty() ? Proxy.NO_PROXY : proxies.get(0);
    }

    /** Path and query, with invalid characters percent-encoded as UTF-8. */
    static String target(URL url) {
        StringBuilder target = new StringBuilder(url.getPath().startsWith("/") ? "" : "/");
        for (byte each : url.getFile().getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (each & 0xff);
            boolean plain = c > ' ' && c < 0x7f && "\"<>\\^`{|}".indexOf(c) < 0;
            target.append(plain ? String.valueOf(c) : String.format(Locale.ROOT, "%%%02X", (int) c));
        }
        return target.toString();
    }

    private int connectMillis() throws SocketTimeoutException {
        if (deadline.hasPassed()) {
            throw timeout();
        }
        // Zero would mean no timeout.
        return Math.max(1, (int) deadline.atMost(CONNECT).toMillis());
    }

    private void keep(Socket socket) throws IOException {
        open = socket;
        if (over) {
            socket.close();
        }
    }

    /** Closes the connection below TLS, which would wait for the peer to close it. */
    private void expire() {
        over = true;
        closeSocket();
    }

    private void closeSocket() {
        Socket socket = open;
        if (socket != null) {
            try {
                socket.close();
            } catch (IOException e) {
                // The connection is not reused.
            }
        }
    }

    private SocketTimeoutException timeout() {
        return new SocketTimeoutException("the download took longer than " + deadline);
    }

    private IOException explained(IOException e) {
        return over && !(e instanceof SocketTimeoutException)
                ? (IOException) timeout().initCause(e)
                : e;
    }

    private void readHead() throws IOException {
        do {
            var matcher = STATUS.matcher(line());
            if (!matcher.matches()) {
                throw new IOException("the server's response is not HTTP");
            }
            status = Integer.parseInt(matcher.group(1));
            Map<String, String> found = new HashMap<>();
            for (String line = line(); !line.isEmpty(); line = line()) {
                int colon = line.indexOf(':');
                if (colon > 0) {
                    found.put(
                            line.substring(0, colon).toLowerCase(Locale.ROOT),
                            line.substring(colon + 1).strip());
                }
            }
            headers = found;
        } while (status < 200);
    }

    private String line() throws IOException {
        StringBuilder line = new StringBuilder();
        int value = in.read();
        while (value != '\n') {
            if (value < 0) {
                throw new EOFException("the connection broke");
            }
            if (++headBytes > MAX_HEAD_BYTES) {
                throw new IOException("the head of the response is longer than 64 KiB");
            }
            line.append((char) value);
            value = in.read();
        }
        return line.toString().stripTrailing();
    }

    /** The body of the response. Reading fails if the connection breaks before its end. */
    InputStream body() throws IOException {
        String encoding = header("content-encoding").orElse("identity");
        if (!encoding.equalsIgnoreCase("identity")) {
            throw new IOException("the server sent an unrequested content encoding (" + encoding + ")");
        }
        String transfer = header("transfer-encoding").orElse("identity");
        if (transfer.equalsIgnoreCase("chunked")) {
            return new Body(0, true);
        }
        if (!transfer.equalsIgnoreCase("identity")) {
            throw new IOException("the server sent an unknown transfer encoding (" + transfer + ")");
        }
        String length = header("content-length").orElse("");
        return new Body(LENGTH.matcher(length).matches() ? Long.parseLong(length) : Long.MAX_VALUE, false);
    }

    @Override
    public void close() {
        alarm.cancel(false);
        closeSocket();
    }

    /** The body's bytes, without the framing of its chunks. */
    private final class Body extends FilterInputStream {
        private final boolean chunked;
        private final boolean untilClosed;
        private long left;
        private boolean first = true;
        private boolean ended;

        Body(long length, boolean chunked) {
            super(PinnedRequest.this.in);
            this.chunked = chunked;
            untilClosed = length == Long.MAX_VALUE;
            left = length;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            if (length == 0) {
                return 0;
            }
            try {
                if (over) {
                    throw timeout();
                }
                if (left == 0 && chunked && !ended) {
                    nextChunk();
                }
                if (left == 0) {
                    return -1;
                }
                int n = in.read(bytes, offset, (int) Math.min(length, left));
                if (n < 0 && !untilClosed) {
                    throw new EOFException("the connection broke");
                }
                left -= untilClosed ? 0 : Math.max(0, n);
                return n;
            } catch (IOException e) {
                throw explained(e);
            }
        }

        private void nextChunk() throws IOException {
            // Each line may be as long as the head.
            headBytes = 0;
            if (!first && !line().isEmpty()) {
                throw new IOException("a chunk of the response has no end");
            }
            first = false;
            var matcher = CHUNK.matcher(line());
            if (!matcher.matches()) {
                throw new IOException("a chunk of the response has no length");
            }
            left = Long.parseLong(matcher.group(1), 16);
            ended = left == 0;
        }
    }
}
