package io.github.convzoo.checkpoint;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A tensor file that was read: its values, format, and metadata.
 *
 * <p>The file is memory-mapped and tensors are views on it, so a checkpoint takes no more heap than its names, unless
 * the file compresses its tensors. The mapping lasts as long as any tensor is reachable; meanwhile, the file must not
 * be truncated, and Windows refuses to replace it. Truncation is reported when a tensor is read. Instances are
 * immutable and thread-safe.
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

    /** The same checkpoint, read from files of the given total size. */
    Checkpoint ofBytes(long size) {
        return new Checkpoint(file, format, root, metadata, placeholders, size);
    }

    /**
     * Reads a file with {@link Limits#DEFAULT}. The format is detected from the file's content.
     *
     * @param file the file
     * @return the checkpoint; tensors' elements are not read yet
     * @throws CheckpointException if the file cannot be read, has an unknown format, or is corrupt, hostile or over a
     *     limit
     */
    public static Checkpoint read(Path file) throws CheckpointException {
        return read(file, Limits.DEFAULT);
    }

    /**
     * Reads a file. The format is detected from the file's content.
     *
     * @param file the file
     * @param limits limits for reading the file
     * @return the checkpoint; tensors' elements are not read yet
     * @throws CheckpointException if the file cannot be read, has an unknown format, or is corrupt, hostile or over a
     *     limit
     */
    public static Checkpoint read(Path file, Limits limits) throws CheckpointException {
        Parts<CheckpointException> siblings = file::resolveSibling;
        return read(file, limits, siblings);
    }

    /** Finds the shards listed in an index.
     *
     * @param <E> the exception if a shard is unavailable
     */
    @FunctionalInterface
    public interface Parts<E extends IOException> {
        /**
         * Finds a shard.
         *
         * @param name a plain file name, without any directory
         * @return the file
         * @throws E if it is unavailable
         */
        Path find(String name) throws E;
    }

    /**
     * Reads a file. If it is the index of a sharded checkpoint, the given function finds the shards, one at a time as
     * they are read.
     *
     * @param file the file
     * @param limits limits for reading the file
     * @param parts finds the shards listed in an index; not called for any other file
     * @param <E> the exception if a shard is unavailable
     * @return the checkpoint; tensors' elements are not read yet
     * @throws CheckpointException if a file cannot be read, has an unknown format, or is corrupt, hostile or over a
     *     limit
     * @throws E if a shard is unavailable
     */
    public static <E extends IOException> Checkpoint read(Path file, Limits limits, Parts<E> parts)
            throws CheckpointException, E {
        try (MappedFile mapped = MappedFile.open(file)) {
            return read(mapped, limits, parts);
        }
    }

    /**
     * Reads a file with {@link Limits#DEFAULT} into direct memory instead of memory-mapping it, so that it can be
     * replaced at once, even on Windows. A file of 2 GiB or more, or larger than the free direct memory, is
     * memory-mapped anyway.
     *
     * @param file the file
     * @return the checkpoint
     * @throws CheckpointException if the file cannot be read, has an unknown format, or is corrupt, hostile or over a
     *     limit
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

    /** Detects the format of a zip archive by its entries. */
    private static Checkpoint readZip(MappedFile file, Limits limits) throws CheckpointException {
        Map<String, ZipDirectory.Entry> entries = ZipDirectory.read(file, limits);
        return NpzReader.recognizes(entries)
                ? NpzReader.read(file, entries, limits)
                : PyTorchZipReader.read(file, entries, limits);
    }

    /** {@return the file's path as given} */
    public Path file() {
        return file;
    }

    /** {@return the file's format, as detected from the content} */
    public Format format() {
        return format;
    }

    /** {@return the size in bytes of the file, or of an index and all its shards} */
    public long bytes() {
        return bytes;
    }

    /**
     * {@return the content of the file} For safetensors, TorchScript, NumPy and MXNet, it is a {@link Value.Mapping} of
     * tensors (a {@link Value.Sequence} for an MXNet file without names); for DJL, a mapping of tensors by position and
     * name ({@code 3.gamma}); for PyTorch and PaddlePaddle, the saved object.
     */
    public Value root() {
        return root;
    }

    /**
     * {@return the text that the file has in addition to its tensors: a safetensors file's {@code __metadata__} in the
     * order of the file, an index's {@code metadata}, a DJL model's properties; empty for other formats}
     */
    public Map<String, String> metadata() {
        return metadata;
    }

    /**
     * {@return the names in the file that this library does not build objects for: full names such as {@code
     * argparse.Namespace}, each once, in the order of the file} If such an object is part of {@link #root()}, a {@link
     * Value.Placeholder} replaces it.
     */
    public List<String> placeholders() {
        return placeholders;
    }
}
