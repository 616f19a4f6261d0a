package io.github.convzoo.checkpoint;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32;

/** Writes zip archives field by field, so that any of them can be wrong. */
final class ZipAssembler {
    /** An entry, and what its headers say of it. */
    static final class Entry {
        final String name;
        final byte[] data;
        String localName;
        int flags;
        int localFlags;
        int method;
        int localMethod;
        long crc;
        long localCrc;
        long length;
        long localLength;
        long header = -1;
        boolean zip64;
        long sparse;
        int version;
        int attributes;
        /** In the directory; not with zip64. */
        byte[] extra = new byte[0];
        /** What follows the data. */
        byte[] behind = new byte[0];

        Entry(String name, byte[] data) {
            this.name = name;
            this.data = data;
            this.localName = name;
            CRC32 sum = new CRC32();
            sum.update(data);
            crc = sum.getValue();
            localCrc = crc;
            length = data.length;
            localLength = data.length;
        }

        /** Puts checksum and length behind the data. */
        void describe(boolean signed, boolean wide) {
            flags |= 8;
            localFlags |= 8;
            localCrc = 0;
            localLength = 0;
            ByteBuffer descriptor =
                    ByteBuffer.allocate((signed ? 8 : 4) + (wide ? 16 : 8)).order(ByteOrder.LITTLE_ENDIAN);
            if (signed) {
                descriptor.putInt(0x08074b50);
            }
            descriptor.putInt((int) crc);
            for (int i = 0; i < 2; i++) {
                if (wide) {
                    descriptor.putLong(length);
                } else {
                    descriptor.putInt((int) length);
                }
            }
            behind = descriptor.array();
        }
    }

    /** What stands in front of the first entry. */
    byte[] prefix = new byte[0];

    private final List<Entry> entries = new ArrayList<>();
    int entryCount = -1;
    boolean zip64End;
    long zip64Entries = -1;
    long directoryShift;
    byte[] comment = new byte[0];

    Entry add(String name, byte[] data) {
        Entry entry = new Entry(name, data);
        entries.add(entry);
        return entry;
    }

    /** An entry of zeros that takes no place on the disk. */
    Entry addSparse(String name, long length) {
        Entry entry = add(name, new byte[0]);
        entry.length = length;
        entry.localLength = length;
        entry.sparse = length;
        return entry;
    }

    Entry add(String name, String text) {
        return add(name, text.getBytes(StandardCharsets.UTF_8));
    }

    Entry entry(int index) {
        return entries.get(index);
    }

    /** Writes a file; what is passed over takes no place on the disk where the file system knows of holes. */
    Path write(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(
                file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, StandardOpenOption.SPARSE)) {
            long position = 0;
            for (Entry entry : entries) {
                entry.header = position;
                channel.write(ByteBuffer.wrap(local(entry)), position);
                position = channel.size();
                channel.write(ByteBuffer.wrap(entry.data), position);
                position += entry.data.length + entry.sparse;
            }
            channel.write(ByteBuffer.wrap(directory(position)), position);
        }
        return file;
    }

    byte[] bytes() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(prefix);
        for (Entry entry : entries) {
            if (entry.header == -1) {
                entry.header = out.size();
            }
            out.writeBytes(local(entry));
            out.writeBytes(entry.data);
            out.writeBytes(entry.behind);
        }
        out.writeBytes(directory(out.size()));
        return out.toByteArray();
    }

    private static byte[] local(Entry entry) {
        byte[] name = entry.localName.getBytes(StandardCharsets.UTF_8);
        ByteBuffer local = ByteBuffer.allocate(30 + name.length).order(ByteOrder.LITTLE_ENDIAN);
        local.putInt(0x04034b50).putShort((short) 0).putShort((short) entry.localFlags);
        local.putShort((short) entry.localMethod).putInt(0).putInt((int) entry.localCrc);
        local.putInt((int) entry.localLength).putInt((int) entry.localLength);
        local.putShort((short) name.length).putShort((short) 0).put(name);
        return local.array();
    }

    private static byte[] central(Entry entry) {
        byte[] name = entry.name.getBytes(StandardCharsets.UTF_8);
        int extra = entry.zip64 ? 28 : entry.extra.length;
        int length = entry.zip64 ? -1 : (int) entry.length;
        ByteBuffer central = ByteBuffer.allocate(46 + name.length + extra).order(ByteOrder.LITTLE_ENDIAN);
        central.putInt(0x02014b50)
                .putInt(entry.version << 16)
                .putShort((short) entry.flags)
                .putShort((short) entry.method);
        central.putInt(0).putInt((int) entry.crc).putInt(length).putInt(length);
        central.putShort((short) name.length).putShort((short) extra).putShort((short) 0);
        central.putShort((short) 0).putShort((short) 0).putInt(entry.attributes);
        central.putInt(entry.zip64 ? -1 : (int) entry.header).put(name);
        if (entry.zip64) {
            central.putShort((short) 1).putShort((short) 24);
            central.putLong(entry.length).putLong(entry.length).putLong(entry.header);
        } else {
            central.put(entry.extra);
        }
        return central.array();
    }

    private byte[] directory(long start) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (Entry entry : entries) {
            out.writeBytes(central(entry));
        }
        int bytes = out.size();
        int count = entryCount < 0 ? entries.size() : entryCount;
        if (zip64End) {
            long count64 = zip64Entries < 0 ? count : zip64Entries;
            ByteBuffer wide = ByteBuffer.allocate(56 + 20).order(ByteOrder.LITTLE_ENDIAN);
            wide.putInt(0x06064b50).putLong(44).putInt(0).putInt(0).putInt(0);
            wide.putLong(count64).putLong(count64).putLong(bytes).putLong(start + directoryShift);
            wide.putInt(0x07064b50).putInt(0).putLong(start + bytes).putInt(1);
            out.writeBytes(wide.array());
        }
        ByteBuffer end = ByteBuffer.allocate(22 + comment.length).order(ByteOrder.LITTLE_ENDIAN);
        end.putInt(0x06054b50).putInt(0).putShort((short) count).putShort((short) count);
        end.putInt(bytes).putInt((int) Math.min(0xffffffffL, start + directoryShift));
        end.putShort((short) comment.length).put(comment);
        out.writeBytes(end.array());
        return out.toByteArray();
    }
}
