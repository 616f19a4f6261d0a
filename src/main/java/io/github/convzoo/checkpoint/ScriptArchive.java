package io.github.convzoo.checkpoint;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * The parts of a TorchScript archive that decide what PyTorch runs when it loads the archive and calls its module. They
 * are for checking the archive first; nothing runs here.
 *
 * @param entries the names of all entries, without the archive's top folder
 * @param code the source files, by the name of their entry
 * @param globals the names of all globals in the archive's pickles, such as the classes of its objects
 */
public record ScriptArchive(Set<String> entries, Map<String, String> code, Set<String> globals) {

    private static final String CODE = "code/";
    private static final String SOURCE = ".py";

    /** Copies the collections. */
    public ScriptArchive {
        entries = Set.copyOf(entries);
        code = Map.copyOf(code);
        globals = Set.copyOf(globals);
    }

    /**
     * Reads an archive as strictly as {@link Checkpoint#read}, so that PyTorch finds the same parts in it.
     *
     * @param file the archive
     * @param limits limits for reading the file; the source files together count as a pickle
     * @return its parts
     * @throws CheckpointException if the file cannot be read, is not a TorchScript archive, or is corrupt, hostile, or
     *     over a limit
     */
    public static ScriptArchive read(Path file, Limits limits) throws CheckpointException {
        Set<String> globals = new LinkedHashSet<>();
        Set<String> names = new LinkedHashSet<>();
        try (MappedFile mapped = MappedFile.open(file)) {
            Map<String, ZipDirectory.Entry> entries = ZipDirectory.read(mapped, limits);
            if (PyTorchZipReader.read(mapped, entries, limits, globals).format() != Format.TORCHSCRIPT) {
                throw new CheckpointException(file, -1, null, "this is not a TorchScript archive", null);
            }
            names.addAll(entries.keySet());
        }
        Map<String, String> code = new LinkedHashMap<>();
        Set<String> entries = new LinkedHashSet<>();
        long left = limits.of(Limit.PICKLE_BYTES);
        try (ZipFile zip = new ZipFile(file.toFile())) {
            for (String name : names) {
                String entry = name.substring(name.indexOf('/') + 1);
                entries.add(entry);
                if (entry.startsWith(CODE) && entry.endsWith(SOURCE)) {
                    byte[] source = source(zip, name, left);
                    left -= source.length;
                    if (left < 0) {
                        throw new CheckpointException(
                                file,
                                -1,
                                null,
                                "its code has more than " + limits.of(Limit.PICKLE_BYTES) + " bytes; "
                                        + Limit.PICKLE_BYTES.remedy(),
                                null);
                    }
                    code.put(entry, new String(source, StandardCharsets.UTF_8));
                }
            }
        } catch (IOException e) {
            throw e instanceof CheckpointException known
                    ? known
                    : new CheckpointException(file, -1, null, "its code cannot be read (" + e.getMessage() + ")", e);
        }
        return new ScriptArchive(entries, code, globals);
    }

    private static byte[] source(ZipFile zip, String name, long limit) throws IOException {
        ZipEntry entry = zip.getEntry(name);
        if (entry == null) {
            throw new IOException(CheckpointException.printable(name) + " is missing");
        }
        try (InputStream in = zip.getInputStream(entry)) {
            return in.readNBytes((int) Math.min(Integer.MAX_VALUE - 8, limit + 1));
        }
    }
}
