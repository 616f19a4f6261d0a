package io.github.convzoo.checkpoint;

import io.github.convzoo.checkpoint.PickleObjects.Items;
import io.github.convzoo.checkpoint.PickleObjects.Pairs;
import io.github.convzoo.checkpoint.PickleObjects.Storage;
import io.github.convzoo.checkpoint.PickleValues.Region;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads the files of {@code torch.save} before PyTorch 1.6, in the layout of {@code _legacy_save} in
 * torch/serialization.py: pickles of a magic number, the protocol's version, a description of the machine, the object,
 * and the keys of its storages; then for each of these keys the number of elements, 64 bits wide, and the elements.
 */
final class PyTorchLegacyReader {
    private static final BigInteger MAGIC = new BigInteger("1950a86a20f9469cfc6c", 16);
    private static final BigInteger PROTOCOL = BigInteger.valueOf(1001);

    private static final int TAR_HEADER_BYTES = 512;
    private static final int TAR_SUM = 148;
    private static final int TAR_SUM_BYTES = 8;

    private final MappedFile file;
    private final Limits limits;
    private long offset;

    private PyTorchLegacyReader(MappedFile file, Limits limits) {
        this.file = file;
        this.limits = limits;
    }

    static Checkpoint read(MappedFile file, Limits limits) throws CheckpointException {
        return new PyTorchLegacyReader(file, limits).read();
    }

    private Checkpoint read() throws CheckpointException {
        checkNotTar();
        expect(MAGIC, "the magic number");
        expect(PROTOCOL, "the version of the format");
        checkByteOrder();

        PickleMachine machine = new PickleMachine(file, offset, limits);
        Object built = machine.run();
        offset = machine.end();
        Map<String, Region> regions = storages(machine.storages());
        if (offset != file.size()) {
            throw file.corrupt(offset, "the file continues after its last storage; it is corrupt");
        }
        Set<String> placeholders = new LinkedHashSet<>(machine.unknownGlobals());
        Value value = new PickleValues(file, limits, regions::get, placeholders).value(built);
        return new Checkpoint(file.path(), Format.PYTORCH_LEGACY, value, Map.of(), List.copyOf(placeholders));
    }

    /**
     * The storage in a part of a pickle, which is such a file whose object is a storage.
     *
     * @param part the part
     * @param limits limits for its pickles
     */
    static Storage storage(MappedFile part, Limits limits) throws CheckpointException {
        PyTorchLegacyReader reader = new PyTorchLegacyReader(part, limits);
        reader.expect(MAGIC, "the magic number of a storage in the pickle");
        reader.expect(PROTOCOL, "the version of the format");
        reader.checkByteOrder();
        long at = reader.offset;
        PickleMachine machine = new PickleMachine(part, at, limits, true);
        Object built = machine.run();
        reader.offset = machine.end();
        Region region = reader.storages(machine.storages()).get(built instanceof Storage named ? named.key() : "");
        if (!(built instanceof Storage storage) || region == null || reader.offset != part.size()) {
            throw part.corrupt(at, "the pickle is corrupt: a storage inside it is not in PyTorch's format");
        }
        return storage.inside(region);
    }

    /** PyTorch first checks for a tar archive, which Python recognizes by the checksum of its first header. */
    private void checkNotTar() throws CheckpointException {
        if (file.size() < TAR_HEADER_BYTES) {
            return;
        }
        byte[] header = file.copy(0, TAR_HEADER_BYTES);
        int unsigned = TAR_SUM_BYTES * ' ';
        int signed = unsigned;
        for (int i = 0; i < header.length; i++) {
            if (i < TAR_SUM || i >= TAR_SUM + TAR_SUM_BYTES) {
                unsigned += header[i] & 0xff;
                signed += header[i];
            }
        }
        String octal = new String(header, TAR_SUM, TAR_SUM_BYTES, StandardCharsets.ISO_8859_1);
        int end = octal.indexOf(0);
        String digits = (end < 0 ? octal : octal.substring(0, end)).strip().replaceAll("_|^[+]?(0o)?", "");
        long sum = digits.matches("-?[0-7]{1,8}") ? Long.parseLong(digits, 8) : Long.MIN_VALUE;
        if (header[TAR_SUM] == (byte) 0x80) {
            sum = ByteBuffer.wrap(header, TAR_SUM, TAR_SUM_BYTES).getLong() & Long.MAX_VALUE;
        }
        if (sum == unsigned || sum == signed) {
            throw file.corrupt(
                    0,
                    "this is both a file of torch.save and a tar archive, which PyTorch tries first; save it again with"
                            + " torch.save");
        }
    }

    private Object pickle() throws CheckpointException {
        PickleMachine machine = new PickleMachine(file, offset, limits);
        Object built = machine.run();
        offset = machine.end();
        return built;
    }

    private void expect(BigInteger number, String what) throws CheckpointException {
        long at = offset;
        Object built = pickle();
        if (!built.equals(new Value.Whole(number))) {
            String found = built instanceof Value.Whole other ? other.number().toString() : "not a number";
            throw file.corrupt(
                    at,
                    what + " is " + found + " instead of " + number + "; save it again with"
                            + " torch.save of PyTorch 1.6 or later");
        }
    }

    private void checkByteOrder() throws CheckpointException {
        long at = offset;
        if (pickle() instanceof Pairs machine) {
            for (int i = 0; i < machine.pairs.size(); i += 2) {
                if (machine.pairs.get(i).equals(new Value.Text("little_endian"))
                        && machine.pairs.get(i + 1).equals(new Value.Bool(true))) {
                    return;
                }
            }
        }
        throw file.corrupt(
                at,
                "the file is not marked as little-endian, the only supported byte order; save it again on a"
                        + " little-endian machine");
    }

    /** The locations of the storages. The file's storages must be exactly those that the object refers to. */
    private Map<String, Region> storages(Map<String, Storage> named) throws CheckpointException {
        long at = offset;
        if (!(pickle() instanceof Items keys)) {
            throw file.corrupt(at, "the keys of the storages are not a list; the file is corrupt");
        }
        Map<String, Region> regions = new LinkedHashMap<>();
        for (Object key : keys.items) {
            Storage storage = key instanceof Value.Text text ? named.get(text.text()) : null;
            if (storage == null || regions.containsKey(storage.key())) {
                throw file.corrupt(at, "the keys of the storages are not those that the object refers to");
            }
            regions.put(storage.key(), storage(storage));
        }
        return regions;
    }

    private Region storage(Storage storage) throws CheckpointException {
        String shown = "storage " + CheckpointException.printable(storage.key());
        Cursor in = new Cursor(file, offset, Math.min(8, file.size() - offset), shown);
        long elements = in.i64();
        if (elements != storage.elements()) {
            throw file.corrupt(
                    offset,
                    shown + " has " + elements + " elements, but the object expects " + storage.elements()
                            + "; the file is corrupt");
        }
        int width = PickleGlobals.elementBytes(storage.type());
        if (elements > (file.size() - in.offset()) / width) {
            throw file.corrupt(
                    offset, shown + " extends beyond the file, which is truncated; copy or download it again");
        }
        Region region = new Region(file, in.offset(), elements * width);
        offset = in.offset() + region.length();
        return region;
    }
}
