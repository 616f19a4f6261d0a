package io.github.convzoo.export;

import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.checkpoint.Limits;
import io.github.convzoo.checkpoint.ScriptArchive;
import io.github.convzoo.weights.ExportedFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Checks that an archive has only the code that {@link TorchScriptWriter} writes, before PyTorch runs it: TorchScript
 * from elsewhere may access files. PyTorch runs an archive's code when it loads the archive, not only when it predicts.
 *
 * <p>The code is accepted if it is a single class that calls only the operators below, without loops; PyTorch may have
 * saved it again in other words. Everything that TorchScript runs by name is a call: {@code torch.NAME(...)}, {@code
 * ops.LIBRARY.NAME(...)}, a method, or a function of the archive.
 */
final class TorchScriptCheck {

    private static final Pattern ENTRY = Pattern.compile(
            "version|byteorder|[.]format_version|[.]storage_alignment|[.]data/serialization_id|data[.]pkl|constants[.]pkl"
                    + "|(data|constants)/[0-9]+|extra/[A-Za-z0-9_.-]+|" + Pattern.quote(ExportedFile.CODE)
                    + "([.]debug_pkl)?");

    private static final String MODEL = TorchScriptWriter.MODULE + "." + TorchScriptWriter.CLASS;

    /** Globals of modules and tensors. */
    private static final Pattern GLOBAL = Pattern.compile(Pattern.quote(MODEL)
            + "|torch[.]jit[.]_pickle[.]build_tensorlist|torch[.]_utils[.]_rebuild_tensor_v2"
            + "|collections[.]OrderedDict|torch[.][A-Za-z0-9]+Storage");

    /** Words that are followed by a parenthesis without calling anything, or that only convert. */
    private static final Set<String> WORDS =
            Set.of("annotate", "bool", "if", "else", "in", "and", "or", "not", "return");

    private static final Set<String> DEFINED = Set.of("Model", "forward", "__getstate__", "__setstate__");

    private static final Set<String> REFUSED = Set.of(
            "for",
            "while",
            "import",
            "from",
            "lambda",
            "with",
            "global",
            "nonlocal",
            "async",
            "await",
            "exec",
            "raise",
            "assert",
            "del",
            "yield",
            "try");

    private static final Set<String> CALLS = Set.of(
            "torch._make_per_tensor_quantized_tensor",
            "torch.add",
            "torch.add_",
            "torch.addcmul",
            "torch.amax",
            "torch.avg_pool2d",
            "torch.batch_norm",
            "torch.cat",
            "torch.clamp",
            "torch.clamp_",
            "torch.clone",
            "torch.contiguous",
            "torch.conv2d",
            "torch.dequantize",
            "torch.elu",
            "torch.elu_",
            "torch.eq",
            "torch.gelu",
            "torch.int_repr",
            "torch.leaky_relu",
            "torch.leaky_relu_",
            "torch.linear",
            "torch.max_pool2d",
            "torch.mean",
            "torch.mul",
            "torch.permute",
            "torch.quantize_per_tensor",
            "torch.relu",
            "torch.relu_",
            "torch.reshape",
            "torch.selu",
            "torch.selu_",
            "torch.sigmoid",
            "torch.sigmoid_",
            "torch.silu",
            "torch.silu_",
            "torch.size",
            "torch.softmax",
            "torch.softplus",
            "torch.split_with_sizes",
            "torch.tanh",
            "torch.tanh_",
            "torch.to",
            "torch.to_dense",
            "ops.mkldnn._convolution_pointwise",
            "ops.mkldnn._convolution_pointwise_",
            "ops.mkldnn._reorder_convolution_weight",
            "ops.onednn.qconv2d_pointwise",
            "ops.onednn.qconv_prepack",
            "ops.onednn.qlinear_pointwise",
            "ops.onednn.qlinear_prepack",
            "ops.quantized.add",
            "ops.quantized.cat");

    /** A name with its dots, a number, a text, a comment, or another character. */
    private static final Pattern TOKEN = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*(?:[.][A-Za-z_][A-Za-z0-9_]*)*+"
            + "|[0-9]+(?:[.][0-9]*)?(?:[eE][-+]?[0-9]+)?|\"[A-Za-z0-9_]*\"|#[^\n]*|[^\\s]");

    private static final Pattern NAME = Pattern.compile("[A-Za-z_].*");

    private static final int SHOWN = 80;

    private TorchScriptCheck() {}

    /**
     * Checks an archive.
     *
     * @throws CheckpointException if it is not a TorchScript archive, or damaged
     * @throws IOException if it has other code than ConvZoo's
     */
    static void require(Path file) throws IOException {
        ScriptArchive archive = ScriptArchive.read(file, Limits.DEFAULT);
        for (String entry : archive.entries()) {
            if (!ENTRY.matcher(entry).matches() && !entry.endsWith("/")) {
                throw foreign(file, "it contains " + shown(entry));
            }
        }
        for (String global : archive.globals()) {
            if (!GLOBAL.matcher(global).matches()) {
                throw foreign(file, "it has an object of " + shown(global));
            }
        }
        for (String source : archive.code().values()) {
            check(file, source);
        }
    }

    private static void check(Path file, String source) throws IOException {
        if (!source.chars().allMatch(c -> c == '\n' || (c >= ' ' && c <= '~'))) {
            throw foreign(file, "its code is not plain ASCII");
        }
        List<String> tokens = new ArrayList<>();
        Matcher matcher = TOKEN.matcher(source);
        while (matcher.find()) {
            if (matcher.group().charAt(0) != '#') {
                tokens.add(matcher.group());
            }
        }
        for (int i = 0; i < tokens.size(); i++) {
            String token = tokens.get(i);
            String before = i == 0 ? "" : tokens.get(i - 1);
            boolean called = i + 1 < tokens.size() && tokens.get(i + 1).equals("(");
            if (!NAME.matcher(token).matches()) {
                // A dot that belongs to no name: a method of an expression. The others never occur, or hide something.
                if (token.equals(".")
                        || token.equals("\\")
                        || token.equals("@")
                        || token.equals("\"")
                        || token.equals("'")) {
                    throw foreign(file, "its code has an unexpected " + token + " after " + before);
                }
                // The result of an expression or a subscript, called.
                if (called && (token.equals(")") || token.equals("]"))) {
                    throw foreign(file, "its code calls the result of an expression");
                }
                continue;
            }
            if (REFUSED.contains(token)) {
                throw foreign(file, "its code has the statement " + token);
            }
            boolean defined = before.equals("def") || before.equals("class");
            if (defined ? !DEFINED.contains(token) : called && !WORDS.contains(token) && !CALLS.contains(token)) {
                throw foreign(file, "its code " + (defined ? "defines " : "calls ") + shown(token));
            }
        }
    }

    private static String shown(String name) {
        String printable = name.replaceAll("[^ -~]", "?");
        return printable.length() <= SHOWN ? printable : printable.substring(0, SHOWN - 3) + "...";
    }

    private static IOException foreign(Path file, String what) {
        return new IOException(file + ": " + what + ", which convzoo export never writes; TorchScript can access files,"
                + " so ConvZoo runs only its own; export the model again from its weights");
    }
}
