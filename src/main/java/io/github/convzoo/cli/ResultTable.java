package io.github.convzoo.cli;

import io.github.convzoo.checkpoint.ReplacedFile;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * A CSV file (RFC 4180, UTF-8) with one row per image: its name, its error if it has no classes, and three columns for
 * each of the best classes. It replaces an earlier file once it is complete.
 */
final class ResultTable implements ResultWriter {

    private final ReplacedFile.Draft draft;
    private final int topK;
    private final BufferedWriter out;

    ResultTable(Path file, int topK) throws IOException {
        this.topK = topK;
        draft = ReplacedFile.Draft.create(file);
        // Unlike a channel's own writer, this one accepts any name that a file system allows.
        out = new BufferedWriter(
                new OutputStreamWriter(Channels.newOutputStream(draft.channel()), StandardCharsets.UTF_8));
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
        try {
            out.append(text).append("\r\n");
        } catch (IOException e) {
            throw draft.failure(e);
        }
    }

    private static String field(String text) {
        boolean plain = text.chars().noneMatch(c -> c == ',' || c == '"' || c == '\n' || c == '\r');
        return plain ? text : '"' + text.replace("\"", "\"\"") + '"';
    }

    @Override
    public void complete() throws IOException {
        try {
            out.flush();
        } catch (IOException e) {
            throw draft.failure(e);
        }
        draft.finish();
    }

    @Override
    public void close() throws IOException {
        draft.close();
    }
}
