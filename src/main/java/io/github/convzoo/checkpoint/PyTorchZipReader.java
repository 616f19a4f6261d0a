package io.github.convzoo.checkpoint;

import io.github.convzoo.checkpoint.PickleValues.Region;
import io.github.convzoo.checkpoint.ZipDirectory.Entry;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads the zip archives of {@code torch.save}. One directory, named after the original file, contains {@code version},
 * {@code byteorder} (since PyTorch 2.1), {@code data.pkl} with the pickle, and {@code data/KEY} with each storage's
 * bytes. TorchScript's archives contain a module, with {@code code/} next to it, which is not read, and {@code
 * constants.pkl} with the code's constants, whose storages are {@code constants/KEY}.
 */
final class PyTorchZipReader {
    /** The versions that PyTorch reads, from caffe2/serialize/versions.h. */
    private static final int OLDEST_VERSION = 1;

    private static final int NEWEST_VERSION = 10;

    /** The entries that PyTorch looks up by fixed names. */
    private static final List<String> LOOKED_UP = List.of("version", "byteorder", "data.pkl", "constants.pkl");

    private PyTorchZipReader() {}

    static Checkpoint read(MappedFile file, Map<String, Entry> entries, Limits limits) throws CheckpointException {
        return read(file, entries, limits, new HashSet<>());
    }

    /** Reads a file, and adds the names of all globals in its pickles to a set. */
    static Checkpoint read(MappedFile file, Map<String, Entry> entries, Limits limits, Set<String> globals)
            throws CheckpointException {
        String root = root(file, entries);
        checkCase(file, entries, root);
        boolean script = isScript(file, entries, root);
        for (Entry entry : entries.values()) {
            if (entry.compressed()
                    && !entry.name().endsWith("/")
                    && !(script && isLeftOut(entry.name().substring(root.length())))) {
                throw file.corrupt(
                        entry.header(),
                        "the zip entry " + CheckpointException.printable(entry.name())
                                + " is compressed, which torch.save never does; save it again with torch.save");
            }
        }
        checkVersion(file, entries.get(root + "version"));
        checkByteOrder(file, entries.get(root + "byteorder"));

        Entry pickle = entries.get(root + "data.pkl");
        if (pickle == null) {
            throw file.corrupt(-1, "the zip archive has no " + root + "data.pkl; save it again with torch.save");
        }
        Set<String> placeholders = new LinkedHashSet<>();
        Value value = value(file, limits, entries, pickle, root + "data/", placeholders, globals);
        if (script) {
            ScriptTensors tensors = new ScriptTensors(file, limits);
            tensors.add("", value);
            Entry constants = entries.get(root + "constants.pkl");
            if (constants != null) {
                tensors.addConstants(
                        value(file, limits, entries, constants, root + "constants/", placeholders, globals));
            }
            value = tensors.mapping();
        }
        return new Checkpoint(
                file.path(),
                script ? Format.TORCHSCRIPT : Format.PYTORCH_ZIP,
                value,
                Map.of(),
                List.copyOf(placeholders));
    }

    private static Value value(
            MappedFile file,
            Limits limits,
            Map<String, Entry> entries,
            Entry pickle,
            String storages,
            Set<String> placeholders,
            Set<String> globals)
            throws CheckpointException {
        PickleMachine machine = new PickleMachine(file, pickle.offset(), pickle.length(), limits);
        checkCrc(file, pickle);
        Object built = machine.run();
        if (machine.end() != pickle.end()) {
            throw file.corrupt(
                    machine.end(),
                    CheckpointException.printable(pickle.name())
                            + " continues after its pickle's end; the file is corrupt");
        }
        globals.addAll(machine.globals());
        placeholders.addAll(machine.unknownGlobals());
        PickleValues values = new PickleValues(
                file,
                limits,
                key -> {
                    Entry entry = entries.get(storages + key);
                    return entry == null ? null : new Region(file, entry.offset(), entry.length());
                },
                placeholders);
        Value value = values.value(built);
        for (PickleObjects.Storage storage : machine.storages().values()) {
            checkLength(file, storage, entries.get(storages + storage.key()));
        }
        return value;
    }

    /** Whether an archive is TorchScript's, by the entry that PyTorch checks. */
    private static boolean isScript(MappedFile file, Map<String, Entry> entries, String root)
            throws CheckpointException {
        if (entries.containsKey(root + "constants.pkl")) {
            return true;
        }
        if (entries.keySet().stream().anyMatch(name -> name.startsWith(root + "code/"))) {
            throw file.corrupt(
                    -1,
                    "the zip archive has code like a TorchScript archive, but no " + root
                            + "constants.pkl, so PyTorch loads it as something else; save it again with"
                            + " torch.jit.save");
        }
        return false;
    }

