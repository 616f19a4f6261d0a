package io.github.convzoo.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** An output that cannot be written as asked is misuse in every command, found before anything is computed. */
class OutputFileTest {

    @TempDir
    Path folder = Path.of("");

    @ParameterizedTest
    @CsvSource({
        "file, train --model peleenet --data none --output, not a folder",
        "full, train --model peleenet --data none --output, not empty",
        "file, convert none.pth --output, is a file; pass a folder",
        "full, convert none.pth --output, not empty",
        "empty.safetensors, convert none.pth, is a folder; pass a file",
        "empty.params, convert none.pth, is a folder; pass a file",
        "file, export --model none --format onnx --output, is a file; pass a folder",
        "empty, forward --model none --input none.npy --output, is a folder; pass a file",
        "empty.csv, eval --model none --data none --confusion, is a folder; pass a file",
        "empty.png, eval --model none --data none --confusion, is a folder; pass a file",
        "empty.png, predict none.jpg --model none --grid, is a folder; pass a file",
        "empty.dot, summary peleenet --graph, is a folder; pass a file"
    })
    void output_ofAnotherKind_isMisuse(String name, String command, String message) throws IOException {
        Path output = folder.resolve(name);
        switch (name) {
            case "file" -> Files.writeString(output, "");
            case "full" -> Files.writeString(Files.createDirectories(output).resolve("notes.txt"), "mine");
            default -> Files.createDirectories(output);
        }
        List<Object> args = new ArrayList<>(List.of(command.split(" ", -1)));
        args.add(output);
        Run.refused(2, args, output.toString(), message);
    }
}
