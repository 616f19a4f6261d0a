package io.github.convzoo.checkpoint;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
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
    }

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

    Entry add(String name, String text) {
        return add(name, text.getBytes(StandardCharsets.UTF_8));
    }

    Entry entry(int index) {
        return entries.get(index);
    }

    byte[] bytes() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (Entry entry : entries) {
            long header = out.size();
            byte[] name = entry.localName.getBytes(StandardCharsets.UTF_8);
            ByteBuffer local = ByteBuffer.allocate(30 + name.length).order(ByteOrder.LITTLE_ENDIAN);
            local.putInt(0x04034b50).putShort((short) 0).putShort((short) entry.localFlags);
            local.putShort((short) entry.localMethod).putInt(0).putInt((int) entry.localCrc);
            local.putInt((int) entry.localLength).putInt((int) entry.localLength);
            local.putShort((short) name.length).putShort((short) 0).put(name);
            out.writeBytes(local.array());
            out.writeBytes(entry.data);
            if (entry.header == -1) {
                entry.header = header;
            }
        }
        int directory = out.size();
        for (Entry entry : entries) {
            byte[] name = entry.name.getBytes(StandardCharsets.UTF_8);
            ByteBuffer central = ByteBuffer.allocate(46 + name.length + (entry.zip64 ? 28 : 0))
                    .order(ByteOrder.LITTLE_ENDIAN);
            central.putInt(0x02014b50).putInt(0).putShort((short) entry.flags).putShort((short) entry.method);
            central.putInt(0).putInt((int) entry.crc);
            int length = entry.zip64 ? -1 : (int) entry.length;
            central.putInt(length).putInt(length);
            central.putShort((short) name.length)
                    .putShort((short) (entry.zip64 ? 28 : 0))
                    .putShort((short) 0);
            central.putShort((short) 0).putShort((short) 0).putInt(0);
            central.putInt(entry.zip64 ? -1 : (int) entry.header).put(name);
            if (entry.zip64) {
                central.putShort((short) 1).putShort((short) 24);
                central.putLong(entry.length).putLong(entry.length).putLong(entry.header);
            }
            out.writeBytes(central.array());
        }
        int directoryBytes = out.size() - directory;
        int count = entryCount < 0 ? entries.size() : entryCount;
        if (zip64End) {
            long end = out.size();
            long count64 = zip64Entries < 0 ? count : zip64Entries;
            ByteBuffer wide = ByteBuffer.allocate(56 + 20).order(ByteOrder.LITTLE_ENDIAN);
            wide.putInt(0x06064b50).putLong(44).putInt(0).putInt(0).putInt(0);
            wide.putLong(count64).putLong(count64).putLong(directoryBytes).putLong(directory + directoryShift);
            wide.putInt(0x07064b50).putInt(0).putLong(end).putInt(1);
            out.writeBytes(wide.array());
        }
        ByteBuffer end = ByteBuffer.allocate(22 + comment.length).order(ByteOrder.LITTLE_ENDIAN);
        end.putInt(0x06054b50).putInt(0).putShort((short) count).putShort((short) count);
        end.putInt(directoryBytes).putInt((int) (directory + directoryShift));
        end.putShort((short) comment.length).put(comment);
        out.writeBytes(end.array());
        return out.toByteArray();
    }
}