    /** PyTorch loads every named storage, even those without a tensor. Some versions wrote no entry for empty ones. */
    private static void checkLength(MappedFile file, PickleObjects.Storage storage, @Nullable Entry entry)
            throws CheckpointException {
        String shown = "storage " + CheckpointException.printable(storage.key());
        if (entry == null && storage.elements() > 0) {
            throw file.corrupt(
                    storage.at(), "the file has no " + shown + "; it is incomplete, copy or download it again");
        }
        int width = PickleGlobals.elementBytes(storage.type());
        if (entry != null && !PickleValues.isLength(entry.length(), storage.elements(), width)) {
            throw file.corrupt(
                    storage.at(),
                    shown + " must have " + storage.elements() + " elements of " + width + " bytes, but has "
                            + entry.length() + " bytes");
        }
    }

    /**
     * Refuses names that differ only in case, and names that PyTorch looks up in another case: it ignores the case of
     * ASCII letters in entry names.
     */
    private static void checkCase(MappedFile file, Map<String, Entry> entries, String root) throws CheckpointException {
        Map<String, String> names = new HashMap<>();
        for (String name : LOOKED_UP) {
            names.put(lowerCase(root + name), root + name);
        }
        for (Entry entry : entries.values()) {
            String other = names.put(lowerCase(entry.name()), entry.name());
            if (other != null && !other.equals(entry.name())) {
                throw file.corrupt(
                        entry.header(),
                        "the zip entry " + CheckpointException.printable(entry.name()) + " has the name "
                                + CheckpointException.printable(other)
                                + " in another case, which is the same to PyTorch; save it again with torch.save");
            }
        }
    }

    private static String lowerCase(String name) {
        StringBuilder lower = new StringBuilder(name);
        for (int i = 0; i < lower.length(); i++) {
            char c = lower.charAt(i);
            if (c >= 'A' && c <= 'Z') {
                lower.setCharAt(i, (char) (c + 'a' - 'A'));
            }
        }
        return lower.toString();
    }

    /** Entries of a TorchScript archive that are not read: code, and user files next to it. */
    private static boolean isLeftOut(String name) {
        return name.startsWith("code/") || name.startsWith("extra/");
    }

    /** The directory of all entries, with its slash. */
    private static String root(MappedFile file, Map<String, Entry> entries) throws CheckpointException {
        String root = "";
        for (String name : entries.keySet()) {
            root = name.substring(0, name.indexOf('/') + 1);
            break;
        }
        if (root.isEmpty() || (!entries.containsKey(root + "data.pkl") && !entries.containsKey(root + "version"))) {
            throw file.corrupt(0, MistakenFile.zipMessage(entries.keySet()));
        }
        for (String name : entries.keySet()) {
            if (!name.startsWith(root)) {
                throw file.corrupt(
                        entries.get(name).header(),
                        "the zip entry " + CheckpointException.printable(name) + " is outside the directory "
                                + CheckpointException.printable(root));
            }
        }
        return root;
    }

    private static void checkVersion(MappedFile file, @Nullable Entry entry) throws CheckpointException {
        if (entry == null) {
            throw file.corrupt(-1, "the zip archive has no version; save it again with torch.save");
        }
        String version = text(file, entry).trim();
        if (!version.matches("[0-9]{1,4}")
                || Integer.parseInt(version) < OLDEST_VERSION
                || Integer.parseInt(version) > NEWEST_VERSION) {
            throw file.corrupt(
                    entry.offset(),
                    "version " + CheckpointException.printable(version) + " of PyTorch's format is not supported; "
                            + "use " + OLDEST_VERSION + " to " + NEWEST_VERSION);
        }
    }

    private static void checkByteOrder(MappedFile file, @Nullable Entry entry) throws CheckpointException {
        // Files from before PyTorch 2.1 do not state it; they are little-endian, like the machines that PyTorch
        // supported.
        String order = entry == null ? "little" : text(file, entry);
        if (entry != null && !order.equals("little")) {
            throw file.corrupt(
                    entry.offset(),
                    "the byte order is " + CheckpointException.printable(order)
                            + ", which is not supported; save it again on a little-endian machine");
        }
    }

    /** A short entry's text. */
    private static String text(MappedFile file, Entry entry) throws CheckpointException {
        return new Cursor(file, entry.offset(), Math.min(64, entry.length()), entry.name())
                .utf8(Math.min(64, entry.length()));
    }

    private static void checkCrc(MappedFile file, Entry entry) throws CheckpointException {
        // torch.serialization.set_crc32_options(False) writes zeros.
        if (entry.crc() != 0 && entry.crc() != file.crc(entry.offset(), entry.length())) {
            throw file.corrupt(
                    entry.offset(),
                    "the checksum of " + CheckpointException.printable(entry.name())
                            + " is wrong, so the file is corrupt; copy or download it again");
        }
    }
}
