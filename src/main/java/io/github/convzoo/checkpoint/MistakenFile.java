package io.github.convzoo.checkpoint;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/** Identifies files that are mistaken for checkpoints by their first bytes, with a remedy for each. */
final class MistakenFile {
    private static final String FORMATS =
            "ConvZoo reads safetensors, PyTorch, TorchScript, .npz, MXNet, DJL, and Paddle files";
    private static final String UNPACK = "; unpack it first, and pass the checkpoint inside it";
    private static final String DECOMPRESS = "; decompress it first";
    private static final String IMAGE = " image, not a checkpoint; check the order of the arguments";
    private static final String GRAPH =
            ", which is not a PyTorch checkpoint; save the state_dict() of the PyTorch model instead";

    /** The start of a kind of file, in Latin-1, and the message for it. */
    private record Kind(int offset, String magic, String message) {
        boolean matches(String head) {
            return head.startsWith(magic, offset);
        }
    }

    private static final List<Kind> KINDS = List.of(
            new Kind(
                    257,
                    "ustar",
                    "this is a tar archive; unpack it first, or if torch.load reads it, save it again with torch.save"),
            new Kind(0, "\u0093NUMPY", "this is a single NumPy array without a name; pass a checkpoint"),
            new Kind(0, "\u001f\u008b", "this is a gzip file" + DECOMPRESS + " with gunzip, or unpack the .tar.gz"),
            new Kind(0, "\u00fd7zXZ\0", "this is an xz file" + DECOMPRESS + " with unxz"),
            new Kind(0, "BZh", "this is a bzip2 file" + DECOMPRESS + " with bunzip2"),
            new Kind(0, "(\u00b5/\u00fd", "this is a Zstandard file" + DECOMPRESS + " with unzstd"),
            new Kind(0, "\u0004\"M\u0018", "this is an LZ4 file" + DECOMPRESS + " with unlz4"),
            new Kind(0, "7z\u00bc\u00af'\u001c", "this is a 7-Zip archive" + UNPACK),
            new Kind(0, "Rar!\u001a\u0007", "this is a RAR archive" + UNPACK),
            new Kind(0, "\u0089HDF\r\n\u001a\n", "this is an HDF5 file, as written by Keras" + GRAPH),
            new Kind(4, "TFL3", "this is a TensorFlow Lite model" + GRAPH),
            new Kind(0, "\b\u0001\u0012", "this is a TensorFlow SavedModel" + GRAPH),
            new Kind(0, "GGUF", "this is a GGUF file, as used by llama.cpp" + GRAPH),
            new Kind(0, "\u0089PNG\r\n", "this is a PNG" + IMAGE),
            new Kind(0, "\u00ff\u00d8\u00ff", "this is a JPEG" + IMAGE),
            new Kind(0, "GIF8", "this is a GIF" + IMAGE),
            new Kind(8, "WEBP", "this is a WebP" + IMAGE),
            new Kind(0, "II*\0", "this is a TIFF" + IMAGE),
            new Kind(0, "MM\0*", "this is a TIFF" + IMAGE),
            new Kind(6, "\0\0\0\0", "this is a BMP" + IMAGE),
            new Kind(0, "%PDF", "this is a PDF document, not a checkpoint; check the path"),
            new Kind(0, "\u007fELF", "this is a program or library, not a checkpoint; check the path"),
            new Kind(
                    0,
                    "\0\u0005\u0016\u0007",
                    "this is macOS metadata of another file; pass the file whose name has no leading ._"));

    /** An ONNX model: the version of its format, and a field of text or a message. */
    private static final Pattern ONNX = Pattern.compile("\b[\u0003- ][\u0012\u001a\"*2:B]", Pattern.DOTALL);

    /** Error responses of servers in place of a file. */
    private static final Pattern REFUSAL = Pattern.compile(
            "(?i)(\\d{3}[: ]|entry not found|not found|repository not found|invalid (username|credentials)"
                    + "|access (to|denied|is)|forbidden|unauthorized|too many requests|internal server error|bad"
                    + " gateway)");

    private static final Pattern MARKUP = Pattern.compile("<(!doctype|html|head|body|script|!--|[?]xml|[a-z])");

