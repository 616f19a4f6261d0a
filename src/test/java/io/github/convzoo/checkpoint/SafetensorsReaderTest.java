package io.github.convzoo.checkpoint;

import static io.github.convzoo.checkpoint.Crafted.entries;
import static io.github.convzoo.checkpoint.Crafted.file;
import static io.github.convzoo.checkpoint.Crafted.refused;
import static io.github.convzoo.checkpoint.Crafted.safetensors;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirDeletionStrategy.IgnoreFailures;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsReaderTest {
    private final Path directory;

    SafetensorsReaderTest(@TempDir(deletionStrategy = IgnoreFailures.class) Path directory) {
        this.directory = directory;
    }

    private static String tensor(String name, String type, String shape, long begin, long end) {
        return "\"" + name + "\":{\"dtype\":\"" + type + "\",\"shape\":" + shape + ",\"data_offsets\":[" + begin + ","
                + end + "]}";
    }

    private CheckpointException refusedHeader(String header, int dataBytes) throws IOException {
        return refused(file(directory, safetensors(header, dataBytes)));
    }

    @Test
    void file_withPaddedHeaderAndFieldsInAnyOrder_isRead() throws IOException {
        String header = "{ \"a\" : {\"data_offsets\":[0,4],\"shape\":[ ],\"dtype\":\"F32\"} }   ";
        Checkpoint checkpoint = Checkpoint.read(file(directory, safetensors(header, 4)));
        assertThat(checkpoint.format()).isEqualTo(Format.SAFETENSORS);
        assertThat(entries(checkpoint.root())).containsOnlyKeys("a");
        assertThat(checkpoint.metadata()).isEmpty();
        assertThat(checkpoint.placeholders()).isEmpty();
    }

    @Test
    void tensors_inAnyOrderOfTheFile_keepTheHeadersOrder() throws IOException {
        String header = "{" + tensor("b", "F32", "[1]", 4, 8) + "," + tensor("a", "F32", "[1]", 0, 4) + "}";
        Value root = Checkpoint.read(file(directory, safetensors(header, 8))).root();
        assertThat(entries(root).keySet()).containsExactly("b", "a");
    }

    @ParameterizedTest
    @ValueSource(longs = {Long.MIN_VALUE, Long.MAX_VALUE, -1, 1L << 32, 100})
    void headerLength_beyondTheFile_isRefused(long length) throws IOException {
        CheckpointException refusal = refused(file(directory, safetensors(length, new byte[] {'{', '}'}, 0)));
        assertThat(refusal).hasMessageContaining(Long.toUnsignedString(length) + " bytes");
        assertThat(refusal.offset()).hasValue(0);
    }

    @Test
    void file_truncatedAnywhere_isRefused() throws IOException {
        String header = "{" + tensor("a", "F32", "[2]", 0, 8) + "}";
        byte[] whole = safetensors(header, 8);
        for (int length = 0; length < whole.length; length++) {
            assertThat(refused(file(directory, Arrays.copyOf(whole, length))))
                    .hasMessageStartingWith(directory.toString());
        }
    }

    @Test
    void file_withBytesAfterTheLastTensor_isRefused() throws IOException {
        assertThat(refusedHeader("{" + tensor("a", "F32", "[2]", 0, 8) + "}", 9))
                .hasMessageContaining("1 bytes that belong");
    }

    @Test
    void tensors_thatOverlap_areRefused() throws IOException {
        CheckpointException refusal =
                refusedHeader("{" + tensor("a", "F32", "[2]", 0, 8) + "," + tensor("b", "F32", "[2]", 4, 12) + "}", 12);
        assertThat(refusal).hasMessageContaining("overlaps");
        assertThat(refusal.tensor()).hasValue("b");
        assertThat(refusal.offset()).isPresent();
    }

    @Test
    void tensors_withAGapBetween_areRefused() throws IOException {
        CheckpointException refusal =
                refusedHeader("{" + tensor("a", "F32", "[1]", 0, 4) + "," + tensor("b", "F32", "[1]", 8, 12) + "}", 12);
        assertThat(refusal).hasMessageContaining("gap");
        assertThat(refusal.tensor()).hasValue("b");
    }

    @Test
    void tensor_beyondTheFile_isRefused() throws IOException {
        assertThat(refusedHeader("{" + tensor("a", "F32", "[4]", 0, 16) + "}", 8))
                .hasMessageContaining("truncated");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {"[3]|0|8", "[2,2]|0|8", "[-1]|0|8", "[2.0]|0|8", "[2]|8|0", "[9223372036854775807,4]|0|8"})
    void tensor_whoseShapeDoesNotFitItsData_isRefused(String shape, long begin, long end) throws IOException {
        refusedHeader("{" + tensor("a", "F32", shape, begin, end) + "}", 8);
    }

    @Test
    void shape_whoseProductOverflows_isRefused() throws IOException {
        // 2^62 * 4 is 0 in 64 bits, which an unchecked product would take for an empty tensor.
        assertThat(refusedHeader("{" + tensor("a", "F32", "[4611686018427387904,4]", 0, 0) + "}", 0))
                .hasMessageContaining("larger than any file");
    }

    @ParameterizedTest
    @ValueSource(strings = {"F33", "f32", "", "float32"})
    void elementType_thatIsUnknown_isRefused(String type) throws IOException {
        assertThat(refusedHeader("{" + tensor("a", type, "[1]", 0, 4) + "}", 4)).hasMessageContaining("element type");
    }

    @Test
    void elementType_ofLessThanAByte_mustFillWholeBytes() throws IOException {
        assertThat(refusedHeader("{" + tensor("a", "F4", "[3]", 0, 2) + "}", 2)).hasMessageContaining("12 bits");
        Checkpoint even = Checkpoint.read(file(directory, safetensors("{" + tensor("a", "F4", "[4]", 0, 2) + "}", 2)));
        assertThat(even.placeholders()).containsExactly("safetensors.F4");
    }

    @Test
    void tensor_namedTwice_isRefused() throws IOException {
        String a = tensor("a", "F32", "[1]", 0, 4);
        assertThat(refusedHeader("{" + a + "," + a + "}", 4)).hasMessageContaining("two tensors");
        // The same name by another spelling.
        assertThat(refusedHeader("{" + a + "," + tensor("\\u0061", "F32", "[1]", 4, 8) + "}", 8))
                .hasMessageContaining("two tensors");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"shape\":[],\"data_offsets\":[0,4]}}",
                "{\"__metadata__\":{\"a\":\"b\",\"a\":\"b\"}}",
                "{\"__metadata__\":{},\"__metadata__\":{}}"
            })
    void field_givenTwice_isRefused(String header) throws IOException {
        assertThat(refusedHeader(header, 4)).hasMessageContaining("tw");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{",
                "{}x",
                "{}{}",
                "{\"a\"}",
                "{\"a\":}",
                "{\"a\":{}}",
                "{\"a\":[]}",
                "{\"a\":null}",
                "{,}",
                "{\"__metadata__\":{},}",
                "{\"__metadata__\":{\"a\":1}}",
                "{\"__metadata__\":{\"a\":{\"b\":\"c\"}}}",
                "{\"__metadata__\":{\"a\":\"\\x\"}}",
                "{\"__metadata__\":{\"a\":\"\\u12\"}}",
                "{\"__metadata__\":{\"a\":\"\\ud800\"}}",
                "{\"__metadata__\":{\"a\":\"\\udc00\"}}",
                "{\"__metadata__\":{\"a\":\"\\ud800\\u0041\"}}",
                "{\"__metadata__\":{\"a\":\"\t\"}}",
                "{\"__metadata__\":{\"a\":\"open}}",
                "{'__metadata__':{}}",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0]}}",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4,8]}}",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,04]}}",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4e0]}}",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,9223372036854775808]}}",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4],\"x\":1}}"
            })
    void header_thatIsNoValidJsonOrOfAnotherForm_isRefused(String header) throws IOException {
        assertThat(refusedHeader(header, 4).offset()).isPresent();
    }

    @Test
    void header_nestedDeep_isRefusedWithoutRecursion() throws IOException {
        refusedHeader("{\"a\":" + "[".repeat(1_000_000), 0);
        refusedHeader("{\"a\":{\"shape\":" + "[".repeat(1_000_000), 0);
        refusedHeader("{\"a\":".repeat(1_000_000), 0);
    }

    @Test
    void header_withInvalidUtf8_isRefused() throws IOException {
        byte[] header = "{\"__metadata__\":{\"a\":\"?\"}}".getBytes(StandardCharsets.UTF_8);
        header[header.length - 4] = (byte) 0xff;
        assertThat(refused(file(directory, safetensors(header.length, header, 0))))
                .hasMessageContaining("UTF-8");
    }

    @Test
    void message_withNameOutOfTheFile_isOneShortLine() throws IOException {
        String name = "\\n\\u001b[31m" + "x".repeat(3000);
        CheckpointException refusal = refusedHeader("{" + tensor(name, "F32", "[3]", 0, 4) + "}", 4);
        assertThat(refusal.getMessage()).doesNotContain("\n", "\u001b").hasSizeLessThan(600);
        assertThat(refusal.file()).hasParent(directory);
        assertThat(refusal.problem()).doesNotContain("xxx");
    }
}
