package io.github.convzoo.checkpoint;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/** Tells a file's format from its first bytes, and says what to do with the files that people mistake for a checkpoint. */
final class FormatProbe {
    /**
     * How torch.save began its files before version 1.6: a pickle of the number 0x1950a86a20f9469cfc6c. Protocol 1 spells it
     * out; from 4 on it stands in a frame.
     */
    private static final Pattern LEGACY_MAGIC = Pattern.compile(
            "(\u0080[\u0002-\u0005](\u0095.{8})?\u008a\nl\u00fc\u009cF\u00f9 j\u00a8P\u0019|L119547037146038801333356L\n)\\..*",
            Pattern.DOTALL);

    /** 0x112 and zeros, 64 bits each. */
    private static final String MXNET_MAGIC = "\u0012\u0001" + "\0".repeat(14);

    private FormatProbe() {}

    static Format probe(MappedFile file) throws CheckpointException {
        if (file.size() == 0) {
            throw file.corrupt(0, "the file is empty; copy or download it again");
        }
        ByteBuffer view = file.view(0, Math.min(512, file.size()));
        byte[] bytes = new byte[view.remaining()];
        view.get(bytes);
        String head = new String(bytes, StandardCharsets.ISO_8859_1);
        if (head.startsWith("PK\u0003\u0004")) {
            return Format.PYTORCH_ZIP;
        }
        if (ShardedReader.recognises(head)) {
            return Format.SAFETENSORS_INDEX;
        }
        if (head.startsWith("{", 8)) {
            return Format.SAFETENSORS;
        }
        if (DjlReader.recognises(head)) {
            return Format.DJL;
        }
        if (head.startsWith(MXNET_MAGIC)) {
            return Format.MXNET;
        }
        if (LEGACY_MAGIC.matcher(head).matches()) {
            return Format.PYTORCH_LEGACY;
        }
        if (head.length() > 1 && head.charAt(0) == 0x80 && head.charAt(1) <= 5) {
            return Format.PADDLE;
        }
        throw file.corrupt(0, mistaken(head));
    }

    private static String mistaken(String head) {
        if (head.startsWith("ustar", 257)) {
            return "this is a tar archive; unpack it, or if torch.load reads it, save it again with torch.save";
        }
        if (head.startsWith("\u0093NUMPY")) {
            return "this is a single NumPy array, which holds no names; a checkpoint is expected";
        }
        if (head.startsWith("version https://git-lfs")) {
            return "this is a Git LFS pointer and not the file itself; fetch it with: git lfs pull";
        }
        if (head.startsWith("\u001f\u008b")) {
            return "this is a gzip file; decompress it first";
        }
        if (head.startsWith("<")) {
            return "this is a web page and no checkpoint; download the file again";
        }
        return "this is in no known format; safetensors and files of torch.save are";
    }
}
