package io.github.convzoo.zoo;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.checkpoint.ReplacedFile;
import io.github.convzoo.checkpoint.TextFile;
import io.github.convzoo.message.Reason;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The JSON file that says which model computed the vectors of an index. */
final class SourceFile {

    private static final String FORMAT = "convzoo-embeddings-1";

    private SourceFile() {}

    /**
     * What the file has.
     *
     * @param source the model
     * @param namesSha256 the SHA-256 of the file with names; empty for an index without it
     */
    record Content(EmbeddingIndex.Source source, Optional<String> namesSha256) {}

    /** Reads the file; empty if it does not exist. */
    static Optional<Content> read(Path file) throws IOException {
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        String text = TextFile.read(file);
        try {
            JsonObject json = JsonParser.parseString(text).getAsJsonObject();
            if (!json.has("format") || !json.get("format").getAsString().equals(FORMAT)) {
                throw new IOException(file + ": does not say that it is " + FORMAT
                        + "; move it elsewhere if it does not belong to the vectors");
            }
            List<Float> probe = new ArrayList<>();
            for (JsonElement each : json.getAsJsonArray("probe")) {
                probe.add(each.getAsFloat());
            }
            return Optional.of(new Content(
                    new EmbeddingIndex.Source(
                            json.get("model").getAsString(),
                            json.get("dimension").getAsInt(),
                            json.get("count").getAsLong(),
                            json.get("normalized").getAsBoolean(),
                            List.copyOf(probe)),
                    Optional.ofNullable(json.get("names_sha256")).map(JsonElement::getAsString)));
        } catch (RuntimeException e) {
            // Gson has a different exception for each way in which a value is missing or of another type.
            throw new IOException(file + ": is damaged; write the index again, or remove the file", e);
        }
    }

    static void write(Path file, EmbeddingIndex.Source source, String namesSha256) throws CheckpointException {
        JsonArray probe = new JsonArray();
        source.probe().forEach(probe::add);
        JsonObject json = new JsonObject();
        json.addProperty("format", FORMAT);
        json.addProperty("model", source.model());
        json.addProperty("dimension", source.dimension());
        json.addProperty("count", source.count());
        json.addProperty("normalized", source.normalized());
        json.addProperty("names_sha256", namesSha256);
        json.add("probe", probe);
        ReplacedFile.write(file, (new Gson().toJson(json) + "\n").getBytes(StandardCharsets.UTF_8));
    }

    static void delete(Path file) throws CheckpointException {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new CheckpointException(
                    file, -1, null, "it cannot be removed (" + Reason.of(e) + "); check the folder's permissions", e);
        }
    }
}
