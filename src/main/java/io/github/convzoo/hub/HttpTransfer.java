package io.github.convzoo.hub;

import ai.djl.util.Progress;
import io.github.convzoo.message.Reason;
import java.io.IOException;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.UnresolvedAddressException;
import java.security.cert.CertificateException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Downloads one file over HTTP into a partial file, with redirects, resume, and retries. */
final class HttpTransfer {

    /** Waits; tests replace it. */
    @FunctionalInterface
    interface Pause {
        void of(Duration time) throws InterruptedException;

        /** Waits for a server's response. */
        default <T> T await(CompletableFuture<T> answer, Duration longest)
                throws InterruptedException, ExecutionException, TimeoutException {
            return answer.get(longest.toMillis(), TimeUnit.MILLISECONDS);
        }
    }

    /**
     * The result of a download.
     *
     * @param sha256 the SHA-256 announced by the hub; null if none
     * @param tag the entity tag of the response, if it looks like a SHA-256; else null
     * @param resumed whether a part came from an earlier response
     */
    record Received(@Nullable String sha256, @Nullable String tag, boolean resumed) {}

    private static final int MAX_REDIRECTS = 10;
    private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);
    private static final Pattern CONTENT_RANGE = Pattern.compile("bytes (\\d{1,18})-(\\d{1,18})/(\\d{1,18}|\\*)");
    private static final Pattern UNSATISFIED = Pattern.compile("bytes \\*/(\\d{1,18})");
    private static final Pattern NUMBER = Pattern.compile("\\d{1,18}");

    /**
     * An attempt with this many bytes counts as progress, so that servers that deliver single bytes do not loop
     * forever.
     */
    private static final long GETTING_ON = 1 << 20;

    private final StoreSettings settings;
    private final TransferSettings limits;
    private final Pause pause;
    private final HttpClient client;

    HttpTransfer(StoreSettings settings, Pause pause) {
        this.settings = settings;
        this.pause = pause;
        limits = settings.transfers();
        HttpClient.Builder builder = HttpClient.newBuilder()
                // HTTP/2 does not help a single download, and the upgrade may confuse plain HTTP servers.
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(limits.connectTimeout());
        ProxySelector proxies = ProxySelector.getDefault();
        client = (proxies == null ? builder : builder.proxy(proxies)).build();
    }

    /** Retries until the file is complete, within the limits of the settings and the deadline. */
    Received fetch(Source source, PartialFile part, Deadline deadline, @Nullable Progress progress)
            throws TransferException, IOException, InterruptedException {
        int failures = 0;
        long farthest = part.size();
        while (true) {
            Attempt attempt = new Attempt(source, part, deadline, progress);
            try {
                attempt.run();
                return new Received(attempt.promised, attempt.tag, attempt.from > 0);
            } catch (TransferException e) {
                long size = part.size();
                failures = size - farthest >= GETTING_ON ? 1 : failures + 1;
                farthest = Math.max(farthest, size);
                if (!e.worthRetrying()) {
                    throw e;
                }
                if (failures >= limits.attempts()) {
                    throw TransferException.lasting(
                            e.getMessage() + (failures == 1 ? "" : " (tried " + failures + " times)"), e);
                }
                pause.of(deadline.atMost(delay(failures, e.retryAfter())));
                if (deadline.hasPassed()) {
                    throw tooLong(deadline, e);
                }
            }
        }
    }

    private static TransferException tooLong(Deadline deadline, @Nullable Throwable cause) {
        return TransferException.lasting(
                "not done within " + deadline
                        + ", the time limit for a download; the partial file is kept, so try again to resume, or raise "
                        + StoreSettings.MAX_TIME,
                cause);
    }

    /** The commit in the hub's response; the file itself is not read. */
    Optional<String> commit(Source source) throws TransferException, InterruptedException {
        Deadline deadline = Deadline.in(limits.longestTime());
        URI uri = source.uri();
        for (int hops = 0; hops <= MAX_REDIRECTS; hops++) {
            HttpRequest.Builder builder = HttpRequest.newBuilder(uri)
                    .method("HEAD", HttpRequest.BodyPublishers.noBody())
                    .header("User-Agent", "convzoo");
            authorize(builder, source, uri);
            HttpResponse<BodyReader> response = send(builder.build(), deadline);
            response.body().close();
            Optional<String> commit = response.headers().firstValue("X-Repo-Commit");
            int status = response.statusCode();
            if (commit.isPresent() || status == 200) {
                return commit;
            }
            if (!REDIRECTS.contains(status)) {
                throw refused(source, status, response.headers());
            }
            uri = openTarget(uri, response.headers());
        }
        throw TransferException.lasting("more than " + MAX_REDIRECTS + " redirects");
    }

    private void authorize(HttpRequest.Builder builder, Source source, URI uri) {
        if (source.hub() && settings.token() != null && sameServer(uri, source.uri())) {
            builder.header("Authorization", "Bearer " + settings.token());
        }
    }

    /** Exponential backoff with jitter in the upper half, so that clients do not retry in lockstep. */
    private Duration delay(int failures, @Nullable Duration asked) {
        long longest = limits.longestDelay().toMillis();
        long doubled = Math.min(longest, limits.firstDelay().toMillis() << Math.min(failures - 1, 20));
        long random = doubled - ThreadLocalRandom.current().nextLong(doubled / 2 + 1);
        return Duration.ofMillis(asked == null ? random : Math.min(longest, Math.max(random, asked.toMillis())));
    }

    /** One request, including its redirects. */
    private final class Attempt {
        private final Source source;
        private final PartialFile part;
        private final Deadline deadline;
        private final @Nullable Progress progress;

        /** The first byte requested: 0, or the length of the partial file. */
        private long from;

        private @Nullable String promised;
        private @Nullable String tag;

        /** The file's length announced by the hub, in bytes; -1 if none. */
        private long promisedSize = -1;

        Attempt(Source source, PartialFile part, Deadline deadline, @Nullable Progress progress) {
            this.source = source;
            this.part = part;
            this.deadline = deadline;
            this.progress = progress;
        }

        void run() throws TransferException, IOException, InterruptedException {
            Optional<CacheRecord.Origin> origin = part.origin().filter(this::canResume);
            from = origin.isPresent() ? part.size() : 0;
            URI uri = source.uri();
            for (int hops = 0; hops <= MAX_REDIRECTS; hops++) {
                HttpResponse<BodyReader> response = send(request(uri, origin), deadline);
                try (BodyReader body = response.body()) {
                    readPromises(response.headers());
                    if (!REDIRECTS.contains(response.statusCode())) {
                        answered(response, body, origin);
                        return;
                    }
                    uri = openTarget(uri, response.headers());
                }
            }
            throw TransferException.lasting("more than " + MAX_REDIRECTS + " redirects");
        }

        /**
         * Whether it can be verified, before or after the download, that the partial file belongs to this source's
         * file.
         */
        private boolean canResume(CacheRecord.Origin origin) {
            return origin.sha256() != null || source.digits() != null || (isOurs(origin) && strong(origin.tag()));
        }

        private boolean isOurs(CacheRecord.Origin origin) {
            return origin.source().equals(source.toString());
        }

        private HttpRequest request(URI uri, Optional<CacheRecord.Origin> origin) {
            HttpRequest.Builder builder =
                    HttpRequest.newBuilder(uri).header("User-Agent", "convzoo").header("Accept-Encoding", "identity");
            authorize(builder, source, uri);
            if (from > 0) {
                builder.header("Range", "bytes=" + from + "-");
                String known =
                        origin.filter(this::isOurs).map(CacheRecord.Origin::tag).orElse(null);
                if (known != null && strong(known)) {
                    builder.header("If-Range", known);
                }
            }
            return builder.build();
        }

        /** The first response with these headers is closest to the hub; storage behind it creates its own tags. */
        private void readPromises(HttpHeaders headers) {
            if (source.hub() && promised == null) {
                promised = Sha256.inTag(headers.firstValue("X-Linked-ETag").orElse(null));
                if (promised != null) {
                    promisedSize = number(headers, "X-Linked-Size");
                }
            }
        }

        private void answered(HttpResponse<BodyReader> response, BodyReader body, Optional<CacheRecord.Origin> origin)
                throws TransferException, IOException, InterruptedException {
            HttpHeaders headers = response.headers();
            int status = response.statusCode();
            if (status == 416 && from > 0) {
                rangeRefused(headers, origin);
                return;
            }
            if (status != 200 && status != 206) {
                throw refused(source, status, headers);
            }
            String encoding = headers.firstValue("Content-Encoding").orElse("identity");
            if (!encoding.equalsIgnoreCase("identity")) {
                throw TransferException.lasting("the server sent an unrequested content encoding (" + encoding + ")");
            }
            long length = number(headers, "Content-Length");
            String entityTag = headers.firstValue("ETag").orElse(null);
            long total = length;
            if (status == 206) {
                total = total(headers, length);
                if (origin.isPresent()) {
                    total = requireSameFile(origin.get(), total, entityTag);
                }
            } else {
                from = 0;
            }
            check(total);
            tag = Sha256.inTag(entityTag);
            total = total >= 0 ? total : promisedSize;
            if (from == 0) {
                part.begin(new CacheRecord.Origin(source.toString(), entityTag, promised, total >= 0 ? total : null));
            }
            receive(body, total);
        }

        /**
         * Compares the offered file with the one of the partial download. Parts of different files are never joined,
         * even if no hash would reveal it.
         *
         * @return the complete file's length, if either of the two states it
         */
        private long requireSameFile(CacheRecord.Origin first, long total, @Nullable String entityTag)
                throws TransferException, IOException {
            String known = first.sha256();
            if (known != null && promised != null && !known.equals(promised)) {
                throw startOver("the file has changed since its download started");
            }
            Long size = first.size();
            if (size != null && total >= 0 && size != total) {
                throw startOver("the file has " + total + " bytes, but had " + size + " when its download started");
            }
            // Servers behind a hub may have their own tags; the hub's hash is better evidence.
            boolean proven = known != null && known.equals(promised);
            boolean hashDecides = known != null || source.digits() != null;
            boolean sameTag = entityTag == null ? hashDecides : entityTag.equals(first.tag());
            if (isOurs(first) && first.tag() != null && !sameTag && !proven) {
                throw startOver("the file's ETag has changed since its download started");
            }
            promised = promised == null ? known : promised;
            return total < 0 && size != null ? size : total;
        }

        private void check(long total) throws TransferException, IOException {
            if (total >= 0 && promisedSize >= 0 && total != promisedSize) {
                part.delete();
                throw TransferException.lasting("it has " + total + " bytes, but the hub announced " + promisedSize);
            }
            if (Math.max(total, promisedSize) > limits.maxBytes()) {
                throw tooLarge(Math.max(total, promisedSize));
            }
            boolean hashKnown = promised != null || source.digits() != null;
            if (total < 0 && promisedSize < 0 && !hashKnown) {
                throw TransferException.lasting(
                        "neither its length nor its hash is known, so truncation could not be detected");
            }
        }

        private void receive(BodyReader body, long total) throws TransferException, IOException, InterruptedException {
            long size = from;
            long most = total >= 0 ? total : limits.maxBytes();
            Rate rate = new Rate();
            if (progress != null) {
                progress.reset("Downloading " + source.fileName(), total);
                progress.start(size);
            }
            try (FileChannel out = part.append()) {
                for (List<ByteBuffer> piece = next(body, rate); piece != null; piece = next(body, rate)) {
                    for (ByteBuffer buffer : piece) {
                        size += buffer.remaining();
                        if (size > most) {
                            throw total >= 0 ? longerThan(total, size) : tooLarge(size);
                        }
                        while (buffer.hasRemaining()) {
                            out.write(buffer);
                        }
                    }
                    if (progress != null) {
                        progress.update(size);
                    }
                }
            }
            if (total >= 0 && size < total) {
                throw TransferException.passing("the response ended at " + size + " of " + total + " bytes", null);
            }
            if (progress != null) {
                progress.end();
            }
        }

        private @Nullable List<ByteBuffer> next(BodyReader body, Rate rate)
                throws TransferException, InterruptedException {
            if (deadline.hasPassed()) {
                throw tooLong(deadline, null);
            }
            Duration patience = deadline.atMost(limits.idleTimeout());
            long start = System.nanoTime();
            try {
                List<ByteBuffer> piece = body.next(patience);
                if (piece != null) {
                    // The wait exceeds the timeout only if the process was suspended, which is not the server's fault.
                    long waited = Math.min(System.nanoTime() - start, patience.toNanos());
                    rate.add(piece.stream().mapToLong(ByteBuffer::remaining).sum(), waited);
                }
                return piece;
            } catch (HttpTimeoutException e) {
                throw deadline.hasPassed()
                        ? tooLong(deadline, e)
                        : TransferException.passing("no data for " + Deadline.seconds(limits.idleTimeout()), e);
            } catch (IOException e) {
                throw TransferException.passing("the connection broke (" + Reason.of(e) + ")", e);
            }
        }

        /** The complete file's length, from the headers of a partial response. */
        private long total(HttpHeaders headers, long length) throws TransferException, IOException {
            String range = headers.firstValue("Content-Range").orElse("");
            Matcher matcher = CONTENT_RANGE.matcher(range);
            if (from == 0 || !matcher.matches() || Long.parseLong(matcher.group(1)) != from) {
                throw startOver(
                        "requested the bytes from " + from + ", but the server sent \"" + printable(range) + "\"");
            }
            long end = Long.parseLong(matcher.group(2)) + 1;
            // A response may end before the file does; the next attempt then requests the rest.
            long total = matcher.group(3).equals("*") ? -1 : Long.parseLong(matcher.group(3));
            if ((length >= 0 && length != end - from) || (total >= 0 && end > total)) {
                throw startOver("the server's Content-Length and Content-Range disagree");
            }
            return total;
        }

        /** The partial file may be complete already, if a process was killed before it could move the file. */
        private void rangeRefused(HttpHeaders headers, Optional<CacheRecord.Origin> origin)
                throws TransferException, IOException {
            Matcher matcher =
                    UNSATISFIED.matcher(headers.firstValue("Content-Range").orElse(""));
            boolean complete = matcher.matches() && Long.parseLong(matcher.group(1)) == from;
            if (!complete || origin.isEmpty()) {
                throw startOver("the server does not have the bytes from " + from);
            }
            requireSameFile(origin.get(), from, headers.firstValue("ETag").orElse(null));
            tag = Sha256.inTag(origin.map(CacheRecord.Origin::tag).orElse(null));
        }

        private TransferException startOver(String why) throws IOException {
            part.delete();
            return TransferException.passing(why, null);
        }

        private TransferException longerThan(long total, long size) throws IOException {
            part.delete();
            return TransferException.lasting("it has at least " + size + " bytes, but " + total + " were announced");
        }

        private TransferException tooLarge(long size) throws IOException {
            part.delete();
            return TransferException.lasting("it has at least " + size + " bytes, over the limit of "
                    + limits.maxBytes() + "; if you trust it, raise " + StoreSettings.MAX_BYTES);
        }
    }

    /** The download rate, measured over consecutive intervals. Only time spent waiting counts. */
    private final class Rate {
        private long bytes;
        private long nanos;

        void add(long came, long waited) throws TransferException {
            bytes += came;
            nanos += waited;
            if (nanos < limits.rateTime().toNanos()) {
                return;
            }
            if (bytes < limits.leastRate() * (nanos / 1e9)) {
                throw TransferException.lasting(
                        "it sent " + bytes + " bytes in " + Deadline.seconds(Duration.ofNanos(nanos))
                                + ", slower than " + limits.leastRate() + " bytes per second; lower "
                                + StoreSettings.MIN_RATE + " to wait for it");
            }
            bytes = 0;
            nanos = 0;
        }
    }

    private TransferException refused(Source source, int status, HttpHeaders headers) {
        if (status == 401 || status == 403) {
            String what = status + ", access refused";
            if (!source.hub()) {
                return TransferException.lasting(what);
            }
            return TransferException.lasting(what
                    + (settings.token() == null
                            ? "; set HF_TOKEN to a token with read access"
                            : "; the token in HF_TOKEN has no read access"));
        }
        if (status == 404 || status == 410) {
            return TransferException.missing(status + ", no such file");
        }
        if (status == 429) {
            return TransferException.passingAfter("429, too many requests", retryAfter(headers));
        }
        if (status == 408 || status >= 500) {
            return TransferException.passingAfter(status + ", the server failed", retryAfter(headers));
        }
        return TransferException.lasting("the server responded " + status);
    }

    private HttpResponse<BodyReader> send(HttpRequest request, Deadline deadline)
            throws TransferException, InterruptedException {
        Duration longest = deadline.atMost(limits.connectTimeout().plus(limits.idleTimeout()));
        CompletableFuture<HttpResponse<BodyReader>> answer = client.sendAsync(request, info -> new BodyReader());
        try {
            return pause.await(answer, longest);
        } catch (TimeoutException e) {
            throw TransferException.passing("no response within " + Deadline.seconds(longest), e);
        } catch (ExecutionException e) {
            throw failure(e.getCause() == null ? e : e.getCause(), request.uri());
        } finally {
            // Ends the exchange if it was abandoned; otherwise does nothing.
            answer.cancel(true);
        }
    }

    private static TransferException failure(Throwable e, URI uri) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof UnresolvedAddressException) {
                // The JVM caches unknown host names for ten seconds, so retries would fail too.
                return TransferException.lasting("unknown host " + uri.getHost() + "; check the connection", e);
            }
            if (cause instanceof CertificateException) {
                return TransferException.lasting(
                        "the certificate of " + uri.getHost() + " is not trusted (" + Reason.of(cause) + ")", e);
            }
        }
        if (!(e instanceof IOException)) {
            return TransferException.lasting("the request failed (" + Reason.of(e) + ")", e);
        }
        return TransferException.passing(
                e instanceof HttpTimeoutException
                        ? "no connection in time"
                        : "no connection to " + Source.shown(uri.resolve("/")) + " (" + Reason.of(e) + ")",
                e);
    }

    /**
     * The target of a redirect, if it is allowed: an internet server must not redirect to an address of this machine's
     * network that the user did not name. A server on this network may redirect anywhere.
     */
    private static URI openTarget(URI from, HttpHeaders headers) throws TransferException {
        URI to = target(from, headers);
        if (!sameServer(to, from)
                && !SpecialAddresses.isPublic(to.getHost())
                && SpecialAddresses.isPublic(from.getHost())) {
            throw TransferException.lasting(
                    "redirected to " + Source.shown(to) + ", an address of this network or machine");
        }
        return to;
    }

    /** The target of a redirect. */
    static URI target(URI from, HttpHeaders headers) throws TransferException {
        String location = headers.firstValue("Location").orElse("");
        URI to;
        try {
            to = from.resolve(location);
        } catch (IllegalArgumentException e) {
            throw TransferException.lasting("redirected to an invalid URL", e);
        }
        String scheme = to.getScheme().toLowerCase(Locale.ROOT);
        if (location.isEmpty() || to.getHost() == null || !(scheme.equals("http") || scheme.equals("https"))) {
            throw TransferException.lasting(
                    "redirected to " + printable(Source.shown(to)) + ", which is not a web address");
        }
        if (scheme.equals("http") && from.getScheme().equalsIgnoreCase("https")) {
            throw TransferException.lasting(
                    "redirected from https to " + Source.shown(to) + ", which could be tampered with");
        }
        return to;
    }

    /**
     * Same host and port; a change from http to https on the standard ports also counts, because it only adds
     * protection.
     */
    static boolean sameServer(URI a, URI b) {
        if (!a.getHost().equalsIgnoreCase(b.getHost())) {
            return false;
        }
        boolean upgraded = a.getScheme().equalsIgnoreCase("https") && port(a) == 443 && port(b) == 80;
        return upgraded || (a.getScheme().equalsIgnoreCase(b.getScheme()) && port(a) == port(b));
    }

    private static int port(URI uri) {
        if (uri.getPort() >= 0) {
            return uri.getPort();
        }
        return uri.getScheme().equalsIgnoreCase("https") ? 443 : 80;
    }

    /** Whether the tag identifies the exact bytes, which a conditional range request needs. */
    private static boolean strong(@Nullable String tag) {
        return tag != null && tag.startsWith("\"") && tag.endsWith("\"") && tag.length() > 2;
    }

    static @Nullable Duration retryAfter(HttpHeaders headers) {
        String value = headers.firstValue("Retry-After").orElse("").strip();
        if (NUMBER.matcher(value).matches()) {
            return Duration.ofSeconds(Math.min(Long.parseLong(value), Integer.MAX_VALUE));
        }
        try {
            Instant until = ZonedDateTime.parse(value, DateTimeFormatter.RFC_1123_DATE_TIME)
                    .toInstant();
            Duration left = Duration.between(Instant.now(), until);
            return left.isNegative() ? Duration.ZERO : left;
        } catch (DateTimeException e) {
            return null;
        }
    }

    private static long number(HttpHeaders headers, String name) {
        String value = headers.firstValue(name).orElse("").strip();
        return NUMBER.matcher(value).matches() ? Long.parseLong(value) : -1;
    }

    private static String printable(String text) {
        String clean = text.replaceAll("[^ -~]", "?");
        return clean.length() > 100 ? clean.substring(0, 100) + "..." : clean;
    }
}
