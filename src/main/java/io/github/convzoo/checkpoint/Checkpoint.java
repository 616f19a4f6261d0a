package io.github.convzoo.checkpoint;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A tensor file that was read: its values and what is to be said about it.
 *
 * <p>The file is mapped into memory and tensors are views on it, so a checkpoint takes no more heap than its names, unless the
 * file compresses its tensors. The
 * mapping lasts as long as any tensor is reachable; meanwhile the file must not be shortened, and Windows refuses to replace
 * it. A file that is shortened is reported when a tensor is read. Instances are immutable and safe for use by several threads.
 */
public final class Checkpoint {
    private final Path file;
    private final Format format;
    private final Value root;
    private final Map<String, String> metadata;
    private final List<String> placeholders;
    private final long bytes;

    Checkpoint(Path file, Format format, Value root, Map<String, String> metadata, List<String> placeholders) {
        this(file, format, root, metadata, placeholders, 0);
    }

    private Checkpoint(
            Path file, Format format, Value root, Map<String, String> metadata, List<String> placeholders, long bytes) {
        this.file = file;
        this.format = format;
        this.root = root;
        this.metadata = metadata;
        this.placeholders = placeholders;
        this.bytes = bytes;
    }

    /** The same, read of files of so many bytes. */
    Checkpoint ofBytes(long size) {
        return new Checkpoint(file, format, root, metadata, placeholders, size);
    }

    /**
     * Reads a file with {@link Limits#DEFAULT}. The format is told from the file's content.
     *
     * @param file the file
     * @return its values; tensors' elements are not touched yet
     * @throws CheckpointException if the file cannot be read, is of no known format, corrupt, hostile or over a limit
     */
    public static Checkpoint read(Path file) throws CheckpointException {
        return read(file, Limits.DEFAULT);
    }

    /**
     * Reads a file. The format is told from the file's content.
     *
     * @param file the file
     * @param limits what the file may ask for
     * @return its values; tensors' elements are not touched yet
     * @throws CheckpointException if the file cannot be read, is of no known format, corrupt, hostile or over a limit
     */
    public static Checkpoint read(Path file, Limits limits) throws CheckpointException {
        Parts<CheckpointException> siblings = file::resolveSibling;
        return read(file, limits, siblings);
    }

    /** Where the files are that an index names.
     *
     * @param <E> the exception if one cannot be had
     */
    @FunctionalInterface
    public interface Parts<E extends IOException> {
        /**
         * Finds a file of a checkpoint in several files.
         *
         * @param name a plain file name, without any directory
         * @return the file
         * @throws E if it cannot be had
         */
        Path find(String name) throws E;
    }

    /**
     * Reads a file. If it is the index of several files, those are found as given, one after the other as they are read.
     *
     * @param file the file
     * @param limits what the file may ask for
     * @param parts finds the files that an index names; not called for any other file
     * @param <E> the exception if one cannot be had
     * @return its values; tensors' elements are not touched yet
     * @throws CheckpointException if a file cannot be read, is of no known format, corrupt, hostile or over a limit
     * @throws E if a file that the index names cannot be had
     */
    public static <E extends IOException> Checkpoint read(Path file, Limits limits, Parts<E> parts)
            throws CheckpointException, E {
        try (MappedFile mapped = MappedFile.open(file)) {
            return read(mapped, limits, parts);
        }
    }

    /**
     * Reads a file with {@link Limits#DEFAULT} into memory beside the heap instead of mapping it, so that it can be replaced
     * at once, on Windows too. A file of 2 GiB or more, or of more than the JVM's limit of such memory leaves, is mapped all
     * the same.
     *
     * @param file the file
     * @return its values
     * @throws CheckpointException if the file cannot be read, is of no known format, corrupt, hostile or over a limit
     */
    public static Checkpoint readCopy(Path file) throws CheckpointException {
        try (MappedFile copied = MappedFile.copied(file)) {
            return read(copied, Limits.DEFAULT);
        }
    }

    static Checkpoint read(MappedFile file, Limits limits) throws CheckpointException {
        Parts<CheckpointException> siblings = file.path()::resolveSibling;
        return read(file, limits, siblings);
    }

    private static <E extends IOException> Checkpoint read(MappedFile file, Limits limits, Parts<E> parts)
            throws CheckpointException, E {
        Checkpoint read = readAs(FormatProbe.probe(file), file, limits, parts);
        return read.ofBytes(read.bytes + file.size());
    }

    private static <E extends IOException> Checkpoint readAs(
            Format format, MappedFile file, Limits limits, Parts<E> parts) throws CheckpointException, E {
        return switch (format) {
            case SAFETENSORS -> SafetensorsReader.read(file, limits);
            case PYTORCH_ZIP, TORCHSCRIPT, NUMPY_ZIP -> readZip(file, limits);
            case SAFETENSORS_INDEX, PYTORCH_INDEX -> ShardedReader.read(file, limits, parts);
            case PADDLE, PICKLE -> PickleReader.read(file, limits);
            case DJL -> DjlReader.read(file, limits);
            case MXNET -> MxnetReader.read(file, limits);
            case PYTORCH_LEGACY -> PyTorchLegacyReader.read(file, limits);
        };
    }

    /** Zip archives are told apart by what is in them. */
    private static Checkpoint readZip(MappedFile file, Limits limits) throws CheckpointException {
        Map<String, ZipDirectory.Entry> entries = ZipDirectory.read(file, limits);
        return NpzReader.recognises(entries)
                ? NpzReader.read(file, entries, limits)
                : PyTorchZipReader.read(file, entries, limits);
    }

    /**
     * The file that was read.
     *
     * @return its path as it was given
     */
    public Path file() {
        return file;
    }

    /**
     * The file's format.
     *
     * @return the format, as told from the content
     */
    public Format format() {
        return format;
    }

    /**
     * The size of the file, or of an index and all files that it names.
     *
     * @return the size in bytes
     */
    public long bytes() {
        return bytes;
    }

    /**
     * What the file holds.
     *
     * @return for safetensors, TorchScript, NumPy and MXNet a {@link Value.Mapping} of tensors (of an MXNet file without names a
     *     {@link Value.Sequence}), for DJL one of tensors by place and name ({@code 3.gamma}), for
     *     PyTorch and PaddlePaddle whatever was saved
     */
    public Value root() {
        return root;
    }

    /**
     * Text that the file carries beside its tensors.
     *
     * @return a safetensors file's {@code __metadata__} in the order of the file, an index's {@code metadata}, a DJL
     *     model's properties, empty for other formats
     */
    public Map<String, String> metadata() {
        return metadata;
    }

    /**
     * What the file names and this library does not build.
     *
     * @return full names such as {@code argparse.Namespace}, each once, in the order of the file; where an object of that name
     *     is part of {@link #root()}, a {@link Value.Placeholder} stands in its place
     */
    public List<String> placeholders() {
        return placeholders;
    }
}
