package io.github.convzoo.checkpoint;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The directory of a zip archive (PKWARE's APPNOTE.TXT 6.3, sections 4.3 and 4.4), with zip64 extensions: the location
 * of each entry's bytes.
 *
 * <p>Archives that two readers could interpret differently are refused. The archive consists of its entries,
 * consecutive from the first byte of the file, the directory, and the end record, with nothing before, between, or
 * after them, so there is no second directory to find. Local headers and data descriptors must agree with the
 * directory.
 */
final class ZipDirectory {
    private static final int LOCAL_HEADER = 0x04034b50;
    private static final int CENTRAL_HEADER = 0x02014b50;
    private static final int END = 0x06054b50;
    private static final int ZIP64_END = 0x06064b50;
    private static final int ZIP64_LOCATOR = 0x07064b50;
    private static final int END_BYTES = 22;
    private static final int LOCATOR_BYTES = 20;
    private static final int ZIP64_END_BYTES = 56;
    private static final int LONGEST_COMMENT = 0xffff;
    private static final int LOCAL_HEADER_BYTES = 30;
    private static final int CENTRAL_HEADER_BYTES = 46;
    private static final int ZIP64_EXTRA = 0x0001;
    private static final long SATURATED = 0xffffffffL;

    private static final int STORED = 0;
    private static final int DEFLATED = 8;
    private static final int ENCRYPTED = 1 | (1 << 6) | (1 << 13);
    /** The local header's sizes and checksum follow the data instead. */
    private static final int DESCRIPTOR_FOLLOWS = 1 << 3;
    /** The data is a patch of another file. */
    private static final int PATCH = 1 << 5;
    /** The name is in UTF-8. */
    private static final int UNICODE_NAME = 1 << 11;

    /** The MS-DOS attribute of a directory. */
    private static final int DIRECTORY_ATTRIBUTE = 1 << 4;

    private static final int DESCRIPTOR = 0x08074b50;
    /** A descriptor: its signature, a checksum, and two lengths of 64 bits each. */
    private static final int LONGEST_DESCRIPTOR = 24;
    /** A UTF-8 name that some readers use instead of the entry's own. */
    private static final int UNICODE_PATH_EXTRA = 0x7075;
    /** The newest version of the format that Python's zipfile reads: 6.3. */
    private static final int NEWEST_VERSION = 63;

    private final MappedFile file;
    private final Limits limits;

    /**
     * An entry.
     *
     * @param unicode whether the name is marked as UTF-8; otherwise some readers decode it as code page 437
     * @param header the offset of its local header
     * @param offset the offset of its bytes, as stored in the file
     * @param length the number of stored bytes
     * @param compressed whether they must be inflated
     * @param inflated the number of uncompressed bytes; the length if they are not compressed
     * @param crc the CRC-32 of the uncompressed bytes, from the directory
     * @param described whether a data descriptor may follow
     */
    record Entry(
            String name,
            boolean unicode,
            long header,
            long offset,
            long length,
            boolean compressed,
            long inflated,
            long crc,
            boolean described) {
        long end() {
            return offset + length;
        }
    }

    /** The end record's description of the directory. */
    private record Extent(long entries, long bytes, long offset, long end) {}

    private ZipDirectory(MappedFile file, Limits limits) {
        this.file = file;
        this.limits = limits;
    }

    /** Reads the directory: entries by name, in order. Names of directories end with a slash. */
    static Map<String, Entry> read(MappedFile file, Limits limits) throws CheckpointException {
        return new ZipDirectory(file, limits).read();
    }

    private Map<String, Entry> read() throws CheckpointException {
        Extent extent = extent();
        if (extent.entries > limits.of(Limit.ZIP_ENTRIES) || extent.entries < 0) {
            throw file.overLimit(
                    extent.offset,
                    null,
                    "the zip archive has " + Long.toUnsignedString(extent.entries) + " entries",
                    Limit.ZIP_ENTRIES,
                    limits);
        }
        if (extent.offset < 0
                || extent.bytes < 0
                || extent.offset > extent.end
                || extent.bytes != extent.end - extent.offset) {
            throw file.corrupt(
                    extent.end, "the zip directory does not end where its end record starts; the file is corrupt");
        }
        if (extent.bytes > limits.of(Limit.HEADER_BYTES)) {
            throw file.overLimit(
                    extent.offset,
                    null,
                    "the zip directory has " + extent.bytes + " bytes",
                    Limit.HEADER_BYTES,
                    limits);
        }
        Cursor in = new Cursor(file, extent.offset, extent.bytes, "the zip directory");
        Map<String, Entry> entries = new LinkedHashMap<>();
        for (long i = 0; i < extent.entries; i++) {
            long at = in.offset();
            Entry entry = entry(in);
            if (entries.put(entry.name, entry) != null) {
                throw file.corrupt(at, "the zip archive has two entries " + CheckpointException.printable(entry.name));
            }
        }
        if (in.remaining() > 0) {
            throw in.corrupt("the zip directory has more entries than its end record says");
        }
        checkPlaces(entries, extent.offset);
        return entries;
    }

    private Extent extent() throws CheckpointException {
        long end = findEnd();
        Cursor in = new Cursor(file, end + 4, END_BYTES - 4, "the zip end record");
        int disk = in.u16();
        int directoryDisk = in.u16();
        int entriesHere = in.u16();
        int entries = in.u16();
        long bytes = in.u32();
        long offset = in.u32();
        if (end >= LOCATOR_BYTES) {
            Cursor locator = new Cursor(file, end - LOCATOR_BYTES, LOCATOR_BYTES, "the zip64 locator");
            if (locator.i32() == ZIP64_LOCATOR) {
                return zip64Extent(locator, end - LOCATOR_BYTES, entries, bytes, offset);
            }
        }
        if (disk != 0 || directoryDisk != 0 || entriesHere != entries) {
            throw file.corrupt(end, "a zip archive in several parts is not supported");
        }
        return new Extent(entries, bytes, offset, end);
    }

    private Extent zip64Extent(Cursor locator, long locatorAt, int entries, long bytes, long offset)
            throws CheckpointException {
        long disk = locator.u32();
        long end = locator.i64();
        long disks = locator.u32();
        if (disk != 0 || disks > 1) {
            throw file.corrupt(locatorAt, "a zip archive in several parts is not supported");
        }
        if (end != locatorAt - ZIP64_END_BYTES) {
            throw file.corrupt(locatorAt, "the zip64 end record is not in its place; the file is corrupt");
        }
        Cursor in = new Cursor(file, end, ZIP64_END_BYTES, "the zip64 end record");
        if (in.i32() != ZIP64_END || in.i64() != ZIP64_END_BYTES - 12) {
            throw file.corrupt(end, "the zip64 end record is not in its place; the file is corrupt");
        }
        in.skip(4);
        // The number of this part, and of the directory's part: 32 bits each.
        if (in.i64() != 0) {
            throw file.corrupt(end, "a zip archive in several parts is not supported");
        }
        long entriesHere = in.i64();
        long entries64 = in.i64();
        long bytes64 = in.i64();
        long offset64 = in.i64();
        if (entriesHere != entries64
                || !agrees(entries, 0xffff, entries64)
                || !agrees(bytes, SATURATED, bytes64)
                || !agrees(offset, SATURATED, offset64)) {
            throw file.corrupt(end, "the two zip end records disagree; the file is corrupt");
        }
        return new Extent(entries64, bytes64, offset64, end);
    }

    private static boolean agrees(long narrow, long saturated, long wide) {
        return narrow == saturated || narrow == wide;
    }

    /**
     * The end record is the end of the file. A comment after it could contain another end record, or look like the end
     * of one, and readers differ in which one they use.
     */
    private long findEnd() throws CheckpointException {
        long end = file.size() - END_BYTES;
        if (end >= 0) {
            Cursor in = new Cursor(file, end, END_BYTES, "the zip end record");
            boolean found = in.i32() == END;
            in.skip(END_BYTES - 6);
            if (found && in.u16() == 0) {
                return end;
            }
        }
        long first = Math.max(0, end - LONGEST_COMMENT);
        ByteBuffer tail = ByteBuffer.wrap(file.copy(first, file.size() - first)).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = tail.limit() - END_BYTES; at >= 0; at--) {
            if (tail.getInt(at) == END) {
                throw file.corrupt(
                        first + at,
                        "the zip archive has a comment or other bytes after its end record, in which readers may find"
                                + " another archive; save it again with torch.save or numpy.savez");
            }
        }
        throw file.corrupt(
                file.size(),
                "the zip archive has no directory at its end; it is truncated, so copy or download it again");
    }

    private Entry entry(Cursor in) throws CheckpointException {
        long at = in.offset();
        if (in.remaining() < CENTRAL_HEADER_BYTES || in.i32() != CENTRAL_HEADER) {
            throw file.corrupt(at, "the zip directory is corrupt: expected an entry here");
        }
        in.skip(2);
        int version = in.u8();
        in.skip(1);
        int flags = in.u16();
        int method = in.u16();
        in.skip(4);
        long crc = in.u32();
        long stored = in.u32();
        long length = in.u32();
        int nameBytes = in.u16();
        int extraBytes = in.u16();
        int commentBytes = in.u16();
        int disk = in.u16();
        in.skip(2);
        long attributes = in.u32();
        long header = in.u32();
        String name = in.utf8(nameBytes);
        checkName(name, at);

        Extra extra = new Extra(new Cursor(file, in.offset(), Math.min(extraBytes, in.remaining()), "a zip entry"));
        in.skip(extraBytes);
        in.skip(commentBytes);
        length = extra.widen(length);
        stored = extra.widen(stored);
        header = extra.widen(header);

        if (version > NEWEST_VERSION || (flags & PATCH) != 0) {
            throw file.corrupt(
                    at,
                    "the zip entry " + CheckpointException.printable(name)
                            + " needs a newer or patching reader (version " + version
                            + "); save the checkpoint again uncompressed");
        }
        if ((attributes & DIRECTORY_ATTRIBUTE) != 0 && !name.endsWith("/")) {
            throw file.corrupt(
                    at,
                    "the zip entry " + CheckpointException.printable(name)
                            + " has data but is marked as a directory, which PyTorch does not read; save it again with"
                            + " torch.save");
        }
        if ((flags & ENCRYPTED) != 0) {
            throw file.corrupt(
                    at, "the zip entry " + CheckpointException.printable(name) + " is encrypted; decrypt the file");
        }
        if (method != STORED && method != DEFLATED) {
            throw file.corrupt(
                    at,
                    "the zip entry " + CheckpointException.printable(name) + " is compressed by the unknown method "
                            + method + "; save the checkpoint again uncompressed");
        }
        if (disk != 0 || length < 0 || stored < 0 || header < 0 || (method == STORED && length != stored)) {
            throw file.corrupt(
                    at, "the zip entry " + CheckpointException.printable(name) + " has an impossible size or place");
        }
        return locate(name, flags, method, header, length, stored, crc);
    }

    /** Finds the entry's bytes, which follow a local header of variable length. */
    private Entry locate(String name, int flags, int method, long header, long length, long stored, long crc)
            throws CheckpointException {
        String shown = "the zip entry " + CheckpointException.printable(name);
        Cursor in = new Cursor(file, header, Math.min(LOCAL_HEADER_BYTES, Math.max(0, file.size() - header)), shown);
        if (in.i32() != LOCAL_HEADER) {
            throw file.corrupt(header, shown + " has no local header at the offset in the directory");
        }
        in.skip(2);
        int localFlags = in.u16();
        int localMethod = in.u16();
        in.skip(4);
        long localCrc = in.u32();
        long localStored = in.u32();
        long localLength = in.u32();
        int nameBytes = in.u16();
        int extraBytes = in.u16();
        Cursor rest = new Cursor(file, in.offset(), (long) nameBytes + extraBytes, shown);
        String localName = rest.utf8(nameBytes);
        Extra extra = new Extra(new Cursor(file, rest.offset(), extraBytes, shown));
        localLength = extra.widen(localLength);
        localStored = extra.widen(localStored);
        boolean later = (localFlags & DESCRIPTOR_FOLLOWS) != 0;
        if (!localName.equals(name)
                || localMethod != method
                || ((flags ^ localFlags) & (ENCRYPTED | PATCH | DESCRIPTOR_FOLLOWS | UNICODE_NAME)) != 0
                || !localAgrees(localLength, length, later)
                || !localAgrees(localStored, stored, later)
                || !localAgrees(localCrc, crc, later)) {
            throw file.corrupt(header, shown + " differs between its local header and the directory");
        }
        long offset = in.offset() + nameBytes + extraBytes;
        if (stored > file.size() - offset) {
            throw file.corrupt(
                    offset, shown + " extends beyond the file, which is truncated; copy or download it again");
        }
        boolean unicode = (flags & UNICODE_NAME) != 0;
        return new Entry(name, unicode, header, offset, stored, method != STORED, length, crc, later);
    }

    private static boolean localAgrees(long local, long central, boolean later) {
        return local == central || (later && local == 0);
    }

    private void checkName(String name, long at) throws CheckpointException {
        if (name.length() > limits.of(Limit.NAME_LENGTH)) {
            throw file.overLimit(
                    at, null, "a zip entry's name has " + name.length() + " characters", Limit.NAME_LENGTH, limits);
        }
        boolean bad = name.isEmpty() || name.indexOf('\\') >= 0;
        // A Windows drive.
        bad |= name.length() > 1 && name.charAt(1) == ':' && Character.isLetter(name.charAt(0));
        for (int i = 0; i < name.length(); i++) {
            bad |= Character.isISOControl(name.charAt(i));
        }
        String path = name.endsWith("/") ? name.substring(0, name.length() - 1) : name;
        for (String segment : path.split("/", -1)) {
            bad |= segment.isEmpty() || segment.equals(".") || segment.equals("..");
        }
        if (bad) {
            throw file.corrupt(
                    at,
                    "the zip entry " + CheckpointException.printable(name) + " has a name that no checkpoint needs");
        }
    }

    /**
     * Each entry must start where the previous one ends, the first at the start of the file, with the directory after
     * the last.
     */
    private void checkPlaces(Map<String, Entry> entries, long directory) throws CheckpointException {
        List<Entry> ordered = new ArrayList<>(entries.values());
        ordered.sort(Comparator.comparingLong(Entry::header));
        long first = ordered.isEmpty() ? directory : ordered.get(0).header;
        if (first != 0) {
            throw file.corrupt(
                    0,
                    "the zip archive has " + first + " bytes before its first entry, in which readers may find"
                            + " another archive; save it again with torch.save or numpy.savez");
        }
        for (int i = 0; i < ordered.size(); i++) {
            Entry entry = ordered.get(i);
            long next = i + 1 < ordered.size() ? ordered.get(i + 1).header : directory;
            if (entry.end() > next) {
                throw file.corrupt(
                        entry.header,
                        "the zip entry" + " " + CheckpointException.printable(entry.name)
                                + " overlaps the next entry or the directory");
            }
            if (entry.end() < next && !isDescriptor(entry, next - entry.end())) {
                throw file.corrupt(
                        entry.end(),
                        entry.described
                                ? "the data descriptor of the zip entry " + CheckpointException.printable(entry.name)
                                        + " differs from the directory; the file is corrupt, copy or download it again"
                                : "the zip archive has " + (next - entry.end()) + " bytes after its entry "
                                        + CheckpointException.printable(entry.name)
                                        + " that belong to no entry; save it again with torch.save or numpy.savez");
            }
        }
    }

    /** Whether the bytes after an entry are its descriptor, with or without a signature, of 32 or 64 bits. */
    private boolean isDescriptor(Entry entry, long length) throws CheckpointException {
        if (!entry.described || length > LONGEST_DESCRIPTOR || length < LONGEST_DESCRIPTOR / 2 || length % 4 != 0) {
            return false;
        }
        Cursor in = new Cursor(file, entry.end(), length, "a data descriptor");
        if (length % 8 == 0 && in.i32() != DESCRIPTOR) {
            return false;
        }
        boolean wide = in.remaining() > LONGEST_DESCRIPTOR / 2;
        return in.u32() == entry.crc
                && (wide ? in.i64() : in.u32()) == entry.length
                && (wide ? in.i64() : in.u32()) == entry.inflated;
    }

    /** The zip64 extra field: 64-bit values for those that are saturated in the header, in the header's order. */
    private static final class Extra {
        private final Cursor zip64;

        Extra(Cursor fields) throws CheckpointException {
            Cursor found = fields;
            boolean seen = false;
            while (fields.remaining() >= 4) {
                int id = fields.u16();
                int length = fields.u16();
                if (id == ZIP64_EXTRA && !seen) {
                    found = fields.cursor(length);
                    seen = true;
                } else if (id == ZIP64_EXTRA || id == UNICODE_PATH_EXTRA) {
                    throw fields.corrupt("a zip entry has "
                            + (seen ? "two sizes" : "two names")
                            + ", of which readers use either; save the archive again");
                } else {
                    fields.skip(length);
                }
            }
            this.zip64 = found;
        }

        long widen(long narrow) throws CheckpointException {
            return narrow == SATURATED ? zip64.i64() : narrow;
        }
    }
}
