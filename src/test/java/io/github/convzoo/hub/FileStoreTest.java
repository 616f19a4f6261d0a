package io.github.convzoo.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.util.Progress;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProxySelector;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class FileStoreTest {

    private static final byte[] CONTENT = Hubs.bytes(300_000, 1);
    private static final byte[] OTHER = Hubs.bytes(300_000, 2);
    private static final String HUB_FILE = "/timm/tiny/resolve/main/model.safetensors";

    private final Path directory;

    private final List<LoopbackServer> servers = new ArrayList<>();
    private final List<Duration> pauses = new ArrayList<>();
    private final CountDownLatch finished = new CountDownLatch(1);

    FileStoreTest(@TempDir Path directory) {
        this.directory = directory;
    }

    @AfterEach
    void stop() throws IOException {
        finished.countDown();
        for (LoopbackServer server : servers) {
            server.close();
        }
    }

    // The way there.

    @Test
    void fetch_fromTheHub_isVerifiedAndAskedForOnce() throws Exception {
        LoopbackServer hub = serve(Hubs.file(CONTENT));
        StoredFile file = store(hub).fetch(row("timm/tiny"), null);
        assertThat(file.path()).isEqualTo(home().resolve("model.safetensors")).hasBinaryContent(CONTENT);
        assertThat(file.state()).isEqualTo(StoredFile.State.VERIFIED);
        assertThat(file.sha256()).isEqualTo(Hubs.sha256(CONTENT));
        assertThat(store(hub).fetch(row("timm/tiny"), null)).isEqualTo(file);
        assertThat(hub.requests())
                .extracting(LoopbackServer.Request::target)
                .containsExactly("/timm/tiny/resolve/main/model.safetensors");
        assertThat(names()).containsExactly("model.safetensors", "model.safetensors.json");
    }

    @Test
    void fetch_redirectedToAnotherHost_trustsTheHubsHashAndKeepsTheToken() throws Exception {
        // Storage behind the hub has tags that look like hashes and are none of the file's.
        LoopbackServer storage =
                serve((request, out) -> Hubs.send(request, out, CONTENT, CONTENT.length, "ETag", Hubs.quoted(OTHER)));
        LoopbackServer hub = serve((request, out) -> LoopbackServer.status(
                out,
                302,
                "Location",
                "http://localhost:" + storage.port() + "/blob?signature=secret",
                "X-Linked-ETag",
                Hubs.quoted(CONTENT),
                "X-Linked-Size",
                CONTENT.length));
        StoreSettings settings = settings(hub);
        settings = new StoreSettings(
                settings.endpoints(),
                List.of(),
                "hf_token",
                null,
                settings.hubCache(),
                settings.cache(),
                settings.transfers());
        StoredFile file = new FileStore(settings, pauses::add).fetch(row("timm/tiny"), null);
        assertThat(file.state()).isEqualTo(StoredFile.State.VERIFIED);
        assertThat(hub.requests().get(0).headers()).containsEntry("authorization", "Bearer hf_token");
        assertThat(storage.requests().get(0).headers()).doesNotContainKey("authorization");
        assertThat(storage.requests().get(0).target()).isEqualTo("/blob?signature=secret");
    }

    @Test
    void fetch_redirectedWithinTheHub_keepsTheTokenAndReadsTheLaterHash() throws Exception {
        LoopbackServer hub = serve((request, out) -> {
            if (request.target().startsWith("/timm/tiny/")) {
                LoopbackServer.status(out, 307, "Location", "/timm/renamed/resolve/main/model.safetensors");
            } else {
                Hubs.file(CONTENT).answer(request, out);
            }
        });
        StoreSettings settings = settings(hub);
        settings = new StoreSettings(
                settings.endpoints(),
                List.of(),
                "hf_token",
                null,
                settings.hubCache(),
                settings.cache(),
                settings.transfers());
        assertThat(new FileStore(settings, pauses::add)
                        .fetch(row("timm/tiny"), null)
                        .state())
                .isEqualTo(StoredFile.State.VERIFIED);
        assertThat(hub.requests()).hasSize(2).allSatisfy(request -> assertThat(request.headers())
                .containsEntry("authorization", "Bearer hf_token"));
    }

    @Test
    void fetch_olderFile_isSoughtAtTheMirrorsFirst() throws Exception {
        LoopbackServer empty = serve((request, out) -> LoopbackServer.status(out, 404));
        LoopbackServer mirror = serve(Hubs.file(CONTENT));
        LoopbackServer origin = serve(Hubs.file(CONTENT));
        StoreSettings settings = settings();
        settings = new StoreSettings(
                settings.endpoints(),
                List.of(URI.create(empty.url()), URI.create(mirror.url() + "/weights")),
                "hf_token",
                null,
                settings.hubCache(),
                settings.cache(),
                settings.transfers());
        StoredFile file = new FileStore(settings, pauses::add)
                .fetch(row(null, origin.url() + "/releases/" + named(CONTENT)), null);
        assertThat(file.state()).isEqualTo(StoredFile.State.VERIFIED);
        assertThat(empty.requests()).extracting(LoopbackServer.Request::target).containsExactly("/" + named(CONTENT));
        assertThat(mirror.requests()).singleElement().satisfies(request -> {
            assertThat(request.target()).isEqualTo("/weights/" + named(CONTENT));
            assertThat(request.headers()).doesNotContainKey("authorization");
        });
        assertThat(origin.requests()).isEmpty();
    }

    @Test
    void fetch_olderAddress_getsNoToken() throws Exception {
        LoopbackServer hub = serve((request, out) -> {
            if (request.target().startsWith("/timm/")) {
                LoopbackServer.status(out, 404);
            } else {
                Hubs.file(CONTENT).answer(request, out);
            }
        });
        StoreSettings settings = settings(hub);
        settings = new StoreSettings(
                settings.endpoints(),
                List.of(),
                "hf_token",
                null,
                settings.hubCache(),
                settings.cache(),
                settings.transfers());
        new FileStore(settings, pauses::add).fetch(row("timm/tiny", hub.url() + "/" + named(CONTENT)), null);
        assertThat(hub.requests().get(1).headers()).doesNotContainKey("authorization");
    }

    @Test
    void fetch_redirectedInACircle_givesUp() throws Exception {
        LoopbackServer hub = serve((request, out) -> LoopbackServer.status(out, 302, "Location", request.target()));
        assertFails(store(hub), "more than 10 redirects");
        assertThat(hub.requests()).hasSize(11);
    }

    @ParameterizedTest
    @ValueSource(ints = {10, 11})
    void fetch_redirectedTenTimes_isFollowed_butNotElevenTimes(int redirects) throws Exception {
        LoopbackServer hub = serve((request, out) -> {
            String target = request.target();
            int hop = target.startsWith("/hop") ? Integer.parseInt(target.substring("/hop".length())) : 0;
            if (hop < redirects) {
                LoopbackServer.status(out, 302, "Location", "/hop" + (hop + 1));
            } else {
                Hubs.file(CONTENT).answer(request, out);
            }
        });
        if (redirects == 10) {
            assertThat(store(hub).fetch(row("timm/tiny"), null).state()).isEqualTo(StoredFile.State.VERIFIED);
        } else {
            assertFails(store(hub), "more than 10 redirects");
        }
        assertThat(hub.requests()).hasSize(11);
    }

    @Test
    void fetch_proxySet_goesThroughIt() throws Exception {
        LoopbackServer proxy = serve(Hubs.file(CONTENT));
        ProxySelector before = ProxySelector.getDefault();
        ProxySelector.setDefault(
                ProxySelector.of(new InetSocketAddress(InetAddress.getLoopbackAddress(), proxy.port())));
        try {
            store(List.of(URI.create("http://hub.invalid")), limits(3, 5000)).fetch(row("timm/tiny"), null);
        } finally {
            ProxySelector.setDefault(before);
        }
        assertThat(proxy.requests())
                .extracting(LoopbackServer.Request::target)
                .containsExactly("http://hub.invalid/timm/tiny/resolve/main/model.safetensors");
    }

    @Test
    void fetch_progress_countsBytesToTheEnd() throws Exception {
        Recorded progress = new Recorded();
        store(serve(Hubs.file(CONTENT))).fetch(row("timm/tiny"), progress);
        assertThat(progress.events.get(0)).isEqualTo("reset 300000");
        assertThat(progress.events.get(1)).isEqualTo("start 0");
        assertThat(progress.events.subList(progress.events.size() - 2, progress.events.size()))
                .containsExactly("update 300000", "end");
    }

    // Cuts and resuming.

    @Test
    void fetch_cutTwice_resumesWhereItStopped() throws Exception {
        AtomicInteger count = new AtomicInteger();
        LoopbackServer hub = serve((request, out) -> {
            int until = Math.min(CONTENT.length, 100_000 * count.incrementAndGet());
            Hubs.send(request, out, CONTENT, until, "X-Linked-ETag", Hubs.quoted(CONTENT), "ETag", "\"v1\"");
        });
        assertThat(store(hub).fetch(row("timm/tiny"), null).path()).hasBinaryContent(CONTENT);
        assertThat(hub.requests()).extracting(LoopbackServer.Request::from).containsExactly(0, 100_000, 200_000);
        assertThat(hub.requests().get(1).headers()).containsEntry("if-range", "\"v1\"");
        assertThat(pauses).hasSize(2);
    }

    @Test
    void fetch_cutInAnEarlierProcess_resumesWhereItStopped() throws Exception {
        AtomicInteger count = new AtomicInteger();
        LoopbackServer hub = serve((request, out) -> Hubs.send(
                request,
                out,
                CONTENT,
                count.incrementAndGet() == 1 ? 123_456 : CONTENT.length,
                "X-Linked-ETag",
                Hubs.quoted(CONTENT)));
        assertFails(store(List.of(URI.create(hub.url())), limits(1, 5000)), "the connection broke");
        assertThat(names()).containsExactly("model.safetensors.part", "model.safetensors.part.json");
        Recorded progress = new Recorded();
        assertThat(store(hub).fetch(row("timm/tiny"), progress).path()).hasBinaryContent(CONTENT);
        assertThat(hub.requests().get(1).from()).isEqualTo(123_456);
        assertThat(progress.events.get(1)).isEqualTo("start 123456");
        assertThat(names()).containsExactly("model.safetensors", "model.safetensors.json");
    }

    @Test
    void fetch_rangesRefused_startsOver() throws Exception {
        AtomicInteger count = new AtomicInteger();
        LoopbackServer hub = serve((request, out) -> {
            int until = count.incrementAndGet() == 1 ? 100_000 : CONTENT.length;
            LoopbackServer.head(out, 200, "Content-Length", CONTENT.length, "X-Linked-ETag", Hubs.quoted(CONTENT));
            out.write(CONTENT, 0, until);
        });
        assertThat(store(hub).fetch(row("timm/tiny"), null).path()).hasBinaryContent(CONTENT);
        assertThat(hub.requests()).extracting(LoopbackServer.Request::from).containsExactly(0, 100_000);
    }

    @Test
    void fetch_rangeNotSatisfiable_startsOver() throws Exception {
        LoopbackServer hub = serve(Hubs.file(CONTENT));
        leavePart(hub, Arrays.copyOf(OTHER, 400_000), Hubs.sha256(CONTENT));
        assertThat(store(hub).fetch(row("timm/tiny"), null).path()).hasBinaryContent(CONTENT);
        assertThat(hub.requests()).extracting(LoopbackServer.Request::from).containsExactly(400_000, 0);
    }

    @Test
    void fetch_partComplete_isMovedWithoutAnotherByte() throws Exception {
        LoopbackServer hub = serve(Hubs.file(CONTENT));
        leavePart(hub, CONTENT, Hubs.sha256(CONTENT));
        assertThat(store(hub).fetch(row("timm/tiny"), null).state()).isEqualTo(StoredFile.State.VERIFIED);
        assertThat(hub.requests()).hasSize(1);
        assertThat(pauses).isEmpty();
    }

    @Test
    void fetch_rangeOfOtherBytes_startsOver() throws Exception {
        LoopbackServer hub = serve((request, out) -> {
            if (request.from() > 0) {
                LoopbackServer.head(out, 206, "Content-Length", 10, "Content-Range", "bytes 0-9/300000");
                out.write(CONTENT, 0, 10);
            } else {
                Hubs.file(CONTENT).answer(request, out);
            }
        });
        leavePart(hub, Arrays.copyOf(CONTENT, 1000), Hubs.sha256(CONTENT));
        assertThat(store(hub).fetch(row("timm/tiny"), null).path()).hasBinaryContent(CONTENT);
    }

    /** Appended where the part ends, such bytes would only be found wrong by their hash, after all of them came. */
    @Test
    void fetch_rangeFromAnEarlierByte_startsOver() throws Exception {
        LoopbackServer hub = serve((request, out) -> {
            if (request.from() > 0) {
                int length = CONTENT.length - 500;
                LoopbackServer.head(
                        out, 206, "Content-Length", length, "Content-Range", "bytes 500-299999/" + CONTENT.length);
                out.write(CONTENT, 500, length);
            } else {
                Hubs.file(CONTENT).answer(request, out);
            }
        });
        leavePart(hub, Arrays.copyOf(CONTENT, 1000), Hubs.sha256(CONTENT));
        Recorded progress = new Recorded();
        assertThat(store(hub).fetch(row("timm/tiny"), progress).path()).hasBinaryContent(CONTENT);
        assertThat(hub.requests()).extracting(LoopbackServer.Request::from).containsExactly(1000, 0);
        // Nothing of the wrong range was taken.
        assertThat(progress.events).doesNotContain("start 1000");
    }

    @Test
    void fetch_shortRange_asksForTheRest() throws Exception {
        LoopbackServer hub = serve((request, out) -> {
            int end = Math.min(CONTENT.length, request.from() + 150_000);
            LoopbackServer.head(
                    out,
                    206,
                    "Content-Length",
                    end - request.from(),
                    "Content-Range",
                    "bytes " + request.from() + "-" + (end - 1) + "/" + CONTENT.length,
                    "X-Linked-ETag",
                    Hubs.quoted(CONTENT));
            out.write(CONTENT, request.from(), end - request.from());
        });
        leavePart(hub, Arrays.copyOf(CONTENT, 1000), Hubs.sha256(CONTENT));
        assertThat(store(hub).fetch(row("timm/tiny"), null).path()).hasBinaryContent(CONTENT);
        assertThat(hub.requests()).extracting(LoopbackServer.Request::from).containsExactly(1000, 151_000);
    }

    @Test
    void fetch_partOfAnOlderFile_startsOver() throws Exception {
        LoopbackServer hub = serve(Hubs.file(CONTENT));
        leavePart(hub, Arrays.copyOf(OTHER, 1000), Hubs.sha256(OTHER));
        assertThat(store(hub).fetch(row("timm/tiny"), null).path()).hasBinaryContent(CONTENT);
        assertThat(hub.requests()).extracting(LoopbackServer.Request::from).containsExactly(1000, 0);
    }

    @Test
    void fetch_partDamagedOnDisk_startsOverOnce() throws Exception {
        LoopbackServer hub = serve(Hubs.file(CONTENT));
        leavePart(hub, new byte[1000], Hubs.sha256(CONTENT));
        assertThat(store(hub).fetch(row("timm/tiny"), null).path()).hasBinaryContent(CONTENT);
        assertThat(hub.requests()).extracting(LoopbackServer.Request::from).containsExactly(1000, 0);
    }

    @Test
    void fetch_restComesWithoutItsHash_isHeldToTheFirstPartsPromise() throws Exception {
        LoopbackServer hub = serve((request, out) -> Hubs.send(request, out, CONTENT, CONTENT.length));
        leavePart(hub, Arrays.copyOf(CONTENT, 1000), Hubs.sha256(CONTENT));
        StoredFile file = store(hub).fetch(row("timm/tiny"), null);
        assertThat(file.state()).isEqualTo(StoredFile.State.VERIFIED);
        assertThat(hub.requests()).extracting(LoopbackServer.Request::from).containsExactly(1000);
    }

    @Test
    void fetch_cutOftenButGettingOn_isNotGivenUp() throws Exception {
        byte[] large = Hubs.bytes(5 << 20, 9);
        LoopbackServer hub = serve((request, out) -> {
            int until = Math.min(large.length, request.from() + (5 << 18));
            Hubs.send(request, out, large, until, "X-Linked-ETag", Hubs.quoted(large));
        });
        TransferSettings limits = new TransferSettings(
                Duration.ofSeconds(5), Duration.ofSeconds(5), 2, Duration.ofMillis(1), Duration.ofMillis(1), 8 << 20);
        FileStore store = store(List.of(URI.create(hub.url())), limits);
        assertThat(store.fetch(row("timm/tiny"), null).path()).hasBinaryContent(large);
        assertThat(hub.requests()).hasSize(4);
    }

    @Test
    void fetch_partOfUnknownOrigin_startsOver() throws Exception {
        Files.createDirectories(home());
        Files.write(home().resolve("model.safetensors.part"), Arrays.copyOf(CONTENT, 1000));
        LoopbackServer hub = serve(Hubs.file(CONTENT));
        store(hub).fetch(row("timm/tiny"), null);
        assertThat(hub.requests().get(0).from()).isZero();
    }

    // Lengths and hashes that are wrong.

    @ParameterizedTest
    @ValueSource(ints = {-1, 1})
    void fetch_lengthIsNotThePromised_fails(int off) throws Exception {
        LoopbackServer hub = serve((request, out) -> Hubs.send(
                request,
                out,
                CONTENT,
                CONTENT.length,
                "X-Linked-ETag",
                Hubs.quoted(CONTENT),
                "X-Linked-Size",
                CONTENT.length + off));
        assertFails(store(hub), "it has 300000 bytes, but the hub announced " + (CONTENT.length + off));
        assertThat(hub.requests()).hasSize(1);
        assertThat(names()).isEmpty();
    }

    @Test
    void fetch_chunkedBodyLongerThanPromised_fails() throws Exception {
        LoopbackServer hub = serve((request, out) -> chunked(out, CONTENT, Hubs.quoted(CONTENT), 299_999));
        assertFails(store(hub), "it has at least 300000 bytes, but 299999 were announced");
        assertThat(names()).isEmpty();
    }

    @Test
    void fetch_chunkedBodyShorterThanPromised_isTriedAgainAndFails() throws Exception {
        LoopbackServer hub = serve((request, out) -> chunked(out, CONTENT, Hubs.quoted(CONTENT), 300_001));
        assertFails(store(hub), "the response ended at 300000 of 300001 bytes (tried 3 times)");
    }

    @Test
    void fetch_hashThatDiffersOnlyAtItsEnd_isWrong() throws Exception {
        String hash = Hubs.sha256(CONTENT);
        String other = hash.substring(0, 63) + (hash.endsWith("0") ? "1" : "0");
        LoopbackServer hub = serve((request, out) ->
                Hubs.send(request, out, CONTENT, CONTENT.length, "X-Linked-ETag", "\"" + other + "\""));
        assertFails(store(hub), hash, other, "deleted");
        assertThat(names()).isEmpty();
    }

    @Test
    void fetch_wrongHash_deletesAndSaysBoth() throws Exception {
        LoopbackServer hub = serve((request, out) ->
                Hubs.send(request, out, CONTENT, CONTENT.length, "X-Linked-ETag", Hubs.quoted(OTHER)));
        assertFails(store(hub), Hubs.sha256(CONTENT), Hubs.sha256(OTHER), "deleted");
        assertThat(hub.requests()).hasSize(1);
        assertThat(names()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"0, true", "1, false"})
    void fetch_largestSize_isTheLimit(int over, boolean accepted) throws Exception {
        LoopbackServer hub = serve(Hubs.file(CONTENT));
        TransferSettings limits = new TransferSettings(
                Duration.ofSeconds(5),
                Duration.ofSeconds(5),
                3,
                Duration.ofMillis(1),
                Duration.ofMillis(1),
                CONTENT.length - over);
        FileStore store = store(List.of(URI.create(hub.url())), limits);
        if (accepted) {
            assertThat(store.fetch(row("timm/tiny"), null).size()).isEqualTo(CONTENT.length);
        } else {
            assertFails(store, "300000 bytes, over the limit of 299999");
            assertThat(names()).isEmpty();
        }
    }

    @Test
    void fetch_endlessBody_endsAtTheLimit() throws Exception {
        LoopbackServer hub = serve((request, out) -> {
            LoopbackServer.head(out, 200, "Transfer-Encoding", "chunked", "X-Linked-ETag", Hubs.quoted(CONTENT));
            while (true) {
                chunk(out, CONTENT);
            }
        });
        TransferSettings limits = new TransferSettings(
                Duration.ofSeconds(5), Duration.ofSeconds(5), 3, Duration.ofMillis(1), Duration.ofMillis(1), 1 << 20);
        assertFails(store(List.of(URI.create(hub.url())), limits), "over the limit of 1048576");
        assertThat(names()).isEmpty();
    }

    @Test
    void fetch_compressedBody_isRefused() throws Exception {
        LoopbackServer hub =
                serve((request, out) -> Hubs.send(request, out, CONTENT, CONTENT.length, "Content-Encoding", "gzip"));
        assertFails(store(hub), "content encoding (gzip)");
    }

    // Answers that are errors.

    @ParameterizedTest
    @CsvSource({
        "401, '401, access refused; set HF_TOKEN'",
        "403, '403, access refused; set HF_TOKEN'",
        "404, '404, no such file'",
        "410, '410, no such file'",
        "418, the server responded 418",
        "304, the server responded 304"
    })
    void fetch_refused_isNotTriedAgain(int status, String message) throws Exception {
        LoopbackServer hub = serve((request, out) -> LoopbackServer.status(out, status));
        assertFails(store(hub), hub.url(), message);
        assertThat(hub.requests()).hasSize(1);
        assertThat(pauses).isEmpty();
    }

    @Test
    void fetch_tokenRefused_saysSo() throws Exception {
        LoopbackServer hub = serve((request, out) -> LoopbackServer.status(out, 403));
        StoreSettings settings = settings(hub);
        settings = new StoreSettings(
                settings.endpoints(),
                List.of(),
                "hf_token",
                null,
                settings.hubCache(),
                settings.cache(),
                settings.transfers());
        assertFails(new FileStore(settings, pauses::add), "the token in HF_TOKEN has no read access");
    }

    @Test
    void fetch_tooManyRequests_waitsAsLongAsAsked() throws Exception {
        List<String> answers = List.of("7", "100000", "soon");
        AtomicInteger count = new AtomicInteger();
        LoopbackServer hub = serve((request, out) -> {
            int n = count.getAndIncrement();
            if (n < answers.size()) {
                LoopbackServer.status(out, 429, "Retry-After", answers.get(n));
            } else {
                Hubs.file(CONTENT).answer(request, out);
            }
        });
        TransferSettings limits = new TransferSettings(
                Duration.ofSeconds(5),
                Duration.ofSeconds(5),
                4,
                Duration.ofSeconds(1),
                Duration.ofSeconds(60),
                1 << 20);
        store(List.of(URI.create(hub.url())), limits).fetch(row("timm/tiny"), null);
        assertThat(pauses).hasSize(3);
        assertThat(pauses.get(0)).isEqualTo(Duration.ofSeconds(7));
        assertThat(pauses.get(1)).isEqualTo(Duration.ofSeconds(60));
        assertThat(pauses.get(2)).isBetween(Duration.ofSeconds(2), Duration.ofSeconds(4));
    }

    @ParameterizedTest
    @ValueSource(ints = {408, 500, 502, 503, 504})
    void fetch_serverFailsOnce_isTriedAgain(int status) throws Exception {
        AtomicInteger count = new AtomicInteger();
        LoopbackServer hub = serve((request, out) -> {
            if (count.getAndIncrement() == 0) {
                LoopbackServer.status(out, status);
            } else {
                Hubs.file(CONTENT).answer(request, out);
            }
        });
        assertThat(store(hub).fetch(row("timm/tiny"), null).path()).hasBinaryContent(CONTENT);
        assertThat(pauses).hasSize(1);
    }

    @Test
    void fetch_serverKeepsFailing_waitsLongerEachTimeAndGivesUp() throws Exception {
        LoopbackServer hub = serve((request, out) -> LoopbackServer.status(out, 500));
        TransferSettings limits = new TransferSettings(
                Duration.ofSeconds(5), Duration.ofSeconds(5), 5, Duration.ofSeconds(1), Duration.ofSeconds(3), 1 << 20);
        assertFails(store(List.of(URI.create(hub.url())), limits), "500, the server failed (tried 5 times)");
        assertThat(hub.requests()).hasSize(5);
        List<Integer> most = List.of(1000, 2000, 3000, 3000);
        for (int i = 0; i < most.size(); i++) {
            assertThat(pauses.get(i).toMillis()).isBetween((long) most.get(i) / 2, (long) most.get(i));
        }
    }

    // Silence.

    @Test
    void fetch_bodyStalls_timesOutAndResumes() throws Exception {
        AtomicInteger count = new AtomicInteger();
        LoopbackServer hub = serve((request, out) -> {
            boolean first = count.incrementAndGet() == 1;
            Hubs.send(request, out, CONTENT, first ? 100_000 : CONTENT.length, "X-Linked-ETag", Hubs.quoted(CONTENT));
            if (first) {
                finished.await();
            }
        });
        FileStore store = store(List.of(URI.create(hub.url())), limits(3, 300));
        assertThat(store.fetch(row("timm/tiny"), null).path()).hasBinaryContent(CONTENT);
        assertThat(hub.requests().get(1).from()).isEqualTo(100_000);
    }

    @Test
    void fetch_bodyStallsAlways_saysHowLong() throws Exception {
        LoopbackServer hub = serve((request, out) -> {
            Hubs.send(request, out, CONTENT, 0, "X-Linked-ETag", Hubs.quoted(CONTENT));
            finished.await();
        });
        assertFails(store(List.of(URI.create(hub.url())), limits(2, 200)), "no data for 0.200 s (tried 2 times)");
    }

    @Test
    void fetch_noAnswer_timesOut() throws Exception {
        Semaphore asked = new Semaphore(0);
        LoopbackServer hub = serve((request, out) -> {
            asked.release();
            finished.await();
        });
        List<Duration> waits = new ArrayList<>();
        HttpTransfer.Pause impatient = new HttpTransfer.Pause() {
            @Override
            public void of(Duration time) {
                pauses.add(time);
            }

            /** Until the request has arrived, on however slow a machine. */
            @Override
            public <T> T await(CompletableFuture<T> answer, Duration longest)
                    throws InterruptedException, TimeoutException {
                waits.add(longest);
                asked.acquire();
                throw new TimeoutException();
            }
        };
        FileStore store = new FileStore(settings(List.of(URI.create(hub.url())), limits(2, 60_000)), impatient);
        assertFails(store, "no response within 65.0 s (tried 2 times)");
        assertThat(waits).containsOnly(Duration.ofSeconds(65)).hasSize(2);
        assertThat(hub.requests()).hasSize(2);
        assertThat(pauses).hasSize(1);
    }

    @Test
    void await_ofAnAnswerThatDoesNotCome_timesOut() {
        HttpTransfer.Pause pause = pauses::add;
        assertThatThrownBy(() -> pause.await(new CompletableFuture<>(), Duration.ofMillis(1)))
                .isInstanceOf(TimeoutException.class);
    }

    @Test
    void fetch_nobodyListens_isTriedAgain() throws Exception {
        int port;
        try (ServerSocket unused = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = unused.getLocalPort();
        }
        assertFails(
                store(List.of(URI.create("http://127.0.0.1:" + port)), limits(3, 5000)),
                "no connection to http://127.0.0.1:" + port,
                "tried 3 times");
        assertThat(pauses).hasSize(2);
    }

    @Test
    void fetch_nonsenseInsteadOfHttp_fails() throws Exception {
        LoopbackServer hub =
                serve((request, out) -> out.write("SSH-2.0-x\r\n\r\n".getBytes(StandardCharsets.US_ASCII)));
        assertFails(store(hub), "no connection to", "tried 3 times");
    }

    @Test
    void fetch_interrupted_stopsAndKeepsThePart() throws Exception {
        CountDownLatch received = new CountDownLatch(1);
        LoopbackServer hub = serve((request, out) -> {
            if (request.from() > 0) {
                Hubs.file(CONTENT).answer(request, out);
                return;
            }
            Hubs.send(request, out, CONTENT, 100_000, "X-Linked-ETag", Hubs.quoted(CONTENT));
            finished.await();
        });
        Recorded progress = new Recorded() {
            @Override
            public void update(long bytes, @Nullable String message) {
                received.countDown();
            }
        };
        FileStore store = store(hub);
        List<Exception> thrown = new ArrayList<>();
        Thread fetching = new Thread(() -> {
            try {
                store.fetch(row("timm/tiny"), progress);
            } catch (IOException e) {
                thrown.add(e);
            }
        });
        fetching.start();
        received.await();
        fetching.interrupt();
        fetching.join();
        assertThat(thrown).hasSize(1).first().isInstanceOf(InterruptedIOException.class);
        assertThat(names()).containsExactly("model.safetensors.part", "model.safetensors.part.json");
        long there = Files.size(home().resolve("model.safetensors.part"));
        assertThat(there).isPositive();
        // The next fetch resumes.
        assertThat(store.fetch(row("timm/tiny"), null).path()).hasBinaryContent(CONTENT);
        assertThat(hub.requests().get(1).from()).isEqualTo((int) there);
    }

    // Mirrors and older addresses.

    @Test
    void fetch_hubHasItNot_takesTheFirstMirrorWhoseHashHolds() throws Exception {
        LoopbackServer hub = serve((request, out) -> LoopbackServer.status(out, 404));
        LoopbackServer liar = serve((request, out) -> Hubs.send(request, out, OTHER, OTHER.length));
        LoopbackServer honest = serve((request, out) -> Hubs.send(request, out, CONTENT, CONTENT.length));
        String name = named(CONTENT);
        StoredFile file =
                store(hub).fetch(row("timm/tiny", liar.url() + "/a/" + name, honest.url() + "/b/" + name), null);
        assertThat(file.path()).isEqualTo(home().resolve(name)).hasBinaryContent(CONTENT);
        assertThat(file.state()).isEqualTo(StoredFile.State.VERIFIED);
        assertThat(file.expected()).isEqualTo(Hubs.sha256(CONTENT).substring(0, 8));
        assertThat(liar.requests()).hasSize(1);
    }

    @Test
    void fetch_cutAtOneMirror_resumesAtTheNext() throws Exception {
        LoopbackServer first = serve((request, out) -> Hubs.send(request, out, CONTENT, 100_000));
        LoopbackServer second = serve((request, out) -> Hubs.send(request, out, CONTENT, CONTENT.length));
        String name = named(CONTENT);
        FileStore store = store(List.of(), limits(1, 5000));
        RemoteFile row = row(null, first.url() + "/" + name, second.url() + "/" + name);
        assertThat(store.fetch(row, null).path()).hasBinaryContent(CONTENT);
        assertThat(second.requests()).extracting(LoopbackServer.Request::from).containsExactly(100_000);
        assertThat(second.requests().get(0).headers()).doesNotContainKey("if-range");
    }

    @Test
    void fetch_severalEndpoints_areTriedInOrder() throws Exception {
        LoopbackServer down = serve((request, out) -> LoopbackServer.status(out, 503));
        LoopbackServer up = serve(Hubs.file(CONTENT));
        FileStore store = store(List.of(URI.create(down.url()), URI.create(up.url())), limits(2, 5000));
        assertThat(store.fetch(row("timm/tiny"), null).state()).isEqualTo(StoredFile.State.VERIFIED);
        assertThat(down.requests()).hasSize(2);
    }

    @Test
    void fetch_nobodyHasIt_namesEachAndWhy() throws Exception {
        LoopbackServer hub = serve((request, out) -> LoopbackServer.status(out, 401));
        LoopbackServer mirror = serve((request, out) -> LoopbackServer.status(out, 404));
        String older = mirror.url() + "/" + named(CONTENT);
        assertThatThrownBy(() -> store(hub).fetch(row("timm/tiny", older), null))
                .isInstanceOfSatisfying(FetchException.class, e -> {
                    assertThat(e.file()).isEqualTo("tiny.t");
                    assertThat(e.failures())
                            .containsExactly(
                                    hub.url() + "/timm/tiny/resolve/main/model.safetensors: 401, access refused;"
                                            + " set HF_TOKEN to a token with read access",
                                    older + ": 404, no such file");
                    assertThat(e).hasMessageContainingAll(e.failures().toArray(String[]::new));
                    assertThat(e.getMessage()).doesNotContain("\n");
                });
    }

    @Test
    void fetch_nobodySaysTheHash_isUnverifiedUnlessTheTagProvesIt() throws Exception {
        for (String tag : List.of("none", Hubs.quoted(OTHER), Hubs.quoted(CONTENT))) {
            LoopbackServer server =
                    serve((request, out) -> Hubs.send(request, out, CONTENT, CONTENT.length, "ETag", tag));
            FileStore store = store(List.of(), limits(1, 5000));
            StoredFile file = store.fetch(row(null, server.url() + "/plain.pth.tar"), null);
            assertThat(file.state())
                    .isEqualTo(
                            tag.equals(Hubs.quoted(CONTENT)) ? StoredFile.State.VERIFIED : StoredFile.State.UNVERIFIED);
            assertThat(file.sha256()).isEqualTo(Hubs.sha256(CONTENT));
            assertThat(store.fetch(row(null, server.url() + "/plain.pth.tar"), null))
                    .isEqualTo(file);
            store.prune(true);
        }
    }

    @Test
    void fetch_hubWithoutItsHash_isUnverified() throws Exception {
        LoopbackServer hub =
                serve((request, out) -> Hubs.send(request, out, CONTENT, CONTENT.length, "ETag", Hubs.quoted(OTHER)));
        assertThat(store(hub).fetch(row("timm/tiny"), null).state()).isEqualTo(StoredFile.State.UNVERIFIED);
    }

    @Test
    void fetch_neitherHashNorLength_isRefused() throws Exception {
        LoopbackServer server = serve((request, out) -> chunked(out, CONTENT, "none", -1));
        assertThatThrownBy(
                        () -> store(List.of(), limits(1, 5000)).fetch(row(null, server.url() + "/plain.pth.tar"), null))
                .hasMessageContaining("neither its length nor its hash is known");
    }

    // What is here already.

    @ParameterizedTest
    @CsvSource({"HF_HUB_OFFLINE, 1", "DJL_OFFLINE, true", "ai.djl.offline, true"})
    void fetch_offline_asksNobodyAndSaysHowToBringItIn(String name, String value) throws Exception {
        LoopbackServer hub = serve(Hubs.file(CONTENT));
        Map<String, @Nullable String> environment = Map.of(
                name,
                value,
                "HF_ENDPOINT",
                hub.url(),
                "HF_HOME",
                directory.resolve("hf").toString(),
                "DJL_CACHE_DIR",
                directory.resolve("djl").toString());
        StoreSettings settings;
        System.setProperty("ai.djl.offline", String.valueOf(name.equals("ai.djl.offline")));
        try {
            settings = StoreSettings.fromEnvironment(environment::get);
        } finally {
            System.clearProperty("ai.djl.offline");
        }
        FileStore store = new FileStore(settings);
        Path place = home().resolve("model.safetensors");
        assertThatThrownBy(() -> store.fetch(row("timm/tiny"), null))
                .isInstanceOf(FetchException.class)
                .hasMessageContainingAll(
                        name,
                        home().toString(),
                        directory.resolve("hf/hub/models--timm--tiny/snapshots").toString(),
                        hub.url() + "/timm/tiny/resolve/main/model.safetensors",
                        place.toString());
        Files.createDirectories(home());
        Files.write(place, CONTENT);
        StoredFile file = store.fetch(row("timm/tiny"), null);
        assertThat(file.path()).isEqualTo(place);
        assertThat(file.state()).isEqualTo(StoredFile.State.UNVERIFIED);
        assertThat(hub.requests()).isEmpty();
    }

    @Test
    void fetch_olderFilePutThereByHand_isHeldToItsName() throws Exception {
        String name = named(CONTENT);
        RemoteFile row = row(null, "http://127.0.0.1:1/" + name);
        StoreSettings settings = settings();
        settings = new StoreSettings(
                settings.endpoints(),
                List.of(),
                null,
                "HF_HUB_OFFLINE=1",
                settings.hubCache(),
                settings.cache(),
                settings.transfers());
        FileStore store = new FileStore(settings);
        Files.createDirectories(home());
        Files.write(home().resolve(name), OTHER);
        assertThatThrownBy(() -> store.fetch(row, null))
                .hasMessageContainingAll(
                        Hubs.sha256(OTHER), Hubs.sha256(CONTENT).substring(0, 8));
        Files.write(home().resolve(name), CONTENT);
        assertThat(store.fetch(row, null).state()).isEqualTo(StoredFile.State.VERIFIED);
    }

    @Test
    void fetch_inHuggingFacesCache_isUsedWhereItIs() throws Exception {
        Path blob = huggingFaces(CONTENT, Hubs.sha256(CONTENT), "abc", "main");
        LoopbackServer hub = serve(Hubs.file(CONTENT));
        StoredFile file = store(hub).fetch(row("timm/tiny"), null);
        assertThat(file.state()).isEqualTo(StoredFile.State.VERIFIED);
        assertThat(file.path()).endsWithRaw(Path.of("snapshots", "abc", "model.safetensors"));
        assertThat(file.path().toRealPath()).isEqualTo(blob.toRealPath());
        assertThat(store(hub).fetch(row("timm/tiny"), null)).isEqualTo(file);
        assertThat(hub.requests()).isEmpty();
    }

    @Test
    void fetch_severalSnapshots_takesMains() throws Exception {
        huggingFaces(CONTENT, Hubs.sha256(CONTENT), "abc", "main");
        huggingFaces(OTHER, Hubs.sha256(OTHER), "aaa", "pr");
        assertThat(store(List.of(), limits(1, 5000))
                        .fetch(row("timm/tiny"), null)
                        .sha256())
                .isEqualTo(Hubs.sha256(CONTENT));
    }

    @Test
    void fetch_corruptInHuggingFacesCache_isDownloaded() throws Exception {
        Path blob = huggingFaces(OTHER, Hubs.sha256(CONTENT), "abc", "main");
        LoopbackServer hub = serve(Hubs.file(CONTENT));
        assertThat(store(hub).fetch(row("timm/tiny"), null).path()).startsWith(home());
        assertThat(blob).hasBinaryContent(OTHER);
    }

    @Test
    void fetch_fileDamagedSince_isDownloadedAgain() throws Exception {
        LoopbackServer hub = serve(Hubs.file(CONTENT));
        Path path = store(hub).fetch(row("timm/tiny"), null).path();
        Files.write(path, Arrays.copyOf(CONTENT, 1000));
        assertThat(store(hub).fetch(row("timm/tiny"), null).path()).hasBinaryContent(CONTENT);
        assertThat(hub.requests()).hasSize(2);
    }

    @Test
    void fetch_fileCopiedElsewhere_isHashedOnceMoreAndKept() throws Exception {
        LoopbackServer hub = serve(Hubs.file(CONTENT));
        Path path = store(hub).fetch(row("timm/tiny"), null).path();
        Files.setLastModifiedTime(path, FileTime.from(Instant.parse("2020-01-01T00:00:00Z")));
        assertThat(store(hub).list()).extracting(StoredFile::state).containsExactly(StoredFile.State.CHANGED);
        assertThat(store(hub).fetch(row("timm/tiny"), null).state()).isEqualTo(StoredFile.State.VERIFIED);
        assertThat(store(hub).list()).extracting(StoredFile::state).containsExactly(StoredFile.State.VERIFIED);
        assertThat(hub.requests()).hasSize(1);
    }

    @Test
    void fetch_cacheIsNoDirectory_saysSo() throws Exception {
        Files.writeString(directory.resolve("djl"), "in the way");
        LoopbackServer hub = serve(Hubs.file(CONTENT));
        assertFails(store(hub), "cannot be used", "djl");
    }

    // The same file, or another one.

    /** What the second answer has, which no hash tells from the first. */
    @ParameterizedTest
    @CsvSource({
        "'\"v2\"', 300000, the file's ETag",
        "none, 300000, the file's ETag",
        "'\"v1\"', 300001, has 300001 bytes",
    })
    void fetch_restOfAnotherFile_startsOver(String tag, int total, String why) throws Exception {
        AtomicInteger count = new AtomicInteger();
        byte[] other = Arrays.copyOf(OTHER, total);
        LoopbackServer server = serve((request, out) -> {
            if (count.incrementAndGet() == 1) {
                Hubs.send(request, out, CONTENT, 100_000, "ETag", "\"v1\"");
            } else if (tag.equals("none")) {
                Hubs.send(request, out, other, other.length);
            } else {
                Hubs.send(request, out, other, other.length, "ETag", tag);
            }
        });
        FileStore store = store(List.of(), limits(2, 5000));
        RemoteFile row = row(null, server.url() + "/plain.pth.tar");
        assertThatThrownBy(() -> store.fetch(row, null)).hasMessageContaining(why);
        assertThat(store.fetch(row, null).path()).hasBinaryContent(other);
        assertThat(server.requests()).extracting(LoopbackServer.Request::from).containsExactly(0, 100_000, 0);
    }

    @Test
    void fetch_partCompleteOfAnotherFile_startsOver() throws Exception {
        AtomicInteger count = new AtomicInteger();
        LoopbackServer server = serve((request, out) -> {
            if (count.incrementAndGet() == 1) {
                LoopbackServer.status(out, 416, "Content-Range", "bytes */" + CONTENT.length, "ETag", "\"v2\"");
            } else {
                Hubs.send(request, out, OTHER, OTHER.length, "ETag", "\"v2\"");
            }
        });
        leavePart(new CacheRecord.Origin(server.url() + HUB_FILE, "\"v1\"", null, 300_000L), CONTENT);
        assertThat(store(server).fetch(row("timm/tiny"), null).path()).hasBinaryContent(OTHER);
        assertThat(server.requests()).extracting(LoopbackServer.Request::from).containsExactly(300_000, 0);
    }

    @Test
    void fetch_sameHashButAnotherTag_resumes() throws Exception {
        LoopbackServer hub = serve((request, out) -> Hubs.send(
                request, out, CONTENT, CONTENT.length, "X-Linked-ETag", Hubs.quoted(CONTENT), "ETag", "\"v2\""));
        leavePart(
                new CacheRecord.Origin(hub.url() + HUB_FILE, "\"v1\"", Hubs.sha256(CONTENT), 300_000L),
                Arrays.copyOf(CONTENT, 1000));
        assertThat(store(hub).fetch(row("timm/tiny"), null).path()).hasBinaryContent(CONTENT);
        assertThat(hub.requests()).extracting(LoopbackServer.Request::from).containsExactly(1000);
    }

    @Test
    void fetch_rangeBeyondTheFilesEnd_startsOver() throws Exception {
        LoopbackServer hub = serve((request, out) -> {
            if (request.from() > 0) {
                LoopbackServer.head(out, 206, "Content-Range", "bytes 1000-300000/300000");
            } else {
                Hubs.file(CONTENT).answer(request, out);
            }
        });
        leavePart(hub, Arrays.copyOf(CONTENT, 1000), Hubs.sha256(CONTENT));
        assertThat(store(hub).fetch(row("timm/tiny"), null).path()).hasBinaryContent(CONTENT);
        assertThat(hub.requests()).extracting(LoopbackServer.Request::from).containsExactly(1000, 0);
    }

    /** Its address could have promised the hash of a file that it made up, and have left the beginning of that. */
    @Test
    void fetch_partFromAnAddressThatIsNoLongerAsked_startsOver() throws Exception {
        LoopbackServer hub = serve((request, out) -> Hubs.send(request, out, CONTENT, CONTENT.length));
        leavePart(
                new CacheRecord.Origin("http://127.0.0.1:1" + HUB_FILE, null, Hubs.sha256(CONTENT), 300_000L),
                Arrays.copyOf(CONTENT, 1000));
        StoredFile file = store(hub).fetch(row("timm/tiny"), null);
        assertThat(file.state()).isEqualTo(StoredFile.State.UNVERIFIED);
        assertThat(hub.requests()).extracting(LoopbackServer.Request::from).containsExactly(0);
    }

    // Servers without end.

    @Test
    void fetch_moreThanPromised_stopsAtThePromise() throws Exception {
        AtomicInteger asked = new AtomicInteger();
        LoopbackServer hub = serve((request, out) -> {
            asked.incrementAndGet();
            LoopbackServer.head(
                    out,
                    200,
                    "Transfer-Encoding",
                    "chunked",
                    "X-Linked-ETag",
                    Hubs.quoted(CONTENT),
                    "X-Linked-Size",
                    10_240);
            while (true) {
                chunk(out, new byte[1000]);
            }
        });
        Recorded progress = new Recorded();
        assertThatThrownBy(() -> store(hub).fetch(row("timm/tiny"), progress))
                .hasMessageContaining("but 10240 were announced");
        assertThat(asked.get()).isEqualTo(1);
        assertThat(progress.events)
                .filteredOn(event -> event.startsWith("update"))
                .allSatisfy(event ->
                        assertThat(Integer.parseInt(event.substring(7))).isLessThanOrEqualTo(10_240));
        assertThat(names()).isEmpty();
    }

    @Test
    void fetch_restLongerThanTheRangePromises_stopsAtThePromise() throws Exception {
        LoopbackServer hub = serve((request, out) -> {
            LoopbackServer.head(out, 206, "Transfer-Encoding", "chunked", "Content-Range", "bytes 1000-10239/10240");
            while (true) {
                chunk(out, new byte[1000]);
            }
        });
        leavePart(hub, Arrays.copyOf(CONTENT, 1000), Hubs.sha256(CONTENT));
        assertFails(store(hub), "but 10240 were announced");
        assertThat(names()).isEmpty();
    }

    @Test
    void fetch_tooSlow_movesOnToTheNextAddress() throws Exception {
        LoopbackServer slow = serve((request, out) -> trickle(request, out, 10));
        LoopbackServer mirror = serve(Hubs.file(CONTENT));
        TransferSettings limits = limits(3, 5000).withLeastRate(10_000, Duration.ofMillis(300));
        FileStore store = store(List.of(URI.create(slow.url()), URI.create(mirror.url())), limits);
        assertThat(store.fetch(row("timm/tiny"), null).path()).hasBinaryContent(CONTENT);
        assertThat(slow.requests()).hasSize(1);
        assertThat(mirror.requests().get(0).from()).isPositive();
    }

    @Test
    void fetch_tooSlowEverywhere_saysHowSlowAndKeepsThePart() throws Exception {
        LoopbackServer slow = serve((request, out) -> trickle(request, out, 10));
        TransferSettings limits = limits(3, 5000).withLeastRate(10_000, Duration.ofMillis(300));
        assertFails(
                store(List.of(URI.create(slow.url())), limits),
                "slower than 10000 bytes per second",
                "CONVZOO_MIN_DOWNLOAD_RATE");
        assertThat(names()).contains("model.safetensors.part");
    }

    /** Its rate, in bytes per second, is some thousand. */
    @Test
    void fetch_slowButFastEnough_isNotGivenUp() throws Exception {
        byte[] small = Arrays.copyOf(CONTENT, 1000);
        LoopbackServer slow = serve((request, out) -> {
            Hubs.send(request, out, small, 0, "X-Linked-ETag", Hubs.quoted(small));
            for (int at = 0; at < small.length; at += 10) {
                out.write(small, at, 10);
                out.flush();
                Thread.sleep(5);
            }
        });
        TransferSettings limits = limits(1, 5000).withLeastRate(100, Duration.ofMillis(100));
        assertThat(store(List.of(URI.create(slow.url())), limits)
                        .fetch(row("timm/tiny"), null)
                        .path())
                .hasBinaryContent(small);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void fetch_notDoneInTime_endsAndKeepsThePart(boolean silent) throws Exception {
        LoopbackServer slow = serve((request, out) -> {
            if (silent) {
                Hubs.send(request, out, CONTENT, 1000, "X-Linked-ETag", Hubs.quoted(CONTENT));
                finished.await();
            }
            trickle(request, out, 10);
        });
        LoopbackServer mirror = serve(Hubs.file(CONTENT));
        TransferSettings limits = limits(3, 60_000).withLongestTime(Duration.ofMillis(400));
        FileStore store = store(List.of(URI.create(slow.url()), URI.create(mirror.url())), limits);
        assertFails(store, "not done within 0.400 s", "CONVZOO_MAX_DOWNLOAD_TIME");
        assertThat(mirror.requests()).isEmpty();
        assertThat(names()).contains("model.safetensors.part");
    }

    @Test
    void fetch_serverThatAlwaysFails_endsInTimeHoweverOftenItMayTry() throws Exception {
        LoopbackServer hub = serve((request, out) -> LoopbackServer.status(out, 503));
        TransferSettings limits = new TransferSettings(
                        Duration.ofSeconds(5),
                        Duration.ofSeconds(5),
                        Integer.MAX_VALUE,
                        Duration.ofMillis(1),
                        Duration.ofMillis(1),
                        1 << 20)
                .withLongestTime(Duration.ofMillis(300));
        assertFails(store(List.of(URI.create(hub.url())), limits), "not done within 0.300 s");
    }

    // Addresses that nobody named.

    @Test
    void fetch_redirectedFromTheInternetToThisMachine_isRefused() throws Exception {
        LoopbackServer secret = serve(Hubs.file(CONTENT));
        LoopbackServer proxy = serve((request, out) -> LoopbackServer.status(
                out, 302, "Location", "http://127.0.0.1:" + secret.port() + "/admin", "X-Linked-ETag", "x"));
        ProxySelector before = ProxySelector.getDefault();
        ProxySelector.setDefault(
                ProxySelector.of(new InetSocketAddress(InetAddress.getLoopbackAddress(), proxy.port())));
        try {
            FileStore store = store(List.of(URI.create("http://hub.invalid")), limits(3, 5000));
            assertFails(store, "an address of this network or machine");
            assertThatThrownBy(() -> store.resolve("timm/tiny", "main"))
                    .hasMessageContaining("an address of this network or machine");
        } finally {
            ProxySelector.setDefault(before);
        }
        assertThat(proxy.requests())
                .extracting(LoopbackServer.Request::target)
                .containsExactly(
                        "http://hub.invalid" + HUB_FILE, "http://hub.invalid/timm/tiny/resolve/main/config.json");
        assertThat(secret.requests()).isEmpty();
    }

    @Test
    void fetch_fromAnotherEndpoint_doesNotCountForThisOne() throws Exception {
        LoopbackServer liar = serve(Hubs.file(OTHER));
        LoopbackServer hub = serve(Hubs.file(CONTENT));
        assertThat(store(liar).fetch(row("timm/tiny"), null).path()).hasBinaryContent(OTHER);
        assertThat(store(hub).find(row("timm/tiny"))).isEmpty();
        assertThat(store(hub).fetch(row("timm/tiny"), null).path()).hasBinaryContent(CONTENT);
        assertThat(store(hub).find(row("timm/tiny"))).isPresent();
    }

    @Test
    void fetch_fromAnotherEndpointAndOffline_namesIt() throws Exception {
        LoopbackServer mirror = serve(Hubs.file(CONTENT));
        store(mirror).fetch(row("timm/tiny"), null);
        StoreSettings settings = settings(List.of(URI.create("http://127.0.0.1:1")), limits(1, 5000));
        settings = new StoreSettings(
                settings.endpoints(),
                List.of(),
                null,
                "HF_HUB_OFFLINE=1",
                settings.hubCache(),
                settings.cache(),
                settings.transfers());
        assertFails(new FileStore(settings), "it came from " + mirror.url(), "no longer one of its addresses");
    }

    @Test
    void fetch_fromOneOfSeveralEndpoints_countsForAllOfThem() throws Exception {
        LoopbackServer mirror = serve(Hubs.file(CONTENT));
        LoopbackServer hub = serve(Hubs.file(OTHER));
        store(mirror).fetch(row("timm/tiny"), null);
        FileStore both = store(List.of(URI.create(hub.url()), URI.create(mirror.url())), limits(1, 5000));
        assertThat(both.fetch(row("timm/tiny"), null).path()).hasBinaryContent(CONTENT);
        assertThat(hub.requests()).isEmpty();
    }

    @Test
    void fetch_olderFileWithItsHashInTheName_countsWhereverItIsFrom() throws Exception {
        LoopbackServer first = serve(Hubs.file(CONTENT));
        FileStore store = store(List.of(), limits(1, 5000));
        store.fetch(row(null, first.url() + "/" + named(CONTENT)), null);
        assertThat(store.find(row(null, "http://127.0.0.1:1/" + named(CONTENT))))
                .isPresent();
    }

    @Test
    void resolve_hubCannotBeAsked_takesTheCommitThatItSaidItself() throws Exception {
        String commit = "0123456789012345678901234567890123456789";
        LoopbackServer other = serve(Hubs.repository("timm/tiny", commit, Map.of("config.json", CONTENT)));
        assertThat(store(other).resolve("timm/tiny", "main").commit()).isEqualTo(commit);
        LoopbackServer hub = serve((request, out) -> LoopbackServer.status(out, 400));
        assertThatThrownBy(() -> store(hub).resolve("timm/tiny", "main"))
                .hasMessageContaining("the hub cannot be reached");
        FileStore both = store(List.of(URI.create(hub.url()), URI.create("http://127.0.0.1:1")), limits(1, 5000));
        assertThatThrownBy(() -> both.resolve("timm/tiny", "main")).isInstanceOf(FetchException.class);
        other.close();
        assertThat(store(List.of(URI.create(other.url())), limits(1, 5000))
                        .resolve("timm/tiny", "main")
                        .commit())
                .isEqualTo(commit);
    }

    // Whose cache it is.

    @ParameterizedTest
    @ValueSource(strings = {"tiny.t/model.safetensors.part", ".locks/tiny.t.lock"})
    void fetch_linkInPlaceOfItsFile_isRefused(String place) throws Exception {
        Path victim = directory.resolve("victim");
        Files.writeString(victim, "untouched");
        Path link = home().resolveSibling(place);
        Files.createDirectories(link.getParent());
        Files.createSymbolicLink(link, victim);
        assertFails(store(serve(Hubs.file(CONTENT))), link.toString(), "a symbolic link, which is not followed");
        assertThat(victim).hasContent("untouched");
        assertThat(home().resolve("model.safetensors")).doesNotExist();
    }

    @ParameterizedTest
    @ValueSource(strings = {"tiny.t/model.safetensors.part", ".locks/tiny.t.lock"})
    void fetch_linkToNothingInPlaceOfItsFile_isRefused(String place) throws Exception {
        Path victim = directory.resolve("victim");
        Path link = home().resolveSibling(place);
        Files.createDirectories(link.getParent());
        Files.createSymbolicLink(link, victim);
        assertFails(store(serve(Hubs.file(CONTENT))), "a symbolic link, which is not followed");
        assertThat(victim).doesNotExist();
    }

    @ParameterizedTest
    @ValueSource(strings = {"tiny.t/model.safetensors.part", ".locks/tiny.t.lock"})
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void fetch_pipeInPlaceOfItsFile_isRefused(String place) throws Exception {
        Path pipe = home().resolveSibling(place);
        Files.createDirectories(pipe.getParent());
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor())
                .isZero();
        assertFails(store(serve(Hubs.file(CONTENT))), pipe.toString(), "not a regular file");
    }

    @Test
    void fetch_linkOrPipeInPlaceOfARecord_isAsIfThereWereNone() throws Exception {
        Files.createDirectories(home());
        Path record = home().resolve("model.safetensors.json");
        Files.write(home().resolve("model.safetensors"), CONTENT);
        Files.createSymbolicLink(record, Path.of("/dev/zero"));
        assertThat(store(List.of(), limits(1, 5000)).list()).hasSize(1);
        FileStore store = store(serve(Hubs.file(CONTENT)));
        assertThat(store.fetch(row("timm/tiny"), null).state()).isEqualTo(StoredFile.State.UNVERIFIED);
        assertThat(record).isRegularFile();
        assertThat(Files.isSymbolicLink(record)).isFalse();
    }

    @Test
    void fetch_newFolders_areTheirOwnersOnly() throws Exception {
        assumeTrue(directory.getFileSystem().supportedFileAttributeViews().contains("posix"));
        FileStore store = store(serve(Hubs.repository(
                "timm/tiny",
                "0123456789012345678901234567890123456789",
                Map.of("config.json", CONTENT, "model.safetensors", CONTENT))));
        store.resolve("timm/tiny", "main");
        store.fetch(row("timm/tiny"), null);
        store.put("bundled.one", "weights.safetensors", CONTENT, "the library's jar");
        for (String folder : List.of("", ".locks", ".refs", "tiny.t", "bundled.one")) {
            assertThat(PosixFilePermissions.toString(
                            Files.getPosixFilePermissions(store.directory().resolve(folder))))
                    .isEqualTo("rwx------");
        }
    }

    /** Whoever shares a cache with others loosens its folders, and keeps them so. */
    @Test
    void fetch_foldersThatExist_keepTheirPermissions() throws Exception {
        assumeTrue(directory.getFileSystem().supportedFileAttributeViews().contains("posix"));
        Files.createDirectories(home());
        Files.setPosixFilePermissions(home(), PosixFilePermissions.fromString("rwxr-x---"));
        store(serve(Hubs.file(CONTENT))).fetch(row("timm/tiny"), null);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(home())))
                .isEqualTo("rwxr-x---");
    }

    /** Sends the file byte by byte, without end. */
    private static void trickle(LoopbackServer.Request request, OutputStream out, int millis)
            throws IOException, InterruptedException {
        Hubs.send(request, out, CONTENT, 0, "X-Linked-ETag", Hubs.quoted(CONTENT));
        for (int at = request.from(); at < CONTENT.length; at++) {
            out.write(CONTENT, at, 1);
            out.flush();
            Thread.sleep(millis);
        }
    }

    // Many at once.

    @Test
    void fetch_sixteenThreads_downloadOnce() throws Exception {
        CountDownLatch started = new CountDownLatch(16);
        LoopbackServer hub = serve((request, out) -> {
            started.await();
            Hubs.file(CONTENT).answer(request, out);
        });
        ExecutorService threads = Executors.newFixedThreadPool(16);
        try {
            List<Future<StoredFile>> files = new ArrayList<>();
            for (int i = 0; i < 16; i++) {
                Callable<StoredFile> fetch = () -> {
                    started.countDown();
                    return store(hub).fetch(row("timm/tiny"), null);
                };
                files.add(threads.submit(fetch));
            }
            for (Future<StoredFile> file : files) {
                assertThat(file.get().path()).hasBinaryContent(CONTENT);
            }
        } finally {
            threads.shutdownNow();
        }
        assertThat(hub.requests()).hasSize(1);
    }

    // Looking after the cache.

    @Test
    void cache_everyState_isListedVerifiedAndPruned() throws Exception {
        LoopbackServer hub = serve(Hubs.file(CONTENT));
        FileStore store = store(hub);
        store.fetch(row("timm/tiny"), null);
        Path other = home().resolveSibling("other.t");
        Files.createDirectories(other);
        Files.write(other.resolve(named(CONTENT)), OTHER);
        Files.write(other.resolve("byhand.pth"), OTHER);
        Files.write(other.resolve("model.safetensors.part"), OTHER);
        assertThat(store.list())
                .extracting(file -> name(file) + " " + file.state())
                .containsExactly(
                        "byhand.pth UNVERIFIED",
                        "model.safetensors.part PARTIAL",
                        named(CONTENT) + " UNVERIFIED",
                        "model.safetensors VERIFIED");
        assertThat(store.verify())
                .extracting(file -> name(file) + " " + file.state())
                .containsExactly(
                        "byhand.pth UNVERIFIED",
                        "model.safetensors.part PARTIAL",
                        named(CONTENT) + " CORRUPT",
                        "model.safetensors VERIFIED");
        assertThat(store.prune(false)).hasSize(3);
        assertThat(other).doesNotExist();
        assertThat(store.list()).hasSize(1);
        assertThat(store.prune(true)).hasSize(1);
        assertThat(home()).doesNotExist();
        assertThat(store.list()).isEmpty();
    }

    @Test
    void verify_oneByteFlipped_isCorruptWithBothHashes() throws Exception {
        FileStore store = store(serve(Hubs.file(CONTENT)));
        Path path = store.fetch(row("timm/tiny"), null).path();
        FileTime time = Files.getLastModifiedTime(path);
        byte[] flipped = CONTENT.clone();
        flipped[1234] ^= 1;
        Files.write(path, flipped);
        Files.setLastModifiedTime(path, time);
        assertThat(store.list()).extracting(StoredFile::state).containsExactly(StoredFile.State.VERIFIED);
        assertThat(store.verify()).singleElement().satisfies(file -> {
            assertThat(file.state()).isEqualTo(StoredFile.State.CORRUPT);
            assertThat(file.sha256()).isEqualTo(Hubs.sha256(flipped));
            assertThat(file.expected()).isEqualTo(Hubs.sha256(CONTENT));
        });
    }

    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void prune_ofALinkedDirectory_leavesWhatItLeadsTo() throws Exception {
        FileStore store = store(serve(Hubs.file(CONTENT)));
        store.fetch(row("timm/tiny"), null);
        Path important = Files.createDirectories(directory.resolve("important"));
        Files.write(important.resolve("keep.txt"), OTHER);
        Files.write(important.resolve("a.part"), OTHER);
        Files.createSymbolicLink(home().resolveSibling("linked.tag"), important);
        assertThat(store.prune(true)).hasSize(1);
        assertThat(important.resolve("keep.txt")).exists();
        assertThat(important.resolve("a.part")).exists();
    }

    @Test
    void prune_whileDownloading_leavesThePart() throws Exception {
        CountDownLatch sent = new CountDownLatch(1);
        CountDownLatch pruned = new CountDownLatch(1);
        LoopbackServer hub = serve((request, out) -> {
            Hubs.send(request, out, CONTENT, 100_000, "X-Linked-ETag", Hubs.quoted(CONTENT));
            sent.countDown();
            pruned.await();
            out.write(CONTENT, 100_000, CONTENT.length - 100_000);
        });
        FileStore store = store(hub);
        ExecutorService thread = Executors.newSingleThreadExecutor();
        try {
            Future<StoredFile> file = thread.submit(() -> store.fetch(row("timm/tiny"), null));
            sent.await();
            assertThat(store.prune(true)).isEmpty();
            pruned.countDown();
            assertThat(file.get().path()).hasBinaryContent(CONTENT);
        } finally {
            thread.shutdownNow();
        }
        assertThat(hub.requests()).hasSize(1);
    }

    private static class Recorded implements Progress {
        private final List<String> events = new ArrayList<>();

        @Override
        public void reset(String message, long max, @Nullable String trailingMessage) {
            events.add("reset " + max);
        }

        @Override
        public void start(long initialProgress) {
            events.add("start " + initialProgress);
        }

        @Override
        public void end() {
            events.add("end");
        }

        @Override
        public void increment(long increment) {
            events.add("increment " + increment);
        }

        @Override
        public void update(long progress, @Nullable String message) {
            events.add("update " + progress);
        }
    }

    private LoopbackServer serve(LoopbackServer.Handler handler) throws IOException {
        LoopbackServer server = new LoopbackServer(handler);
        servers.add(server);
        return server;
    }

    private static TransferSettings limits(int attempts, long idleMillis) {
        return new TransferSettings(
                Duration.ofSeconds(5),
                Duration.ofMillis(idleMillis),
                attempts,
                Duration.ofMillis(2),
                Duration.ofMillis(10),
                1 << 20);
    }

    private StoreSettings settings(LoopbackServer... hubs) {
        return settings(Stream.of(hubs).map(hub -> URI.create(hub.url())).toList(), limits(3, 5000));
    }

    private StoreSettings settings(List<URI> endpoints, TransferSettings limits) {
        return new StoreSettings(
                endpoints, List.of(), null, null, directory.resolve("hf/hub"), directory.resolve("djl"), limits);
    }

    private FileStore store(LoopbackServer hub) {
        return new FileStore(settings(hub), pauses::add);
    }

    private FileStore store(List<URI> endpoints, TransferSettings limits) {
        return new FileStore(settings(endpoints, limits), pauses::add);
    }

    private static void assertFails(FileStore store, String... messages) {
        assertThatThrownBy(() -> store.fetch(row("timm/tiny"), null))
                .isInstanceOf(FetchException.class)
                .hasMessageContainingAll(messages);
    }

    private static RemoteFile row(@Nullable String hub, String... urls) {
        return new RemoteFile("tiny.t", "tiny.t", hub, "main", "model.safetensors", List.of(urls));
    }

    private static String named(byte[] content) {
        return "tiny-" + Hubs.sha256(content).substring(0, 8) + ".pth";
    }

    private static String name(StoredFile file) {
        return file.path().getFileName().toString();
    }

    private Path home() {
        return directory.resolve("djl/cache/convzoo/tiny.t").toAbsolutePath();
    }

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(home())) {
            return files.map(path -> path.getFileName().toString()).sorted().toList();
        }
    }

    private void leavePart(LoopbackServer hub, byte[] bytes, String sha256) throws IOException {
        leavePart(new CacheRecord.Origin(hub.url() + HUB_FILE, null, sha256, null), bytes);
    }

    private void leavePart(CacheRecord.Origin origin, byte[] bytes) throws IOException {
        Files.createDirectories(home());
        Files.write(home().resolve("model.safetensors.part"), bytes);
        origin.write(home().resolve("model.safetensors.part.json"));
    }

    private Path huggingFaces(byte[] content, String name, String commit, String ref) throws IOException {
        Path repository = directory.resolve("hf/hub/models--timm--tiny");
        Path blob = repository.resolve("blobs").resolve(name);
        Files.createDirectories(blob.getParent());
        Files.write(blob, content);
        Path snapshot = repository.resolve("snapshots").resolve(commit);
        Files.createDirectories(snapshot);
        Files.createSymbolicLink(snapshot.resolve("model.safetensors"), Path.of("../../blobs", name));
        Files.createDirectories(repository.resolve("refs"));
        Files.writeString(repository.resolve("refs").resolve(ref), commit);
        return blob;
    }

    private static void chunked(OutputStream out, byte[] content, String linked, int promised) throws IOException {
        LoopbackServer.head(
                out, 200, "Transfer-Encoding", "chunked", "X-Linked-ETag", linked, "X-Linked-Size", promised);
        chunk(out, content);
        chunk(out, new byte[0]);
    }

    private static void chunk(OutputStream out, byte[] content) throws IOException {
        out.write(String.format(Locale.ROOT, "%x\r\n", content.length).getBytes(StandardCharsets.US_ASCII));
        out.write(content);
        out.write("\r\n".getBytes(StandardCharsets.US_ASCII));
    }

    @Test
    void put_file_isVerifiedAndKeptByPrune() throws Exception {
        FileStore store = store(serve((request, out) -> LoopbackServer.status(out, 404)));
        StoredFile file = store.put("bundled.one", "weights.safetensors", CONTENT, "the library's jar");
        assertThat(file.path()).hasBinaryContent(CONTENT);
        assertThat(store.list()).containsExactly(file);
        assertThat(file.state()).isEqualTo(StoredFile.State.VERIFIED);
        assertThat(store.prune(false)).isEmpty();
        assertThat(store.verify()).containsExactly(file);
        Files.write(file.path(), OTHER);
        assertThat(store.verify().get(0).state()).isEqualTo(StoredFile.State.CORRUPT);
        assertThat(store.prune(false)).hasSize(1);
    }
}
