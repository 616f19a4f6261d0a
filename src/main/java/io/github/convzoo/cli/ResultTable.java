package io.github.convzoo.cli;

import io.github.convzoo.checkpoint.ReplacedFile;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.ThreadLocalRandom;

/**
 * A CSV file (RFC 4180, UTF-8) with one row per image: its name, its error if it has no classes, and three columns for
 * each of the best classes. It replaces an earlier file once it is complete.
 */
final class ResultTable implements ResultWriter {

    private final Path file;
    private final Path temporary;
    private final int topK;
    private final FileChannel channel;
    private final BufferedWriter out;

    ResultTable(Path file, int topK) throws IOException {
        this.file = file;
        this.topK = topK;
        String suffix = "." + Long.toHexString(ThreadLocalRandom.current().nextLong()) + ".tmp";
        temporary = file.resolveSibling("." + file.getFileName() + suffix);
        try {
            channel = FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        } catch (FileSystemException e) {
            throw new IOException(file + ": cannot be written (" + e + "); check its folder", e);
        }
        // Unlike a channel's own writer, this one accepts any name that a file system allows.
        out = new BufferedWriter(new OutputStreamWriter(Channels.newOutputStream(channel), StandardCharsets.UTF_8));
        StringBuilder header = new StringBuilder("image,error");
        for (int i = 1; i <= topK; i++) {
            header.append(",class_")
                    .append(i)
                    .append(",label_")
                    .append(i)
                    .append(",probability_")
                    .append(i);
        }
        line(header);
    }

    @Override
    public void write(ImageResult result) throws IOException {
        StringBuilder row = new StringBuilder(field(result.image())).append(',');
        int columns = 0;
        if (result instanceof ImageResult.Classified classified) {
            for (Prediction each : classified.predictions()) {
                row.append(',').append(each.classNumber());
                row.append(',').append(field(each.label()));
                row.append(',').append(each.probability());
                columns++;
            }
        } else if (result instanceof ImageResult.Failed failed) {
            row.append(field(failed.error()));
        }
        line(row.append(",,,".repeat(topK - columns)));
    }

    private void line(CharSequence text) throws IOException {
        out.append(text).append("\r\n");
    }

    private static String field(String text) {
        boolean plain = text.chars().noneMatch(c -> c == ',' || c == '"' || c == '\n' || c == '\r');
        return plain ? text : '"' + text.replace("\"", "\"\"") + '"';
    }

    @Override
    public void complete() throws IOException {
        out.flush();
        channel.force(true);
        out.close();
        ReplacedFile.move(temporary, file);
    }

    @Override
    public void close() throws IOException {
        try {
            out.close();
        } finally {
            Files.deleteIfExists(temporary);
        }
    }
}
