package io.github.convzoo.checkpoint;

import static io.github.convzoo.checkpoint.Crafted.at;
import static io.github.convzoo.checkpoint.Crafted.file;
import static io.github.convzoo.checkpoint.Crafted.floats;
import static io.github.convzoo.checkpoint.Crafted.refused;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirDeletionStrategy.IgnoreFailures;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

class ZipDirectoryTest {
    private final Path directory;

    ZipDirectoryTest(@TempDir(deletionStrategy = IgnoreFailures.class) Path directory) {
        this.directory = directory;
    }

    private static ZipAssembler zip() {
        byte[] pickle = new PickleAssembler()
                .dict()
                .text("w")
                .tensor("FloatStorage", "0", 2, 0, new long[] {2}, new long[] {1})
                .setItem()
                .stop();
        return Crafted.torch(pickle, new byte[8]);
    }

    private CheckpointException refusedZip(Consumer<ZipAssembler> damage) throws IOException {
        ZipAssembler zip = zip();
        damage.accept(zip);
        return refused(file(directory, zip.bytes()));
    }

    private void readable(ZipAssembler zip) throws IOException {
        Value root = Checkpoint.read(file(directory, zip.bytes())).root();
        assertThat(floats((Tensor) at(root, "w"))).containsExactly(0, 0);
    }

    @Test
    void archive_withZip64RecordsAndDirectories_isRead() throws IOException {
        readable(zip());
        ZipAssembler wide = zip();
        wide.zip64End = true;
        wide.entry(0).zip64 = true;
        wide.add("model/data/", "");
        readable(wide);
    }

    @Test
    void archive_withAComment_isRefused() throws IOException {
        for (String comment : new String[] {"x", "PK\5\6 in a comment", "x".repeat(0xffff)}) {
            assertThat(refusedZip(zip -> zip.comment = comment.getBytes(StandardCharsets.US_ASCII)))
                    .hasMessageContaining("a comment or other bytes after its end record");
        }
    }

    @Test
    void bytes_behindTheEndRecord_areRefused() throws IOException {
        byte[] archive = zip().bytes();
        assertThat(refused(file(directory, Arrays.copyOf(archive, archive.length + 1))))
                .hasMessageContaining("after its end record");
        // A second archive, whole, behind the first.
        byte[] twice = Arrays.copyOf(archive, 2 * archive.length);
        System.arraycopy(archive, 0, twice, archive.length, archive.length);
        assertThat(refused(file(directory, twice))).hasMessageContaining("does not end where its end record starts");
    }

    @Test
    void bytes_inFrontOfTheFirstEntry_areRefused() throws IOException {
        ZipAssembler zip = zip();
        zip.prefix = new byte[] {'P', 'K', 3, 4};
        assertThat(refused(file(directory, zip.bytes()))).hasMessageContaining("4 bytes before its first entry");
    }

    @Test
    void bytes_betweenEntries_areRefusedUnlessTheyAreTheDescriptor() throws IOException {
        for (int entry = 0; entry < 4; entry++) {
            int place = entry;
            assertThat(refusedZip(zip -> zip.entry(place).behind = new byte[1]))
                    .hasMessageContaining("1 bytes after its entry");
            assertThat(refusedZip(zip -> {
                        zip.entry(place).flags = 8;
                        zip.entry(place).localFlags = 8;
                        zip.entry(place).behind = new byte[16];
                    }))
                    .hasMessageContaining("differs from the directory");
            for (boolean signed : new boolean[] {false, true}) {
                for (boolean wide : new boolean[] {false, true}) {
                    ZipAssembler zip = zip();
                    zip.entry(place).describe(signed, wide);
                    readable(zip);
                    byte[] descriptor = zip.entry(place).behind;
                    for (int i = 0; i < descriptor.length; i += 4) {
                        int changed = i;
                        assertThat(refusedZip(other -> {
                                    other.entry(place).describe(signed, wide);
                                    other.entry(place).behind[changed]++;
                                }))
                                .hasMessageContaining("differs from the directory");
                    }
                }
            }
        }
    }

    @Test
    void entry_thatNeedsANewerReaderOrIsAPatch_isRefused() throws IOException {
        readable(versioned(63));
        assertThat(refused(file(directory, versioned(64).bytes()))).hasMessageContaining("newer or patching reader");
        assertThat(refusedZip(zip -> {
                    zip.entry(2).flags = 32;
                    zip.entry(2).localFlags = 32;
                }))
                .hasMessageContaining("newer or patching reader");
    }

    @Test
    void entry_thatIsMarkedAsADirectory_isRefused() throws IOException {
        assertThat(refusedZip(zip -> zip.entry(2).attributes = 0x10)).hasMessageContaining("marked as a directory");
        ZipAssembler zip = zip();
        zip.entry(2).attributes = 0x01a4_0020;
        zip.add("model/data/", "").attributes = 0x10;
        readable(zip);
    }

    private static ZipAssembler versioned(int version) {
        ZipAssembler zip = zip();
        zip.entry(2).version = version;
        return zip;
    }

