package io.github.convzoo.checkpoint;

import static io.github.convzoo.checkpoint.Crafted.file;
import static io.github.convzoo.checkpoint.Crafted.refused;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirDeletionStrategy.IgnoreFailures;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FormatProbeTest {
    private final Path directory;

    FormatProbeTest(@TempDir(deletionStrategy = IgnoreFailures.class) Path directory) {
        this.directory = directory;
    }

    @Test
    void file_thatIsMissing_isRefused() {
        CheckpointException refusal = refused(directory.resolve("missing.pth"));
        assertThat(refusal).hasMessageContaining("missing.pth: no such file");
        assertThat(refusal.offset()).isEmpty();
        assertThat(refusal.tensor()).isEmpty();
    }

    @Test
    void directory_insteadOfAFile_isRefused() {
        assertThat(refused(directory)).hasMessageContaining("a directory");
    }

    @Test
    void file_thatIsEmpty_isRefused() throws IOException {
        assertThat(refused(file(directory, new byte[0]))).hasMessageContaining("empty");
    }

    @Test
    void format_underAMisleadingName_isToldFromTheContent() throws IOException {
        Path file = directory.resolve("model.pth");
        Files.write(file, Crafted.safetensors("{}", 0));
        assertThat(Checkpoint.read(file).format()).isEqualTo(Format.SAFETENSORS);
        assertThat(Checkpoint.read(file).file()).isEqualTo(file);
    }

    @ParameterizedTest
    @CsvSource({
        "version https://git-lfs.github.com/spec/v1, git lfs pull",
        "<!DOCTYPE html>, web page",
        "hello world, this is text (hello world)",
        "x, unknown format"
    })
    void file_thatIsNoCheckpoint_isRefusedAndSaysWhatItIs(String content, String message) throws IOException {
        assertThat(refused(file(directory, content.getBytes(StandardCharsets.UTF_8))))
                .hasMessageContaining(message);
    }

    @ParameterizedTest
    @CsvSource({
        "ws.pth, this is a web page",
        "hdf5.h5, this is an HDF5 file",
        "m.onnx, this looks like an ONNX model",
        "text.pth, this is a server's error response (Entry not found)",
        "xz.pth, decompress it first with unxz"
    })
    void file_thatPeopleMistake_isNamedWithWhatToDo(String name, String message) {
        assertThat(refused(Crafted.resource("../cases/mistaken/" + name))).hasMessageContaining(message);
    }

    /** In Latin-1, with escapes as Java has them. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            ignoreLeadingAndTrailingWhitespace = false,
            value = {
                "\\n \\t<html><body>|this is a web page",
                "\357\273\277<!DOCTYPE html>|this is a web page",
                "<HTML lang='en'>|this is a web page",
                "<?xml version='1.0'?><Error><Code>AccessDenied|this is an XML response of a server",
                "404: Not Found|this is a server's error response (404: Not Found)",
                "Access to model x is restricted|this is a server's error response",
                "Invalid username or password.|this is a server's error response",
                "name,top1\\ndla34,74.6\\n|this is a CSV table (name,top1)",
                "import torch\\n|this is text (import torch)",
                "[1, 2]|this is JSON",
                "\211PNG\\r\\n\032\\n|this is a PNG image",
                "\377\330\377\340|this is a JPEG image",
                "GIF89a|this is a GIF image",
                "RIFF\1\2\3\4WEBPVP8 |this is a WebP image",
                "II*\0\1\2|this is a TIFF image",
                "BM\1\2\3\4\0\0\0\0\5|this is a BMP image",
                "BZh91AY|decompress it first with bunzip2",
                "(\265/\375\1|decompress it first with unzstd",
                "\4\"M\030\1|decompress it first with unlz4",
                "7z\274\257'\034|this is a 7-Zip archive; unpack it first",
                "Rar!\032\7\1|this is a RAR archive; unpack it first",
                "\034\0\0\0TFL3|this is a TensorFlow Lite model",
                "\10\1\022\3abc|this is a TensorFlow SavedModel",
                "\10\7\022\7pytorch|this looks like an ONNX model",
                "GGUF\3\0|this is a GGUF file",
                "%PDF-1.7|this is a PDF document",
                "\0\5\026\7\0|whose name has no leading ._",
                "\0\0\0\0\0\0\0\0\0|starts with only zeros",
                "\1\2\3|unknown format; ConvZoo reads safetensors"
            })
    void bytes_thatPeopleMistake_areNamedWithWhatToDo(String content, String message) throws IOException {
        byte[] bytes = content.replace("\\n", "\n")
                .replace("\\t", "\t")
                .replace("\\r", "\r")
                .getBytes(StandardCharsets.ISO_8859_1);
        assertThat(refused(file(directory, bytes)))
                .hasMessageContaining(message)
                .hasMessageNotContaining("\n");
    }

    @ParameterizedTest
    @CsvSource({
        "model/best.pth, zip archive that contains model/best.pth; unpack it first",
        "a.safetensors, zip archive that contains a.safetensors; unpack it first",
        "MAR-INF/MANIFEST.json, this is a TorchServe archive; unpack it first",
        "model.weights.h5, this is a Keras model",
        "word/document.xml, an office document",
        "__MACOSX/._best.pth, no file in it looks like a checkpoint",
        "readme.txt, no file in it looks like a checkpoint"
    })
    void zip_ofSomethingElse_saysWhatIsInIt(String entry, String message) throws IOException {
        ZipAssembler zip = new ZipAssembler();
        zip.add("a.txt", new byte[1]);
        zip.add(entry, new byte[10]);
        assertThat(refused(file(directory, zip.bytes()))).hasMessageContaining(message);
    }

    @Test
    void text_withABraceInTheNinthPlace_isNoSafetensorsFile() throws IOException {
        assertThat(refused(file(directory, "digraph { a -> b }".getBytes(StandardCharsets.US_ASCII))))
                .hasMessageContaining("this is text (digraph { a -> b }), not a checkpoint");
    }

    @Test
    void zip_withoutEntries_isRefusedAsOne() throws IOException {
        assertThat(refused(file(directory, new ZipAssembler().bytes()))).hasMessageContaining("zip archive");
    }

    @Test
    void pickleGzipAndTar_areToldApart() throws IOException {
        assertThat(refused(file(directory, new PickleAssembler().op('N').stop())))
                .hasMessageContaining("bare pickle");
        assertThat(refused(file(directory, new byte[] {0x1f, (byte) 0x8b, 8, 0})))
                .hasMessageContaining("gzip");
        byte[] tar = new byte[512];
        System.arraycopy("ustar".getBytes(StandardCharsets.US_ASCII), 0, tar, 257, 5);
        assertThat(refused(file(directory, tar))).hasMessageContaining("tar archive");
    }
}
