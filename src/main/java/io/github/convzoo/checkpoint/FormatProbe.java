package io.github.convzoo.checkpoint;

import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/** Detects a file's format from its first bytes. */
final class FormatProbe {
    /**
     * The start of torch.save's files before version 1.6: a pickle of the number 0x1950a86a20f9469cfc6c. Protocol 1
     * writes it in decimal; protocol 4 and later put it in a frame.
     */
    private static final Pattern LEGACY_MAGIC = Pattern.compile(
            "(\u0080[\u0002-\u0005](\u0095.{8})?\u008a\nl\u00fc\u009cF\u00f9"
                    + " j\u00a8P\u0019|L119547037146038801333356L\n)\\..*",
            Pattern.DOTALL);

    /** 0x112 and zeros, 64 bits each. */
    private static final String MXNET_MAGIC = "\u0012\u0001" + "\0".repeat(14);

    /** Text in place of a safetensors file's header length, such as "digraph {". */
    private static final Pattern TEXT = Pattern.compile("[\\t\\n\\r -~]{8}");

    /** The start of pickles of protocols 0 and 1 that contain a mapping or an object. */
    private static final Pattern OLD_PICKLE =
            Pattern.compile("\\(dp?[0-9]*\n|\\}q[\0-\u0007]|c[A-Za-z_][A-Za-z0-9_.]*\n[A-Za-z_][A-Za-z0-9_]*\n");

    private FormatProbe() {}

    static Format probe(MappedFile file) throws CheckpointException {
        if (file.size() == 0) {
            throw file.corrupt(0, "the file is empty; copy or download it again");
        }
        String head = new String(file.copy(0, Math.min(512, file.size())), StandardCharsets.ISO_8859_1);
        if (head.startsWith("PK\u0003\u0004") || head.startsWith("PK\u0005\u0006")) {
            return Format.PYTORCH_ZIP;
        }
        if (ShardedReader.recognizes(head)) {
            return Format.SAFETENSORS_INDEX;
        }
        if (head.startsWith("{", 8) && !TEXT.matcher(head).lookingAt()) {
            return Format.SAFETENSORS;
        }
        if (DjlReader.recognizes(head)) {
            return Format.DJL;
        }
        if (head.startsWith(MXNET_MAGIC)) {
            return Format.MXNET;
        }
        if (LEGACY_MAGIC.matcher(head).matches()) {
            return Format.PYTORCH_LEGACY;
        }
        if (head.length() > 1 && head.charAt(0) == 0x80 && head.charAt(1) <= 5) {
            // Only the content reveals whether Paddle wrote it.
            return Format.PICKLE;
        }
        if (OLD_PICKLE.matcher(head).lookingAt()) {
            return Format.PICKLE;
        }
        throw file.corrupt(0, MistakenFile.message(head));
    }
}
