package io.github.convzoo.checkpoint;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Reads {@code model.safetensors.index.json} and {@code pytorch_model.bin.index.json}, as written by huggingface_hub
 * and transformers next to the shards of a model: an object with {@code metadata}, of numbers and text, and {@code
 * weight_map}, which maps each tensor to its file. The shards are next to the index unless the caller finds them
 * elsewhere, and must contain exactly the tensors listed in the index.
 */
final class ShardedReader {
    /** Names that refer to a file in this directory on every system. */
    private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]*");

    private final MappedFile index;
    private final Limits limits;
    private final Map<String, String> metadata = new LinkedHashMap<>();
    private final Map<String, String> weightMap = new LinkedHashMap<>();

    private ShardedReader(MappedFile index, Limits limits) {
        this.index = index;
        this.limits = limits;
    }

    /** Whether a file starts like JSON: with a brace and text. A safetensors file's length has zeros there. */
    static boolean recognizes(String head) {
        String trimmed = head.stripLeading();
        return trimmed.startsWith("{") && head.chars().limit(8).noneMatch(c -> c < '\t' || c > 0x7e);
    }

    static <E extends IOException> Checkpoint read(MappedFile index, Limits limits, Checkpoint.Parts<E> parts)
            throws CheckpointException, E {
        return new ShardedReader(index, limits).read(parts);
    }

    private <E extends IOException> Checkpoint read(Checkpoint.Parts<E> parts) throws CheckpointException, E {
        if (index.size() > limits.of(Limit.HEADER_BYTES)) {
            throw index.overLimit(0, null, "the index has " + index.size() + " bytes", Limit.HEADER_BYTES, limits);
        }
        readIndex(new JsonReader(new Cursor(index, 0, index.size(), "the index")));

        Map<String, Map<String, Value>> shards = new LinkedHashMap<>();
        Format format = Format.SAFETENSORS;
        long bytes = 0;
        Set<String> placeholders = new LinkedHashSet<>();
        Map<String, Value> tensors = new LinkedHashMap<>();
        for (Map.Entry<String, String> entry : weightMap.entrySet()) {
            Map<String, Value> shard = shards.get(entry.getValue());
            if (shard == null) {
                Checkpoint read = shard(parts.find(entry.getValue()));
                placeholders.addAll(read.placeholders());
                bytes += read.bytes();
                shard = ((Value.Mapping) read.root()).entries();
                // Immediately, so that no more tensors are held than the index lists.
                format = read.format() == Format.SAFETENSORS ? format : read.format();
                checkNames(entry.getValue(), shard);
                shards.put(entry.getValue(), shard);
            }
            Value tensor = shard.get(entry.getKey());
            if (tensor == null) {
                throw index.corrupt(
                        -1,
                        entry.getKey(),
                        "the index lists it in " + entry.getValue()
                                + ", which has no such tensor; download both again");
            }
            tensors.put(entry.getKey(), tensor);
        }
        return new Checkpoint(
                        index.path(),
                        format == Format.SAFETENSORS ? Format.SAFETENSORS_INDEX : Format.PYTORCH_INDEX,
                        new Value.Mapping(tensors, List.of()),
                        Map.copyOf(metadata),
                        List.copyOf(placeholders))
                .ofBytes(bytes);
    }

    private void checkNames(String name, Map<String, Value> shard) throws CheckpointException {
        for (String tensor : shard.keySet()) {
            if (!name.equals(weightMap.get(tensor))) {
                throw index.corrupt(-1, tensor, "it is in " + name + ", but not in the index; download both again");
            }
        }
    }

    private Checkpoint shard(Path file) throws CheckpointException {
        try (MappedFile shard = MappedFile.open(file)) {
            Checkpoint read =
                    switch (FormatProbe.probe(shard)) {
                        case SAFETENSORS -> SafetensorsReader.read(shard, limits);
                        case PYTORCH_ZIP -> PyTorchZipReader.read(shard, ZipDirectory.read(shard, limits), limits);
                        case PYTORCH_LEGACY -> PyTorchLegacyReader.read(shard, limits);
                        default -> throw notAPart(shard);
                    };
            if (!(read.root() instanceof Value.Mapping mapping)
                    || !mapping.unnamed().isEmpty()) {
                throw notAPart(shard);
            }
            return read.ofBytes(shard.size());
        }
    }

    private static CheckpointException notAPart(MappedFile shard) {
        return shard.corrupt(
                0,
                "the index lists it as a shard, but it is neither a safetensors file nor a PyTorch file of named"
                        + " tensors; download it again");
    }

    private void readIndex(JsonReader json) throws CheckpointException {
        List<String> read = new ArrayList<>();
        json.open('{');
        for (boolean first = true; json.more(first, '}'); first = false) {
            long at = json.offset();
            String key = json.name();
            if (read.contains(key)) {
                throw index.corrupt(at, "the index has the field " + key + " twice");
            }
            switch (key) {
                case "metadata" -> readTexts(json, metadata, "metadata");
                case "weight_map" -> readTexts(json, weightMap, "tensors");
                default ->
                    throw index.corrupt(
                            at,
                            "this is JSON with the field " + CheckpointException.printable(key)
                                    + ", such as a model's configuration, not an index of weights, which has"
                                    + " metadata and weight_map; pass the weights file next to it");
            }
            read.add(key);
        }
        json.end();
        if (!read.contains("weight_map")) {
            throw index.corrupt(-1, "the index has no weight_map");
        }
        for (Map.Entry<String, String> entry : weightMap.entrySet()) {
            if (!PLAIN.matcher(entry.getValue()).matches()) {
                throw index.corrupt(
                        -1,
                        entry.getKey(),
                        "the index lists it in " + CheckpointException.printable(entry.getValue())
                                + ", which is not a plain file name");
            }
        }
    }

    private void readTexts(JsonReader json, Map<String, String> texts, String what) throws CheckpointException {
        json.open('{');
        for (boolean first = true; json.more(first, '}'); first = false) {
            long at = json.offset();
            if (texts.size() == limits.of(Limit.TENSORS)) {
                throw index.overLimit(at, null, "the index has too many " + what, Limit.TENSORS, limits);
            }
            String name = json.name();
            if (name.length() > limits.of(Limit.NAME_LENGTH)) {
                throw index.overLimit(
                        at, name, "the name has " + name.length() + " characters", Limit.NAME_LENGTH, limits);
            }
            if (texts.put(name, json.scalar()) != null) {
                throw index.corrupt(at, name, "the index lists it twice");
            }
        }
    }
}
