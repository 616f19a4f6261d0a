package io.github.convzoo.checkpoint;

import com.code_intelligence.jazzer.instrumentor.CoverageRecorder;
import io.github.convzoo.weights.StateDict;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What the fuzzer calls. An input becomes a file of one format, is read under the default limits, and what came of it
 * is used up to the names of weights. Nothing may come out of here: {@link CheckpointException}, as documented, ends in
 * here.
 */
public final class ReaderFuzzTarget {
    /** Views of a small file may spell out to much; converting them all would only take time. */
    private static final int MOST_CONVERTED = 1 << 16;

    private static final int LONGEST_MESSAGE = 3000;

    private static final Set<Integer> FORMATTING =
            Set.of((int) Character.FORMAT, (int) Character.LINE_SEPARATOR, (int) Character.PARAGRAPH_SEPARATOR, (int)
                    Character.SURROGATE);

    private static final List<ReaderFuzzTarget> TARGETS = new ArrayList<>();

    private final Format format;
    private final FuzzInputs inputs;
    /** Stands for the file that inputs are read as, and is beside the files that an index may name. */
    private final MappedFile place;

    private final FloatBuffer floats = FloatBuffer.allocate(MOST_CONVERTED);
    private long inputsRun;

    /** The directory has the files of {@link FuzzInputs#writeShards}. */
    ReaderFuzzTarget(Format format, Path directory) throws IOException {
        this.format = format;
        this.inputs = new FuzzInputs(format);
        Path file = directory.resolve("input." + format);
        Files.write(file, new byte[0]);
        this.place = MappedFile.open(file);
    }

    /**
     * Called by the fuzzer.
     *
     * @param arguments the formats, of which an input's first byte chooses one if they are several; and perhaps a
     *     directory of inputs to run now, for they alone are in the fuzzer's report of what was covered
     */
    public static void fuzzerInitialize(String[] arguments) throws IOException {
        Path directory = Files.createTempDirectory("fuzz");
        FuzzInputs.writeShards(directory);
        for (String format : arguments[0].split(",", -1)) {
            TARGETS.add(new ReaderFuzzTarget(Format.valueOf(format), directory));
        }
        if (arguments.length > 1) {
            try (Stream<Path> files = Files.list(Path.of(arguments[1]))) {
                for (Path file : files.sorted().toList()) {
                    fuzzerTestOneInput(Files.readAllBytes(file));
                    // Its counters are bytes, and those beyond 127 count as nothing: each is caught while it is less.
                    CoverageRecorder.updateCoveredIdsWithCoverageMap();
                }
            }
        }
    }

    /** Called by the fuzzer. */
    public static void fuzzerTestOneInput(byte[] input) {
        if (TARGETS.size() == 1) {
            TARGETS.get(0).isRead(input);
        } else if (input.length > 0) {
            TARGETS.get(Byte.toUnsignedInt(input[0]) % TARGETS.size())
                    .isRead(Arrays.copyOfRange(input, 1, input.length));
        }
    }

    /** Called by the fuzzer when it is done. */
    public static void fuzzerTearDown() {
        PrintStream out = System.err;
        for (ReaderFuzzTarget target : TARGETS) {
            out.println("inputs for " + target.format + ": " + target.inputsRun);
        }
    }

    /** Whether an input was read to its end. */
    boolean isRead(byte[] input) {
        inputsRun++;
        byte[] file = inputs.file(input);
        try {
            Checkpoint checkpoint = Checkpoint.read(place.inflated(-1, file), Limits.DEFAULT);
            use(checkpoint.root());
            for (Tensor tensor : StateDict.of(checkpoint).tensors().values()) {
                use(tensor);
            }
            return true;
        } catch (CheckpointException e) {
            check(e);
            return false;
        }
    }

    private void use(Value value) {
        if (value instanceof Value.Mapping mapping) {
            mapping.entries().values().forEach(this::use);
            mapping.unnamed().forEach(this::use);
        } else if (value instanceof Value.Sequence sequence) {
            sequence.items().forEach(this::use);
        } else if (value instanceof Tensor tensor) {
            use(tensor);
        }
    }

    private void use(Tensor tensor) {
        if (tensor.size() <= MOST_CONVERTED) {
            tensor.toFloats(floats.clear());
            long bytes = tensor.size() * tensor.type().bytes();
            if (floats.position() != tensor.size() || tensor.bytes().remaining() != bytes) {
                throw new IllegalStateException(tensor + " has other elements than its shape says");
            }
        }
    }

    /** A message is one short line that does no harm on a terminal. */
    private static void check(CheckpointException e) {
        String message = Objects.requireNonNull(e.getMessage());
        if (message.length() > LONGEST_MESSAGE) {
            throw new IllegalStateException("a message of " + message.length() + " characters", e);
        }
        message.codePoints().forEach(c -> {
            if (Character.isISOControl(c) || FORMATTING.contains(Character.getType(c))) {
                throw new IllegalStateException("the character " + c + " in a message", e);
            }
        });
    }
}