    @Test
    void entry_withAnotherNameOrSizeInAnExtraField_isRefused() throws IOException {
        byte[] otherName = {0x75, 0x70, 6, 0, 1, 0, 0, 0, 0, 'x'};
        assertThat(refusedZip(zip -> zip.entry(2).extra = otherName)).hasMessageContaining("two names");
        byte[] twoSizes = {1, 0, 0, 0, 1, 0, 0, 0};
        assertThat(refusedZip(zip -> zip.entry(2).extra = twoSizes)).hasMessageContaining("two sizes");
        ZipAssembler zip = zip();
        zip.entry(2).extra = new byte[] {1, 0, 0, 0, 'F', 'B', 1, 0, 0};
        readable(zip);
    }

    @Test
    void archive_truncatedAnywhere_isRefused() throws IOException {
        byte[] whole = zip().bytes();
        for (int length = 0; length < whole.length; length++) {
            assertThat(refused(file(directory, Arrays.copyOf(whole, length)))).isNotNull();
        }
    }

    @Test
    void entry_thatIsEncrypted_isRefused() throws IOException {
        assertThat(refusedZip(zip -> {
                    zip.entry(2).flags = 1;
                    zip.entry(2).localFlags = 1;
                }))
                .hasMessageContaining("encrypted");
    }

    @Test
    void entry_thatIsCompressed_isRefused() throws IOException {
        assertThat(refusedZip(zip -> {
                    zip.entry(2).method = 8;
                    zip.entry(2).localMethod = 8;
                }))
                .hasMessageContaining("compressed");
        assertThat(refusedZip(zip -> {
                    zip.entry(2).method = 93;
                    zip.entry(2).localMethod = 93;
                }))
                .hasMessageContaining("unknown method 93");
    }

    @Test
    void entry_whoseLocalHeaderDiffers_isRefused() throws IOException {
        assertThat(refusedZip(zip -> zip.entry(2).localName = "model/data/1")).hasMessageContaining("differs");
        assertThat(refusedZip(zip -> zip.entry(2).localLength = 4)).hasMessageContaining("differs");
        assertThat(refusedZip(zip -> zip.entry(2).localMethod = 8)).hasMessageContaining("differs");
        assertThat(refusedZip(zip -> zip.entry(2).localCrc = 1)).hasMessageContaining("differs");
        assertThat(refusedZip(zip -> zip.entry(2).localFlags = 8)).hasMessageContaining("differs");
    }

    @Test
    void entry_thatIsNotWhereTheDirectorySays_isRefused() throws IOException {
        assertThat(refusedZip(zip -> zip.entry(2).header = 1)).hasMessageContaining("local header");
        assertThat(refusedZip(zip -> zip.entry(2).header = 0x7fffffff)).hasMessageContaining("truncated");
        assertThat(refusedZip(zip -> {
                    zip.entry(2).zip64 = true;
                    zip.entry(2).header = Long.MIN_VALUE;
                }))
                .hasMessageContaining("impossible");
        assertThat(refusedZip(zip -> {
                    zip.entry(2).zip64 = true;
                    zip.entry(2).length = Long.MAX_VALUE;
                }))
                .isNotNull();
    }

    @Test
    void entries_ofOneName_areRefused() throws IOException {
        assertThat(refusedZip(zip -> zip.add("model/data/0", new byte[8]))).hasMessageContaining("two entries");
    }

    @Test
    void entries_thatOverlap_areRefused() throws IOException {
        // The first entry is made to reach over the second, as in a zip bomb whose entries share their bytes.
        assertThat(refusedZip(zip -> {
                    zip.entry(0).length += 40;
                    zip.entry(0).localLength += 40;
                }))
                .hasMessageContaining("overlaps");
    }

    /** Names that mean something else than an entry to those who unpack archives. */
    static final String[] PATH_TRICKS = {
        "/etc/passwd",
        "../outside",
        "model/../../outside",
        "model/..",
        "model/./data/1",
        "model//data/1",
        "model\\data\\1",
        "..\\outside",
        "C:/outside",
        "c:outside",
        "model/data/1\n",
        "model/data.pkl\0",
        "\u0085"
    };

    @ParameterizedTest
    @FieldSource("PATH_TRICKS")
    void entry_withAPathTrickForAName_isRefused(String name) throws IOException {
        assertThat(refusedZip(zip -> zip.add(name, new byte[1]))).hasMessageContaining("no checkpoint needs");
    }

    @Test
    void entry_outsideTheArchivesDirectory_isRefused() throws IOException {
        assertThat(refusedZip(zip -> zip.add("other/data", new byte[1]))).hasMessageContaining("is outside");
    }

    @Test
    void entryCount_thatIsWrong_isRefused() throws IOException {
        assertThat(refusedZip(zip -> zip.entryCount = 3)).hasMessageContaining("more entries");
        assertThat(refusedZip(zip -> zip.entryCount = 5)).hasMessageContaining("expected an entry");
    }

    @Test
    void endRecords_thatDisagree_areRefused() throws IOException {
        assertThat(refusedZip(zip -> {
                    zip.zip64End = true;
                    zip.zip64Entries = 3;
                }))
                .hasMessageContaining("disagree");
        assertThat(refusedZip(zip -> {
                    zip.zip64End = true;
                    zip.entryCount = 0xffff;
                    zip.zip64Entries = Long.MIN_VALUE;
                }))
                .hasMessageContaining("zipEntries");
        assertThat(refusedZip(zip -> zip.directoryShift = 4)).hasMessageContaining("does not end where");
    }
}
