package io.github.convzoo.weights;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/**
 * A file with a network's graph and weights. It can only be run; training, feature maps, and conversion need {@link
 * ModelFolder#WEIGHTS}.
 *
 * @param path the file
 * @param format the format
 */
public record ExportedFile(Path path, Format format) {

    /** The code that {@code convzoo export} adds to an archive. TorchScript from other tools is read as weights. */
    public static final String CODE = "code/__torch__/convzoo.py";

    /** File formats. */
    public enum Format {
        /** ONNX, from any tool. */
        ONNX(ModelFolder.ONNX),
        /** TorchScript written by ConvZoo. */
        TORCHSCRIPT(ModelFolder.TORCHSCRIPT);

        private final String usual;

        Format(String usual) {
            this.usual = usual;
        }
    }

    /**
     * Detects an exported file.
     *
     * @param file any file
     * @return the exported file; empty if it is something else, such as weights
     * @throws IOException if it cannot be read
     */
    public static Optional<ExportedFile> of(Path file) throws IOException {
        String name = String.valueOf(file.getFileName()).toLowerCase(Locale.ROOT);
        if (!Files.isRegularFile(file)) {
            return Optional.empty();
        }
        if (name.endsWith(".onnx")) {
            return Optional.of(new ExportedFile(file, Format.ONNX));
        }
        return isOurTorchScript(file) ? Optional.of(new ExportedFile(file, Format.TORCHSCRIPT)) : Optional.empty();
    }

    /**
     * Finds a folder's exported files.
     *
     * @param folder the folder
     * @return at most one file of each format, ONNX first
     * @throws IOException if there are several of one format and none has the default name, or the folder cannot be
     *     read; the message names them
     */
    public static List<ExportedFile> in(Path folder) throws IOException {
        List<ExportedFile> all = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, file -> !isHidden(file))) {
            for (Path file : files) {
                of(file).ifPresent(all::add);
            }
        }
        List<ExportedFile> chosen = new ArrayList<>();
        for (Format format : Format.values()) {
            one(folder, all.stream().filter(each -> each.format == format).toList())
                    .ifPresent(chosen::add);
        }
        return chosen;
    }

    private static Optional<ExportedFile> one(Path folder, List<ExportedFile> files) throws IOException {
        for (ExportedFile each : files) {
            if (files.size() == 1 || each.path.equals(folder.resolve(each.format.usual))) {
                return Optional.of(each);
            }
        }
        if (files.isEmpty()) {
            return Optional.empty();
        }
        throw new IOException(folder + ": several exported files found, "
                + String.join(
                        ", ",
                        files.stream()
                                .map(each -> String.valueOf(each.path.getFileName()))
                                .sorted()
                                .toList())
                + "; pass one of them, or rename one to " + files.get(0).format.usual);
    }

    private static boolean isHidden(Path file) {
        return String.valueOf(file.getFileName()).startsWith(".");
    }

    private static boolean isOurTorchScript(Path file) throws IOException {
        try (var in = Files.newInputStream(file)) {
            // Most files in a folder are not zips; opening each as one would read its end.
            if (in.read() != 'P' || in.read() != 'K') {
                return false;
            }
        }
        try (ZipFile zip = new ZipFile(file.toFile())) {
            return zip.stream().anyMatch(entry -> entry.getName().endsWith("/" + CODE));
        } catch (ZipException | UnsupportedOperationException e) {
            // A damaged archive, which its own reader reports, or a file inside an archive.
            return false;
        }
    }
}
