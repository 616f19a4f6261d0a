package io.github.convzoo.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import io.github.convzoo.message.Reason;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A file of JSON lines, which a later run can resume. Each line is written at once, so a killed run loses at most the
 * line that it was writing; resuming cuts off such a partial line.
 */
final class ResultLines implements ResultWriter {

    /** A result with thousands of classes is shorter. */
    private static final int LONGEST_LINE = 1 << 24;
    /** How each line starts. */
    private static final String START = "{\"image\":";

    private final Path file;
    private final FileChannel channel;
    private final Map<String, Integer> done = new HashMap<>();
    private Optional<ImageResult.Classified> first = Optional.empty();
    private int finished;
    private int failed;

    /**
     * Opens the file.
     *
     * @param resume whether to keep the results of an earlier run; else there must be none
     */
    ResultLines(Path file, boolean resume) throws IOException {
        this.file = file;
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            // A pipe waits for its other end, and a device cannot be resumed.
            throw new IllegalArgumentException(file + ": not a regular file; choose another file");
        }
        try {
            channel = FileChannel.open(
                    file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        } catch (FileSystemException e) {
            throw new IOException(file + ": cannot be opened (" + Reason.of(e) + "); check its folder", e);
        }
        try {
            lock();
            if (resume) {
                readFinished();
            } else if (channel.size() > 0) {
                throw new IllegalArgumentException(
                        file + ": already exists; pass --resume to continue it, or delete it, or choose another file");
            }
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    private void lock() throws IOException {
        FileLock lock;
        try {
            lock = channel.tryLock();
        } catch (OverlappingFileLockException e) {
            lock = null;
        }
        if (lock == null) {
            throw new IOException(file + ": another process is writing this file; wait for it, or choose another file");
        }
    }

    private void readFinished() throws IOException {
        // The stream is not closed, because that would close the channel.
        InputStream in = new BufferedInputStream(Channels.newInputStream(channel));
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        long end = 0;
        for (int c = in.read(); c >= 0; c = in.read()) {
            line.write(c);
            if (line.size() > LONGEST_LINE) {
                throw notAResult(finished + 1, null);
            }
            if (c == '\n') {
                end += line.size();
                read(line.toString(StandardCharsets.UTF_8), finished + 1);
                line.reset();
            }
        }
        requirePartial(line.toString(StandardCharsets.UTF_8));
        channel.truncate(end);
        channel.position(end);
    }

    /** Refuses to cut off a last line that is not the beginning of a result. */
    private void requirePartial(String line) throws IOException {
        if (!line.startsWith(START) && !START.startsWith(line)) {
            throw notAResult(finished + 1, null);
        }
    }

    private IOException notAResult(int number, @Nullable Exception cause) {
        return new IOException(
                file + ": line " + number + " is not a result of convzoo predict --jsonl; choose another file", cause);
    }

    private void read(String line, int number) throws IOException {
        try {
            JsonObject object = JsonParser.parseString(line).getAsJsonObject();
            String image = member(object, "image").getAsString();
            if (object.has("error")) {
                failed++;
            } else if (first.isEmpty()) {
                first = Optional.of(
                        classified(image, member(object, "predictions").getAsJsonArray()));
            }
            done.merge(image, 1, Integer::sum);
            finished++;
        } catch (JsonParseException
                | IllegalStateException
                | ArithmeticException
                | NumberFormatException
                | UnsupportedOperationException e) {
            throw notAResult(number, e);
        }
    }

    private static JsonElement member(JsonObject object, String name) {
        JsonElement value = object.get(name);
        if (value == null) {
            throw new JsonParseException("it has no " + name);
        }
        return value;
    }

    private static ImageResult.Classified classified(String image, JsonArray predictions) {
        List<Prediction> list = predictions.asList().stream()
                .map(JsonElement::getAsJsonObject)
                .map(each -> new Prediction(
                        member(each, "classNumber").getAsBigInteger().intValueExact(),
                        member(each, "label").getAsString(),
                        member(each, "probability").getAsDouble()))
                .toList();
        return new ImageResult.Classified(image, list);
    }

    /** The number of results of earlier runs. */
    int finished() {
        return finished;
    }

    /** The number of images among {@link #finished} that could not be read. */
    int failed() {
        return failed;
    }

    /** The first result of earlier runs that has classes, to check that this run would give the same. */
    Optional<ImageResult.Classified> first() {
        return first;
    }

    /** Whether an earlier run has a result for an image. If an image is given several times, so are its results. */
    boolean takeFinished(String image) {
        int left = done.getOrDefault(image, 0);
        if (left == 0) {
            return false;
        }
        done.put(image, left - 1);
        return true;
    }

    /** The number of results of earlier runs for which {@link #takeFinished} was not called. */
    int unused() {
        return done.values().stream().mapToInt(Integer::intValue).sum();
    }

    @Override
    public void write(ImageResult result) throws IOException {
        ByteBuffer line = ByteBuffer.wrap((Json.line(result) + "\n").getBytes(StandardCharsets.UTF_8));
        try {
            while (line.hasRemaining()) {
                channel.write(line);
            }
        } catch (IOException e) {
            throw new IOException(
                    file + ": cannot be written (" + Reason.of(e) + "); make space, then continue with --resume", e);
        }
    }

    @Override
    public void complete() throws IOException {
        channel.force(true);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
