package io.github.convzoo.cli;

import io.github.convzoo.checkpoint.ReplacedFile;
import io.github.convzoo.export.FileKind;
import io.github.convzoo.message.Reason;
import java.awt.AWTError;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.function.Supplier;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import javax.imageio.stream.MemoryCacheImageOutputStream;
import org.jspecify.annotations.Nullable;

/** Files that commands write: pictures and tables. */
final class OutputFile {

    private OutputFile() {}

    /** Refuses a name that does not end in .png, before anything is computed. */
    static void requirePng(String option, Path file) throws IOException {
        requireFile(option, file);
        if (!isPng(file)) {
            throw new IllegalArgumentException(option + ": pictures are PNG files; pass a .png file, not " + file);
        }
    }

    /** Refuses a folder in place of a file, and a file in a folder that does not exist, before anything is computed. */
    static void requireFile(String option, Path file) throws IOException {
        if (Files.isDirectory(file)) {
            throw new IllegalArgumentException(option + ": " + file + " is a folder; pass a file");
        }
        Path folder = file.toAbsolutePath().getParent();
        if (folder != null && !Files.isDirectory(folder)) {
            throw new IOException(file + ": directory " + folder + " does not exist; create it first");
        }
    }

    /** Refuses a file in place of a folder, before anything is computed. */
    static void requireFolder(String option, Path folder) {
        if (Files.exists(folder) && !Files.isDirectory(folder)) {
            throw new IllegalArgumentException(option + ": " + folder + " is a file; pass a folder");
        }
    }

    /**
     * Refuses to replace a model file by one of another kind, before anything is computed.
     *
     * @param kind the new file's kind
     */
    static void requireSameKind(Path file, FileKind kind) throws IOException {
        if (Files.isRegularFile(file) && FileKind.of(file) != kind) {
            throw new IllegalArgumentException("--output: " + file + " is " + FileKind.of(file) + ", which " + kind
                    + " would replace; choose another folder, or pass --overwrite");
        }
    }

    /**
     * Those of a command's output files that exist when it starts.
     *
     * @param files the files
     */
    record Existing(List<Path> files) {

        /** Finds those that exist; null stands for a file that is not written. */
        static Existing among(@Nullable Path... files) {
            return new Existing(Stream.of(files)
                    .filter(Objects::nonNull)
                    .filter(Files::isRegularFile)
                    .toList());
        }

        /** Says that they were replaced, once they were. */
        void sayReplaced(PrintWriter err) {
            files.forEach(file -> err.println("convzoo: replaced " + Main.oneLine(file.toString())));
        }
    }

    /** Says what a file has, if nothing on standard output does. */
    static void sayWritten(Path file, String content, PrintWriter err) {
        err.println(Main.oneLine(file.toString()) + ": " + content);
    }

    static boolean isPng(Path file) {
        return file.toString().toLowerCase(Locale.ROOT).endsWith(".png");
    }

    /** Thrown if a picture cannot be drawn on this system. */
    static final class DrawingException extends IOException {
        private static final long serialVersionUID = 1L;

        DrawingException(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /**
     * Draws a picture and writes it. The file is written atomically.
     *
     * @throws DrawingException if it cannot be drawn here, for example without fonts
     * @throws IOException if it cannot be written
     */
    static void writePng(Path file, Supplier<BufferedImage> picture) throws IOException {
        ByteArrayOutputStream png = new ByteArrayOutputStream();
        try (MemoryCacheImageOutputStream out = new MemoryCacheImageOutputStream(png)) {
            ImageIO.write(picture.get(), "png", out);
        } catch (NoClassDefFoundError e) {
            throw new DrawingException(
                    file + ": cannot be drawn because a class is missing (" + e.getMessage()
                            + "); add org.knowm.xchart:xchart:3.8.8 to the class path",
                    e);
        } catch (RuntimeException | InternalError | LinkageError | AWTError | OutOfMemoryError | IOException e) {
            // Systems without fonts or their configuration, processes that are exiting, too many classes for memory.
            throw new DrawingException(
                    file + ": cannot be drawn (" + Reason.of(e)
                            + "); if the system has no fonts, install one and fontconfig",
                    e);
        }
        ReplacedFile.write(file, png.toByteArray());
    }

    static void write(Path file, String text) throws IOException {
        ReplacedFile.write(file, text.getBytes(StandardCharsets.UTF_8));
    }
}
