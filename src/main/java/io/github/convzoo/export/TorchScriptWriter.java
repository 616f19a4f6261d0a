package io.github.convzoo.export;

import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.checkpoint.ReplacedFile;
import io.github.convzoo.weights.ExportedFile;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Writes a TorchScript archive: a stored zip of code, a pickled module, and its tensors, for {@code torch.jit.load} of
 * PyTorch 2 and DJL's PyTorch engine. Maps and kernels are channels-last inside, which PyTorch's kernels prefer.
 *
 * <p>Source: https://github.com/pytorch/pytorch/blob/main/torch/csrc/jit/docs/serialization.md
 */
final class TorchScriptWriter {

    static final String MODULE = "__torch__.convzoo";
    static final String CLASS = "Model";

    private static final String ROOT = "model/";

    /** The version of operators: that of PyTorch 2.0, so that no reader converts them. */
    private static final String VERSION = "10\n";

    /** PyTorch memory-maps tensors that start at multiples of this. */
    private static final int ALIGNMENT = 64;

    /** The fixed part of an entry's header, and of its extra field. */
    private static final int LOCAL_HEADER = 30;

    /** The time of every entry. For the first instant that a zip can store, Java adds an extra field. */
    private static final LocalDateTime NO_TIME = LocalDateTime.of(1980, 2, 1, 0, 0);

    private static final int EXTRA_HEADER = 4;

    private TorchScriptWriter() {}

    /** Writes a network; the file is replaced once the new one is complete. */
    static void write(NetworkFile network, TorchScriptCode.Flavor flavor, Path file) throws CheckpointException {
        TorchScriptCode code = new TorchScriptCode(network, flavor);
        String source = code.source();
        byte[] module = module(code, flavor.prepares());
        ReplacedFile.write(file, out -> writeArchive(network, code, source, module, out));
    }

    /** The module as an object: its attributes by name, or the list that its code reads them from. */
    private static byte[] module(TorchScriptCode code, boolean list) {
        PickleWriter module = new PickleWriter().object(MODULE, CLASS);
        if (list) {
            module.startTensorList();
        } else {
            module.startDictionary().text("training").truth(false);
        }
        for (int i = 0; i < code.buffers().size(); i++) {
            TorchScriptCode.Buffer buffer = code.buffers().get(i);
            if (!list) {
                module.text(buffer.name());
            }
            module.tensor(buffer.storage(), Integer.toString(i), buffer.sizes(), buffer.strides());
        }
        return (list ? module.endTensorList() : module.endDictionary()).build().finish();
    }

    private static void writeArchive(
            NetworkFile network, TorchScriptCode code, String source, byte[] module, WritableByteChannel out)
            throws IOException {
        try (Archive archive = new Archive(out)) {
            archive.add("version", VERSION.getBytes(StandardCharsets.UTF_8));
            archive.add(ExportedFile.CODE, source.getBytes(StandardCharsets.UTF_8));
            archive.add("constants.pkl", new PickleWriter().emptyTuple().finish());
            archive.add("data.pkl", module);
            for (Map.Entry<String, String> each : network.metadata().entrySet()) {
                archive.add("extra/" + each.getKey(), each.getValue().getBytes(StandardCharsets.UTF_8));
            }
            for (int i = 0; i < code.buffers().size(); i++) {
                archive.add("data/" + i, code.buffers().get(i).bytes(network));
            }
        }
    }

    /** A zip whose entries are stored, each starting at a multiple of the alignment. */
    private static final class Archive implements AutoCloseable {

        private final Counter counter;
        private final ZipOutputStream zip;

        Archive(WritableByteChannel out) {
            counter = new Counter(Channels.newOutputStream(out));
            zip = new ZipOutputStream(counter, StandardCharsets.UTF_8);
            zip.setMethod(ZipOutputStream.STORED);
        }

        void add(String name, byte[] content) throws IOException {
            ZipEntry entry = new ZipEntry(ROOT + name);
            // The same network is the same file, whenever it is written.
            entry.setTimeLocal(NO_TIME);
            entry.setSize(content.length);
            CRC32 crc = new CRC32();
            crc.update(content);
            entry.setCrc(crc.getValue());
            zip.flush();
            long start = counter.written + LOCAL_HEADER + (ROOT + name).length() + EXTRA_HEADER;
            int padding = (int) (-start & (ALIGNMENT - 1));
            byte[] extra = new byte[EXTRA_HEADER + padding];
            extra[0] = 'F';
            extra[1] = 'B';
            extra[2] = (byte) padding;
            entry.setExtra(extra);
            zip.putNextEntry(entry);
            zip.write(content);
            zip.closeEntry();
        }

        /** Finishes the zip; the caller owns the channel. */
        @Override
        public void close() throws IOException {
            zip.finish();
            zip.flush();
        }
    }

    /** Counts the bytes written. */
    private static final class Counter extends OutputStream {

        private final OutputStream out;
        private long written;

        Counter(OutputStream out) {
            this.out = out;
        }

        @Override
        public void write(int b) throws IOException {
            out.write(b);
            written++;
        }

        @Override
        public void write(byte[] b, int off, int len) throws IOException {
            out.write(b, off, len);
            written += len;
        }
    }
}
