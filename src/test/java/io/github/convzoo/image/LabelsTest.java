package io.github.convzoo.image;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LabelsTest {

    private final Path folder;

    LabelsTest(@TempDir Path folder) {
        this.folder = folder;
    }

    @Test
    void read_ofLines_namesTheClassesInOrder() throws IOException {
        Labels labels = Labels.read(file("T-shirt/top\nn01440764 tench, Tinca tinca\nÄrmel\n", UTF_8), 3);

        assertThat(labels.names()).containsExactly("T-shirt/top", "n01440764 tench, Tinca tinca", "Ärmel");
        assertThat(labels.size()).isEqualTo(3);
        assertThat(labels.name(2)).isEqualTo("Ärmel");
    }

    @Test
    void read_ofWindowsFile_dropsMarkAndCarriageReturns() throws IOException {
        assertThat(Labels.read(file("\ufeffa\r\nb", UTF_8)).names()).containsExactly("a", "b");
    }

    @Test
    void read_ofBlankTrailingLines_toleratesThem() throws IOException {
        assertThat(Labels.read(file("a\nb\n\n  \n", UTF_8)).names()).containsExactly("a", "b");
    }

    @Test
    void read_ofBlankLineBetween_namesFileAndLine() throws IOException {
        Path file = file("a\n\nb\n", UTF_8);

        assertThatIOException()
                .isThrownBy(() -> Labels.read(file))
                .withMessageContaining(file.toString())
                .withMessageContaining("line 2");
    }

    @Test
    void read_ofEmptyFile_namesFile() throws IOException {
        for (String text : List.of("", "\n\n", "\ufeff")) {
            Path file = file(text, UTF_8);

            assertThatIOException()
                    .isThrownBy(() -> Labels.read(file))
                    .withMessageContaining(file.toString())
                    .withMessageContaining("no label");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "0,cat|1,red dog|2,fish, big",
                "2,fish, big|0,cat|1,red dog",
                "0 cat|1 red dog|2 fish, big",
                "0: cat|1: red dog|2: fish, big",
                "0\tcat|1\tred dog|2\tfish, big",
                "0;cat|1;red dog|2;fish, big",
                "cat,0|red dog,1|'fish, big',2",
                "cat\t0|red dog\t1|fish, big\t2",
                "index,name|0,cat|1,red dog|2,'fish, big'",
                "'class_name','id'|'cat','0'|'red dog','1'|'fish, big','2'",
                "cat|red dog|fish, big",
                "{'0': 'cat', '1': 'red dog', '2': 'fish, big'}",
                "{'2': 'fish, big', '1': 'red dog', '0': 'cat'}",
                "{'0': ['n02121808', 'cat'], '1': ['n02084071', 'red dog'], '2': ['n02512053', 'fish, big']}",
                "['cat', 'red dog',|'fish, big']",
                "[['n02121808', 'cat'], ['n02084071', 'red dog'], ['n02512053', 'fish, big']]",
                "{'cat': 0,|'red dog': 1,||'fish, big': 2}",
                "{'architectures': ['x'], 'id2label': {'0': 'cat', '1': 'red dog', '2': 'fish, big'}}",
                "{'num_classes': 3, 'label_names': ['cat', 'red dog', 'fish, big']}",
                "{'cat': '0', 'red dog': '1', 'fish, big': '2'}",
            })
    void read_ofNumbersOrJson_namesTheClassesInOrder(String text) throws IOException {
        String written = text.replace('|', '\n').replace('\'', '"') + "\n";

        assertThat(Labels.read(file(written, UTF_8)).names()).containsExactly("cat", "red dog", "fish, big");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "10 dollars|20 dollars|50 dollars",
                "class 0|class 1|class 2",
                "0|1|2",
                "cat, 3|dog",
                "n01440764 tench|n01443537 goldfish",
                "tench, Tinca tinca|crane|crane",
                "1 cat|dog",
                "index,name|cat|dog"
            })
    void read_ofNamesWithNumbersInThem_keepsThem(String text) throws IOException {
        assertThat(Labels.read(file(text.replace('|', '\n'), UTF_8)).names()).containsExactly(text.split("\\|"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "cat|red dog|fish, big",
                "0 cat|1 dog|10 kiwi|2 fox",
                "1 cat|10 kiwi|2 dog",
                "0,cat|1,dog",
                "cat,1|dog,0",
                "[x]|cat",
                "{|cat",
                "'cat'|'0', \"<dog> & é\"",
                "\ufeffcat|dog",
                " cat|dog ",
                "cat\\nfood|dog",
                "1,0|0,1"
            })
    void text_isReadAsTheSameNames(String text) throws IOException {
        Labels labels = new Labels(Arrays.stream(text.split("\\|"))
                .map(name -> name.replace("\\n", "\n"))
                .toList());

        assertThat(Labels.read(file(labels.toText(), UTF_8))).isEqualTo(labels);
    }

    @Test
    void text_ofPlainNames_hasOneInEachLine() {
        assertThat(new Labels(List.of("cat", "10 dollars")).toText()).isEqualTo("cat\n10 dollars\n");
        assertThat(new Labels(List.of("0 <a>", "1 b")).toText()).isEqualTo("[\n  \"0 <a>\",\n  \"1 b\"\n]\n");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '^',
            quoteCharacter = '`',
            value = {
                "1,0|2,1|0,2^'1,0' can be class 1 named '0' or class 0 named '1'",
                "{~0~: 1, ~1~: 2, ~2~: 0}^~0~: 1 can be class 0 named '1' or class 1 named '0'",
                "1 cat|2 dog^'dog' has number 2, but 2 classes are numbered from 0 to 1",
                "0,cat|2,dog^'dog' has number 2, but 2 classes are numbered from 0 to 1",
                "0 cat|0 dog^'cat' and 'dog' have number 0",
                "cat,1|dog,1^'cat' and 'dog' have number 1",
                "0 cat|2 dog|1 fox^'2 dog' in line 2 can be class 2 named 'dog', or class 1 named '2 dog'",
                "{~0~: ~cat~, ~3~: ~dog~}^'dog' has number 3",
                "{~cat~: 0, ~dog~: 0}^'cat' and 'dog' have number 0",
                "{~cat~: ~dog~}^this JSON has no class names",
                "{~0~: {~a~: 1}}^this JSON has no class names",
                "{}^no labels found",
                "[]^no labels found",
                "[~a~^starts like JSON but cannot be parsed",
                "[~a~, ~~]^class 1 has no name",
            })
    void read_ofUnclearNumbers_namesBothReadings(String text, String problem) throws IOException {
        Path file = file(text.replace('|', '\n').replace('~', '"'), UTF_8);

        assertThatIOException()
                .isThrownBy(() -> Labels.read(file))
                .withMessageStartingWith(file + ": ")
                .withMessageContaining(problem.replace('~', '"'));
    }

    /** Where a name is given twice to the same number in both readings, there is nothing to choose. */
    @Test
    void read_ofNumbersNamedByThemselves_readsThem() throws IOException {
        assertThat(Labels.read(file("0,0\n1,1\n", UTF_8)).names()).containsExactly("0", "1");
        assertThat(Labels.read(file("{\"0\": 0, \"1\": 1}", UTF_8)).names()).containsExactly("0", "1");
    }

    @Test
    void synsets_areThoseOfTheNames() {
        assertThat(ImageNetSynsets.ids()).hasSize(1000).doesNotHaveDuplicates().isSorted();
        assertThat(ImageNetSynsets.ids()).allMatch(ImageNetSynsets::isSynset);
        assertThat(ImageNetSynsets.id(0)).isEqualTo("n01440764");
        assertThat(ImageNetSynsets.id(999)).isEqualTo("n15075141");
        // The tench, the bird, the golden retriever, the machine, the banana.
        assertThat(ImageNetSynsets.number("n01440764")).hasValue(0);
        assertThat(ImageNetSynsets.number("n02012849")).hasValue(134);
        assertThat(ImageNetSynsets.number("n02099601")).hasValue(207);
        assertThat(ImageNetSynsets.number("n03126707")).hasValue(517);
        assertThat(ImageNetSynsets.number("n07753592")).hasValue(954);
        assertThat(ImageNetSynsets.number("n00007846")).isEmpty();
        assertThat(ImageNetSynsets.isSynset("n1440764")).isFalse();
    }

    @Test
    void read_ofAnotherCount_namesFileAndBothCounts() throws IOException {
        Path file = file("a\nb\n", UTF_8);

        assertThatIOException()
                .isThrownBy(() -> Labels.read(file, 10))
                .withMessageContaining(file.toString())
                .withMessageContaining("2 labels")
                .withMessageContaining("10 classes");
    }

    @Test
    void read_ofAnotherEncoding_namesFile() throws IOException {
        Path file = file("Ärmel\n", ISO_8859_1);

        assertThatIOException()
                .isThrownBy(() -> Labels.read(file))
                .withMessageContaining(file.toString())
                .withMessageContaining("UTF-8");
    }

    @Test
    void read_ofNoFile_namesIt() {
        assertThatIOException()
                .isThrownBy(() -> Labels.read(folder.resolve("none.txt")))
                .withMessageContaining("none.txt: no such");
    }

    @Test
    void read_ofHugeFile_isRefused() throws IOException {
        Path file = folder.resolve("huge.txt");
        Files.writeString(file, "cat\ndog" + "\n".repeat((1 << 24) - 7));
        assertThat(Labels.read(file).size()).isEqualTo(2);
        Files.writeString(file, "cat\ndog" + "\n".repeat((1 << 24) - 6));
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long memory = threads.getCurrentThreadAllocatedBytes();
        assertThatIOException().isThrownBy(() -> Labels.read(file)).withMessageContaining("16 MiB");
        assertThat(threads.getCurrentThreadAllocatedBytes() - memory).isLessThan(4L << 24);
    }

    @Test
    void construction_ofBlankName_isRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> new Labels(List.of()));
        assertThatIllegalArgumentException().isThrownBy(() -> new Labels(List.of("a", " ")));
    }

    @Test
    void imageNet_hasAThousandNamesOfWhichOneStandsTwice() {
        Labels labels = Labels.imageNet();

        assertThat(labels.size()).isEqualTo(1000);
        assertThat(labels.name(134)).isEqualTo("crane");
        assertThat(labels.name(517)).isEqualTo("crane");
        assertThat(Set.copyOf(labels.names())).hasSize(999);
        // No identifiers, no stray space, no character that a terminal may lack.
        assertThat(labels.names())
                .allMatch(name -> name.equals(name.strip()) && name.matches("[\\x20-\\x7e]+"))
                .noneMatch(name -> name.matches("n\\d{8}.*"));
        assertThat(Labels.imageNet()).isSameAs(labels);
    }

    /** Indices that anyone knows who has read a few predictions; a list shifted by one or sorted by name fails. */
    @ParameterizedTest
    @CsvSource({
        "0, 'tench, Tinca tinca'",
        "1, 'goldfish, Carassius auratus'",
        "7, cock",
        "207, golden retriever",
        "281, 'tabby, tabby cat'",
        "285, Egyptian cat",
        "388, 'giant panda, panda, panda bear, coon bear, Ailuropoda melanoleuca'",
        "500, cliff dwelling",
        "504, coffee mug",
        "638, maillot",
        "639, 'maillot, tank suit'",
        "657, missile",
        "744, 'projectile, missile'",
        "817, 'sports car, sport car'",
        "954, banana",
        "967, espresso",
        "999, 'toilet tissue, toilet paper, bathroom tissue'"
    })
    void imageNet_isInTheOrderOfTheChallenge(int index, String name) {
        assertThat(Labels.imageNet().name(index)).isEqualTo(name);
    }

    private Path file(String text, Charset charset) throws IOException {
        return Files.write(folder.resolve("labels.txt"), text.getBytes(charset));
    }
}