    private MistakenFile() {}

    /**
     * A message for a file that is not a checkpoint, with the remedy.
     *
     * @param head its first bytes in Latin-1, at least one
     */
    static String message(String head) {
        for (Kind kind : KINDS) {
            boolean bitmap = kind.offset == 6;
            if (kind.matches(head) && (!bitmap || head.startsWith("BM"))) {
                return kind.message;
            }
        }
        if (ONNX.matcher(head).lookingAt()) {
            return "this looks like an ONNX model" + GRAPH;
        }
        if (head.chars().allMatch(c -> c == 0)) {
            return "the file starts with only zeros, so a download or copy was interrupted; copy or download it again";
        }
        String text = text(head);
        return text.isEmpty() ? "unknown format; " + FORMATS : textMessage(text);
    }

    private static String textMessage(String text) {
        String lower = text.toLowerCase(Locale.ROOT);
        if (text.startsWith("version https://git-lfs")) {
            return "this is a Git LFS pointer, not the file itself; fetch the file with git lfs pull";
        }
        if (MARKUP.matcher(lower).lookingAt()) {
            return (lower.startsWith("<?xml") && !lower.contains("<html")
                            ? "this is an XML response of a server"
                            : "this is a web page")
                    + ", not a checkpoint; download the file itself, from the page's download link";
        }
        String line = firstLine(text);
        if (REFUSAL.matcher(text).lookingAt()) {
            return "this is a server's error response (" + line
                    + "), not a checkpoint; check the address, and whether it"
                    + " needs a login, then download the file again";
        }
        if (text.startsWith("[") || text.startsWith("{")) {
            return "this is JSON, not a checkpoint; pass the weights file next to it";
        }
        boolean table = line.indexOf(',') >= 0 && secondLine(text).indexOf(',') >= 0;
        return "this is " + (table ? "a CSV table" : "text") + " (" + line + "), not a checkpoint; check the path; "
                + FORMATS;
    }

    /** The bytes as text, without a byte order mark and leading blanks; empty if they are not text. */
    private static String text(String head) {
        boolean wide = head.startsWith("\u00ff\u00fe") || head.startsWith("\u00fe\u00ff");
        String text = wide
                ? new String(head.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_16)
                : new String(head.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
        text = text.startsWith("\ufeff") ? text.substring(1) : text;
        // The last character may be incomplete.
        String whole = text.substring(0, Math.max(0, text.length() - 1));
        boolean printable = whole.chars().noneMatch(c -> (c < ' ' && "\t\n\f\r".indexOf(c) < 0) || c == '\ufffd');
        return printable && text.strip().length() > 1 ? text.strip() : "";
    }

    private static String firstLine(String text) {
        String line = text.lines().findFirst().orElse("").strip();
        return CheckpointException.printable(line.length() > 60 ? line.substring(0, 60) + "..." : line);
    }

    private static String secondLine(String text) {
        return text.lines().skip(1).findFirst().orElse("");
    }

    /** Identifies a zip archive that is not from torch.save or numpy.savez, by the names of its entries. */
    static String zipMessage(Iterable<String> entries) {
        String inside = "";
        for (String name : entries) {
            if (name.startsWith("MAR-INF/")) {
                return "this is a TorchServe archive" + UNPACK;
            }
            if (name.equals("model.weights.h5")) {
                return "this is a Keras model" + GRAPH;
            }
            if (name.startsWith("word/") || name.startsWith("xl/")) {
                return "this is an office document, not a checkpoint; check the path";
            }
            if (inside.isEmpty() && CHECKPOINT.matcher(name).matches() && !name.startsWith("__MACOSX/")) {
                inside = name;
            }
        }
        return inside.isEmpty()
                ? "this zip archive was not written by torch.save, and no file in it looks like a checkpoint;"
                        + " save it again with torch.save"
                : "this is a zip archive that contains " + CheckpointException.printable(inside)
                        + "; unpack it first, and pass that file";
    }

    private static final Pattern CHECKPOINT =
            Pattern.compile("(?i).*[.](pth|pt|tar|safetensors|bin|ckpt|params|pdparams|npz|pkl|th|h5|onnx)");
}
