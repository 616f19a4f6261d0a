package io.github.convzoo.hub;

import ai.djl.util.Progress;
import io.github.convzoo.checkpoint.ReplacedFile;
import io.github.convzoo.message.Reason;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A store of published files, which it finds on this machine or downloads from the hub or an older address. Any number
 * of threads and processes may use it at once; one of them downloads a file while the others wait.
 *
 * <p>The search order is: this store's own cache, the cache of Hugging Face's tools, the hub and its mirrors, the older
 * addresses. A file enters the cache after its SHA-256 is verified: the hub announces it, or the older file's name has
 * its first digits. If the expected hash is unknown, only the length is checked, and the file is {@link
 * StoredFile.State#UNVERIFIED}.
 */
public final class FileStore {

    private static final String LOCKS = ".locks";
    private static final String REFERENCES = ".refs";

    /** The prefix of receipts for files that are used in the cache of Hugging Face's tools. */
    private static final String ELSEWHERE = "huggingface.";

    /** The source in records of files that had no record. */
    private static final String BY_HAND = "put there by hand";

    private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");

    private final StoreSettings settings;
    private final HttpTransfer.Pause pause;
    private final Path directory;
    private final HubCache hubCache;

    /**
     * Creates a store with the given settings.
     *
     * @param settings the sources of files and the cache
     */
    public FileStore(StoreSettings settings) {
        this(settings, FileStore::sleep);
    }

    FileStore(StoreSettings settings, HttpTransfer.Pause pause) {
        this.settings = settings;
        this.pause = pause;
        directory = settings.cache().resolve("cache").resolve("convzoo").toAbsolutePath();
        hubCache = new HubCache(settings.hubCache());
    }

    /**
     * {@return a new store with settings from the process's environment}
     *
     * @throws IllegalArgumentException if an environment variable is invalid
     */
    public static FileStore fromEnvironment() {
        return new FileStore(StoreSettings.fromEnvironment(System::getenv));
    }

    /**
     * {@return the absolute path of the store's cache directory, which may not exist yet, and has one directory per
     * name or repository}
     */
    public Path directory() {
        return directory;
    }

    /**
     * Creates a folder of a cache and its parents so that only the owner may enter, if the file system supports
     * permissions. Existing folders are unchanged.
     *
     * @param folder the folder
     * @throws IOException if it cannot be created
     */
    public static void createFolder(Path folder) throws IOException {
        CacheFile.createFolder(folder);
    }

    /**
     * Looks for a file on this machine, without network access.
     *
     * @param remote the file
     * @return the file, {@link StoredFile.State#VERIFIED} or {@link StoredFile.State#UNVERIFIED}; empty if there is no
     *     usable file
     * @throws IOException if the cache cannot be read
     */
    public Optional<StoredFile> find(RemoteFile remote) throws IOException {
        return find(remote, Source.of(remote, settings), new ArrayList<>());
    }

    /**
     * {@return a file, {@link StoredFile.State#VERIFIED} or {@link StoredFile.State#UNVERIFIED}, downloaded if
     * necessary}
     *
     * @param remote the file
     * @param progress receives a download's bytes on this thread; reset for each address; ended once the file is
     *     complete; its maximum is negative if the length is unknown; null for none
     * @throws FetchException if no place has it; the message names each place and the reason
     * @throws InterruptedIOException if the thread was interrupted; the partial download is kept
     */
    public StoredFile fetch(RemoteFile remote, @Nullable Progress progress)
            throws FetchException, InterruptedIOException {
        List<Source> sources = Source.of(remote, settings);
        try {
            List<String> failures = new ArrayList<>();
            Optional<StoredFile> here = find(remote, sources, failures);
            if (here.isPresent()) {
                return here.get();
            }
            if (sources.isEmpty()) {
                throw new FetchException(remote.name(), "no address to download it from", failures, null);
            }
            if (settings.offline() != null) {
                throw offline(remote, sources.get(0), failures, settings.offline());
            }
            return download(remote, sources, progress);
        } catch (FetchException e) {
            throw e;
        } catch (InterruptedException | ClosedByInterruptException e) {
            Thread.currentThread().interrupt();
            throw (InterruptedIOException)
                    new InterruptedIOException(remote.name() + ": interrupted during the download").initCause(e);
        } catch (IOException e) {
            throw new FetchException(
                    remote.name(),
                    "the cache in " + directory + " cannot be used (" + Reason.within(directory, e)
                            + "); check it, or choose another with DJL_CACHE_DIR",
                    List.of(),
                    e);
        }
    }

    /**
     * Adds a file to the cache that does not come from the network.
     *
     * @param name the directory in the cache, which listings show as the file's name
     * @param fileName the file's name in the directory
     * @param content the whole file
     * @param source the source of the file, for the record
     * @return the file
     * @throws IOException if it cannot be written
     */
    public StoredFile put(String name, String fileName, byte[] content, String source) throws IOException {
        Path home = directory.resolve(name);
        Path file = home.resolve(fileName);
        CacheFile.createFolder(home);
        ReplacedFile.write(file, content);
        String sha256 = Sha256.of(file);
        CacheRecord.Receipt receipt = CacheRecord.Receipt.of(file, sha256, sha256, source);
        receipt.write(CacheRecord.beside(file));
        return receipt.file(name, file);
    }

    private StoredFile download(RemoteFile remote, List<Source> sources, @Nullable Progress progress)
            throws IOException, InterruptedException {
        List<String> failures = new ArrayList<>();
        boolean missing = true;
        CacheLock lock = CacheLock.acquire(lockFile(remote.directory()));
        try {
            // Another process may have downloaded it while this one waited for the lock.
            Optional<StoredFile> here = find(remote, sources, failures);
            if (here.isPresent()) {
                return here.get();
            }
            CacheFile.createFolder(home(remote));
            sweep(home(remote));
            HttpTransfer transfer = new HttpTransfer(settings, pause);
            Deadline deadline = Deadline.in(settings.transfers().longestTime());
            for (Source source : sources) {
                try {
                    forgetForeignPart(remote, source, sources);
                    return download(remote, source, transfer, deadline, progress);
                } catch (TransferException e) {
                    failures.add(source + ": " + Reason.withFile(e));
                    missing &= e.isMissing();
                    if (deadline.hasPassed()) {
                        break;
                    }
                }
            }
        } finally {
            lock.close();
        }
        throw new FetchException(remote.name(), "could not be fetched", failures, missing, null);
    }

    /** Removes partially written records of killed processes. */
    private static void sweep(Path home) throws IOException {
        try (DirectoryStream<Path> left = Files.newDirectoryStream(home, "*" + CacheRecord.TEMPORARY)) {
            for (Path each : left) {
                Files.deleteIfExists(each);
            }
        }
    }

    /**
     * Discards a partial download that neither the current addresses nor the hash in its file's own name account for.
     */
    private void forgetForeignPart(RemoteFile remote, Source source, List<Source> sources) throws IOException {
        PartialFile part = new PartialFile(home(remote).resolve(source.fileName()));
        Optional<CacheRecord.Origin> origin = part.origin();
        if (source.digits() == null
                && origin.isPresent()
                && !isOneOf(sources, origin.get().source())) {
            part.delete();
        }
    }

    private static boolean isOneOf(List<Source> sources, String address) {
        return sources.stream().anyMatch(source -> source.toString().equals(address));
    }

    private StoredFile download(
            RemoteFile remote, Source source, HttpTransfer transfer, Deadline deadline, @Nullable Progress progress)
            throws TransferException, IOException, InterruptedException {
        Path file = home(remote).resolve(source.fileName());
        PartialFile part = new PartialFile(file);
        for (boolean again = false; ; again = true) {
            HttpTransfer.Received received = transfer.fetch(source, part, deadline, progress);
            String actual = Sha256.of(part.path());
            String expected = expected(source, received, actual);
            if (expected == null || actual.startsWith(expected)) {
                CacheRecord.Receipt receipt = CacheRecord.Receipt.of(part.path(), actual, expected, source.toString());
                part.install(receipt);
                return receipt.file(remote.name(), file);
            }
            part.delete();
            // Bytes of an earlier process may have been lost in a crash of the machine, so the network alone is not to
            // blame.
            if (again || !received.resumed()) {
                throw TransferException.lasting(mismatch(actual, expected) + "; the download was deleted");
            }
        }
    }

    /**
     * The expected hash. An entity tag that looks like a hash need not be the file's, because storage behind the hub
     * creates its own tags. So such a tag can confirm a file, but not reject it.
     */
    private static @Nullable String expected(Source source, HttpTransfer.Received received, String actual) {
        String promised = source.hub() ? received.sha256() : source.digits();
        return promised == null && actual.equals(received.tag()) ? actual : promised;
    }

    /** Finds the file on this machine; unusable files are added to the failures. */
    private Optional<StoredFile> find(RemoteFile remote, List<Source> sources, List<String> failures)
            throws IOException {
        for (Source source : sources) {
            Optional<StoredFile> file = own(remote, source, sources, failures);
            if (file.isPresent()) {
                return file;
            }
        }
        return remote.repository() == null ? Optional.empty() : huggingFaces(remote, remote.repository(), failures);
    }

    private Optional<StoredFile> own(RemoteFile remote, Source source, List<Source> sources, List<String> failures)
            throws IOException {
        Path path = home(remote).resolve(source.fileName());
        if (!Files.isRegularFile(path)) {
            return Optional.empty();
        }
        Optional<CacheRecord.Receipt> receipt = CacheRecord.receipt(CacheRecord.beside(path));
        String elsewhere = receipt.map(CacheRecord.Receipt::source).orElse(BY_HAND);
        if (source.digits() == null && !elsewhere.equals(BY_HAND) && !isOneOf(sources, elsewhere)) {
            // That source determined which hash is right.
            addOnce(failures, path + ": it came from " + elsewhere + ", which is no longer one of its addresses");
            return Optional.empty();
        }
        if (receipt.isPresent() && receipt.get().covers(path)) {
            return Optional.of(receipt.get().file(remote.name(), path));
        }
        String actual = Sha256.of(path);
        String required = receipt.map(CacheRecord.Receipt::required).orElse(source.digits());
        if (required != null && !actual.startsWith(required)) {
            addOnce(failures, path + ": " + mismatch(actual, required));
            return Optional.empty();
        }
        CacheRecord.Receipt renewed = CacheRecord.Receipt.of(
                path, actual, receipt.isPresent() ? receipt.get().expected() : source.digits(), elsewhere);
        remember(renewed, home(remote), CacheRecord.beside(path));
        return Optional.of(renewed.file(remote.name(), path));
    }

    private Optional<StoredFile> huggingFaces(RemoteFile remote, String repository, List<String> failures)
            throws IOException {
        for (Path path : hubCache.find(repository, remote.revision(), remote.fileName())) {
            Path blob = path.toRealPath();
            Path record = home(remote).resolve(ELSEWHERE + remote.fileName() + CacheRecord.SUFFIX);
            Optional<CacheRecord.Receipt> receipt = CacheRecord.receipt(record);
            if (receipt.isPresent()
                    && receipt.get().source().equals(blob.toString())
                    && receipt.get().covers(blob)) {
                return Optional.of(receipt.get().file(remote.name(), path));
            }
            String actual = Sha256.of(blob);
            String expected = Sha256.inTag(String.valueOf(blob.getFileName()));
            if (expected != null && !actual.equals(expected)) {
                addOnce(failures, path + ": " + mismatch(actual, expected));
                continue;
            }
            CacheRecord.Receipt checked = CacheRecord.Receipt.of(blob, actual, expected, blob.toString());
            remember(checked, home(remote), record);
            return Optional.of(checked.file(remote.name(), path));
        }
        return Optional.empty();
    }

    /** Records the hash to save computing it again. A read-only cache works without. */
    private static void remember(CacheRecord.Receipt receipt, Path home, Path record) {
        try {
            CacheFile.createFolder(home);
            receipt.write(record);
        } catch (IOException e) {
            // Only an optimization.
        }
    }

    private FetchException offline(RemoteFile remote, Source source, List<String> failures, String why) {
        StringBuilder problem = new StringBuilder("it is not cached, and the network is off (")
                .append(why)
                .append("). Looked in ")
                .append(home(remote));
        if (remote.repository() != null) {
            problem.append(" and ").append(hubCache.snapshots(remote.repository()));
        }
        problem.append(". To add it manually, download ")
                .append(source)
                .append(" elsewhere and copy it to ")
                .append(home(remote).resolve(source.fileName()));
        return new FetchException(remote.name(), problem.toString(), failures, null);
    }

    /**
     * Resolves a revision of a repository to a commit: the current commit of a branch or tag on the hub, or, if the hub
     * cannot be reached, the commit when the hub was last queried.
     *
     * @param repository the repository, {@code owner/name}
     * @param revision a branch, tag, or commit
     * @return the commit
     * @throws FetchException if the hub does not have it, or cannot be reached and was never queried before
     * @throws InterruptedIOException if the thread was interrupted
     */
    public Revision resolve(String repository, String revision) throws FetchException, InterruptedIOException {
        if (COMMIT.matcher(revision).matches()) {
            return new Revision(revision, Optional.empty());
        }
        RemoteFile any = RemoteFile.ofRepository(repository, revision, "config.json");
        String name = repository + "@" + revision;
        List<String> failures = new ArrayList<>();
        boolean missing = true;
        if (settings.offline() == null) {
            HttpTransfer transfer = new HttpTransfer(settings, pause);
            for (Source source : Source.of(any, settings)) {
                try {
                    Optional<String> commit = transfer.commit(source)
                            .filter(text -> COMMIT.matcher(text).matches());
                    commit.ifPresent(found -> remember(new CacheRecord.Reference(found, source.toString()), any));
                    return new Revision(commit.orElse(revision), Optional.empty());
                } catch (TransferException e) {
                    failures.add(source + ": " + Reason.withFile(e));
                    missing &= e.isMissing();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw (InterruptedIOException)
                            new InterruptedIOException(name + ": interrupted while resolving it").initCause(e);
                }
            }
            if (missing) {
                throw new FetchException(
                        name, "the hub has no such repository or revision with a config.json", failures, true, null);
            }
        }
        String why = settings.offline() == null ? String.join("; ", failures) : settings.offline();
        try {
            List<Source> sources = Source.of(any, settings);
            Optional<String> known = CacheRecord.reference(reference(any))
                    .filter(reference -> isOneOf(sources, reference.source()))
                    .map(CacheRecord.Reference::commit);
            if (known.isEmpty()) {
                known = hubCache.commit(repository, revision);
            }
            if (known.isPresent()) {
                return new Revision(known.get(), Optional.of(why));
            }
        } catch (IOException e) {
            failures.add(Reason.withFile(e));
        }
        throw settings.offline() == null
                ? new FetchException(name, "the hub cannot be reached", failures, null)
                : new FetchException(
                        name, "it is not cached, and the network is off (" + settings.offline() + ")", failures, null);
    }

    /**
     * A revision's commit.
     *
     * @param commit the commit's hash; the revision itself if a mirror does not say which commit it is
     * @param stale why the hub could not be reached, in which case this is the last known commit; empty if it was
     *     reached
     */
    public record Revision(String commit, Optional<String> stale) {}

    private void remember(CacheRecord.Reference reference, RemoteFile any) {
        try {
            CacheFile.createFolder(directory.resolve(REFERENCES));
            reference.write(reference(any));
        } catch (IOException e) {
            // Irrelevant while the hub can be reached.
        }
    }

    private Path reference(RemoteFile any) {
        return directory.resolve(REFERENCES).resolve(any.directory() + CacheRecord.SUFFIX);
    }

    /**
     * Lists the files in the cache, including partial downloads. Reads only names, lengths and times.
     *
     * @return the files, by the weights' names
     * @throws IOException if the cache cannot be read
     */
    public List<StoredFile> list() throws IOException {
        List<StoredFile> files = new ArrayList<>();
        for (Path home : homes()) {
            for (Path path : files(home)) {
                files.add(look(name(home), path, false));
            }
        }
        return files;
    }

    /**
     * Reads every file in the cache and recomputes its hash.
     *
     * @return the files, by the weights' names; none is {@link StoredFile.State#CHANGED}
     * @throws IOException if the cache cannot be read
     */
    public List<StoredFile> verify() throws IOException {
        List<StoredFile> files = new ArrayList<>();
        for (Path home : homes()) {
            for (Path path : files(home)) {
                files.add(look(name(home), path, true));
            }
        }
        return files;
    }

    /**
     * Removes useless files: partial downloads, files with a wrong hash, and files whose hash was never known, not even
     * to {@link #fetch}. Weights that are being downloaded, and directories that are symbolic links, are kept.
     *
     * @param all whether to remove every file, including good ones
     * @return what was removed
     * @throws IOException if the cache cannot be read, or a file cannot be removed
     */
    public List<StoredFile> prune(boolean all) throws IOException {
        List<StoredFile> removed = new ArrayList<>();
        for (Path home : homes()) {
            if (Files.isSymbolicLink(home)) {
                // It may lead out of the cache.
                continue;
            }
            Optional<CacheLock> lock = CacheLock.tryAcquire(lockFile(name(home)));
            if (lock.isEmpty()) {
                continue;
            }
            try {
                for (Path path : files(home)) {
                    StoredFile file = look(name(home), path, !all);
                    if (all || isUseless(file)) {
                        Files.deleteIfExists(path);
                        Files.deleteIfExists(CacheRecord.beside(path));
                        removed.add(file);
                    }
                }
                if (files(home).isEmpty()) {
                    removeRest(home);
                }
            } finally {
                lock.get().close();
            }
        }
        return removed;
    }

    private static boolean isUseless(StoredFile file) {
        return switch (file.state()) {
            case VERIFIED -> false;
            case UNVERIFIED -> !Files.exists(CacheRecord.beside(file.path()));
            case CHANGED, CORRUPT, PARTIAL -> true;
        };
    }

    /** Removes records without a file, and the directory. */
    private static void removeRest(Path home) throws IOException {
        try (DirectoryStream<Path> rest = Files.newDirectoryStream(home, "*" + CacheRecord.SUFFIX)) {
            for (Path each : rest) {
                Files.delete(each);
            }
        }
        try (Stream<Path> rest = Files.list(home)) {
            if (rest.findAny().isPresent()) {
                return;
            }
        }
        Files.delete(home);
    }

    private static StoredFile look(String weights, Path path, boolean closely) throws IOException {
        long size = Files.size(path);
        String fileName = String.valueOf(path.getFileName());
        if (fileName.endsWith(PartialFile.SUFFIX) || fileName.endsWith(CacheRecord.TEMPORARY)) {
            return new StoredFile(weights, path, size, StoredFile.State.PARTIAL, null, null);
        }
        Optional<CacheRecord.Receipt> receipt = CacheRecord.receipt(CacheRecord.beside(path));
        String expected = receipt.isPresent() ? receipt.get().expected() : Source.digits(fileName);
        if (closely) {
            String actual = Sha256.of(path);
            String required = receipt.map(CacheRecord.Receipt::required).orElse(expected);
            if (required != null && !actual.startsWith(required)) {
                return new StoredFile(weights, path, size, StoredFile.State.CORRUPT, actual, required);
            }
            StoredFile.State state = expected == null ? StoredFile.State.UNVERIFIED : StoredFile.State.VERIFIED;
            return new StoredFile(weights, path, size, state, actual, expected);
        }
        if (receipt.isEmpty()) {
            return new StoredFile(weights, path, size, StoredFile.State.UNVERIFIED, null, expected);
        }
        return receipt.get().covers(path)
                ? receipt.get().file(weights, path)
                : new StoredFile(
                        weights,
                        path,
                        size,
                        StoredFile.State.CHANGED,
                        null,
                        receipt.get().required());
    }

    private List<Path> homes() throws IOException {
        return sorted(directory, path -> Files.isDirectory(path));
    }

    private static List<Path> files(Path home) throws IOException {
        return sorted(home, path -> Files.isRegularFile(path) && !CacheRecord.isRecord(path));
    }

    private static List<Path> sorted(Path parent, DirectoryStream.Filter<Path> filter) throws IOException {
        List<Path> found = new ArrayList<>();
        if (Files.isDirectory(parent)) {
            try (DirectoryStream<Path> paths =
                    Files.newDirectoryStream(parent, path -> !name(path).startsWith(".") && filter.accept(path))) {
                paths.forEach(found::add);
            }
        }
        found.sort(null);
        return found;
    }

    private Path home(RemoteFile remote) {
        return directory.resolve(remote.directory());
    }

    private Path lockFile(String name) {
        return directory.resolve(LOCKS).resolve(name + ".lock");
    }

    private static String name(Path path) {
        return String.valueOf(path.getFileName());
    }

    private static String mismatch(String actual, String expected) {
        return "its SHA-256 is " + actual + " but should "
                + (expected.length() == actual.length() ? "be " : "start with ") + expected;
    }

    private static void addOnce(List<String> failures, String failure) {
        if (!failures.contains(failure)) {
            failures.add(failure);
        }
    }

    private static void sleep(Duration time) throws InterruptedException {
        Thread.sleep(time.toMillis());
    }
}
