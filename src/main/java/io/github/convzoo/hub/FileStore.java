package io.github.convzoo.hub;

import ai.djl.util.Progress;
import io.github.convzoo.checkpoint.ReplacedFile;
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
 * Published files: from this machine where they are there already, from the hub or an older address where
 * not. For any number of threads and processes at once; a file is downloaded by one of them, and the others wait.
 *
 * <p>Looked for in this order: this store's own cache, the cache of Hugging Face's tools, the hub and its mirrors, the
 * older addresses. A file takes its place in the cache once its SHA-256 is found to be the expected one: the hub names
 * it, or the older file's name has its first digits. Where nobody says what it should be, its length alone is checked,
 * and it is {@link StoredFile.State#UNVERIFIED}.
 */
public final class FileStore {

    private static final String LOCKS = ".locks";
    private static final String REFERENCES = ".refs";

    /** What the receipt of a file that is used where Hugging Face's tools put it is called, before the file's name. */
    private static final String ELSEWHERE = "huggingface.";

    /** The source of a file that has no record, in the record that it gets. */
    private static final String BY_HAND = "put there by hand";

    private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");

    private final StoreSettings settings;
    private final HttpTransfer.Pause pause;
    private final Path directory;
    private final HubCache hubCache;

    /**
     * A store with the given settings.
     *
     * @param settings where weights come from and where they are kept
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
     * A store with the process's environment for its settings.
     *
     * @return the store
     * @throws IllegalArgumentException if a variable of the environment has no meaning
     */
    public static FileStore fromEnvironment() {
        return new FileStore(StoreSettings.fromEnvironment(System::getenv));
    }

    /**
     * Where the store keeps its files, a directory for each name or repository.
     *
     * @return an absolute path; it need not exist
     */
    public Path directory() {
        return directory;
    }

    /**
     * Makes a folder of a cache, and those above it, that only their owner may enter, where the file system has such
     * permissions. Folders that exist stay as they are.
     *
     * @param folder the folder
     * @throws IOException if it cannot be made
     */
    public static void createFolder(Path folder) throws IOException {
        CacheFile.createFolder(folder);
    }

    /**
     * Looks for a file on this machine. The network is not touched.
     *
     * @param remote which file
     * @return the file, {@link StoredFile.State#VERIFIED} or {@link StoredFile.State#UNVERIFIED}; empty where there is
     *     none, or none that can be used
     * @throws IOException if the cache cannot be read
     */
    public Optional<StoredFile> find(RemoteFile remote) throws IOException {
        return find(remote, Source.of(remote, settings), new ArrayList<>());
    }

    /**
     * Brings a file onto this machine, if it is not there.
     *
     * @param remote which file
     * @param progress told of a download's bytes, from this thread, anew where another address is tried; ended once the
     *     file is complete; its maximum is negative where the length is not known; null for nobody
     * @return the file, {@link StoredFile.State#VERIFIED} or {@link StoredFile.State#UNVERIFIED}
     * @throws FetchException if no place has it; the message names each, and why
     * @throws InterruptedIOException if the thread was interrupted; what came so far stays for the next time
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
                throw new FetchException(remote.name(), "there is no address to fetch it from", failures, null);
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
                    new InterruptedIOException(remote.name() + ": interrupted while it was fetched").initCause(e);
        } catch (IOException e) {
            throw new FetchException(
                    remote.name(), "the cache in " + directory + " cannot be used (" + e + ")", List.of(), e);
        }
    }

    /**
     * Puts a file into the cache that does not come from the network.
     *
     * @param name the directory of the cache, which is what listings call the file
     * @param fileName the file's name in it
     * @param content the whole file
     * @param source where it comes from, for the record
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
            // Another may have brought it while this one waited for the lock.
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
                    failures.add(source + ": " + e.getMessage());
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

    /** Takes away records that a process left half written when it was stopped. */
    private static void sweep(Path home) throws IOException {
        try (DirectoryStream<Path> left = Files.newDirectoryStream(home, "*" + CacheRecord.TEMPORARY)) {
            for (Path each : left) {
                Files.deleteIfExists(each);
            }
        }
    }

    /** A part counts for what the present addresses say of it, or for the hash that its file's own name has. */
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
            // Bytes of an earlier process may have been lost in a crash of the machine; the network's alone are not to
            // blame.
            if (again || !received.resumed()) {
                throw TransferException.lasting(mismatch(actual, expected) + "; the download was deleted");
            }
        }
    }

    /**
     * What the hash has to be. An entity tag that has the shape of a hash is not always one of the file: storage behind the
     * hub makes its own. So such a tag can prove a file right, but not wrong.
     */
    private static @Nullable String expected(Source source, HttpTransfer.Received received, String actual) {
        String promised = source.hub() ? received.sha256() : source.digits();
        return promised == null && actual.equals(received.tag()) ? actual : promised;
    }

    /** What is on this machine already; what is there but cannot be used is added to the failures. */
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
            // Whoever answered there said which hash is right.
            addOnce(
                    failures,
                    path + ": it came from " + elsewhere + ", which is not among the addresses to fetch it from now");
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

    /** Saves the next look the hashing. A cache that may only be read works without. */
    private static void remember(CacheRecord.Receipt receipt, Path home, Path record) {
        try {
            CacheFile.createFolder(home);
            receipt.write(record);
        } catch (IOException e) {
            // Nothing depends on it.
        }
    }

    private FetchException offline(RemoteFile remote, Source source, List<String> failures, String why) {
        StringBuilder problem = new StringBuilder("it is not on this machine, and the network is off (")
                .append(why)
                .append("). Looked in ")
                .append(home(remote));
        if (remote.repository() != null) {
            problem.append(" and ").append(hubCache.snapshots(remote.repository()));
        }
        problem.append(". To bring it in by hand, download ")
                .append(source)
                .append(" elsewhere and put it at ")
                .append(home(remote).resolve(source.fileName()));
        return new FetchException(remote.name(), problem.toString(), failures, null);
    }

    /**
     * Which commit a revision of a repository stands for: that of a branch or tag as the hub says now, or, if the hub cannot
     * be asked, as it was when it was last asked.
     *
     * @param repository the repository, {@code owner/name}
     * @param revision a branch, tag, or commit
     * @return the commit
     * @throws FetchException if the hub does not have it, or cannot be asked and was never asked before
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
                    failures.add(source + ": " + e.getMessage());
                    missing &= e.isMissing();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw (InterruptedIOException)
                            new InterruptedIOException(name + ": interrupted while it was asked for").initCause(e);
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
            failures.add(e.toString());
        }
        throw settings.offline() == null
                ? new FetchException(name, "the hub cannot be asked", failures, null)
                : new FetchException(
                        name,
                        "it is not on this machine, and the network is off (" + settings.offline() + ")",
                        failures,
                        null);
    }

    /**
     * A revision's commit.
     *
     * @param commit the commit's hash; the revision itself if a mirror does not say which commit it is
     * @param stale why the hub could not be asked, so that this is the commit of last time; empty if it was asked
     */
    public record Revision(String commit, Optional<String> stale) {}

    private void remember(CacheRecord.Reference reference, RemoteFile any) {
        try {
            CacheFile.createFolder(directory.resolve(REFERENCES));
            reference.write(reference(any));
        } catch (IOException e) {
            // Nothing depends on it while the hub can be asked.
        }
    }

    private Path reference(RemoteFile any) {
        return directory.resolve(REFERENCES).resolve(any.directory() + CacheRecord.SUFFIX);
    }

    /**
     * What the cache holds, partial downloads included. Nothing is read but names, lengths and times.
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
     * Reads every file of the cache and computes its hash anew.
     *
     * @return the files, by the weights' names; {@link StoredFile.State#CHANGED} none
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
     * Removes what is of no use: partial downloads, files whose hash is wrong, and files that nobody has ever said a hash
     * for, not even {@link #fetch}. Weights that are being downloaded now are left alone.
     *
     * @param all whether to remove every file, good ones too
     * @return what was removed
     * @throws IOException if the cache cannot be read, or a file not removed
     */
    public List<StoredFile> prune(boolean all) throws IOException {
        List<StoredFile> removed = new ArrayList<>();
        for (Path home : homes()) {
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

    /** Takes away records that belong to no file, and the directory. */
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
        return "its SHA-256 is " + actual + " and should "
                + (expected.length() == actual.length() ? "be " : "begin with ") + expected;
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
