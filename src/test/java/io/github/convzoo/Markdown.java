package io.github.convzoo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The documentation, read from the source tree. */
public final class Markdown {

    private static final String FENCE = "```";

    private Markdown() {}

    /**
     * A fenced block.
     *
     * @param language what follows the fence; may be empty
     * @param text the lines in between
     * @param before the last line with text before the block, or nothing
     * @param after the first line with text after the block, or nothing
     */
    public record Block(String language, String text, String before, String after) {}

    /** The files that people write and read: README and the like, docs, and model cards. */
    public static List<Path> files() throws IOException {
        List<Path> files = new ArrayList<>();
        try (Stream<Path> top = Files.list(Path.of(""));
                Stream<Path> docs = Files.walk(Path.of("docs"));
                Stream<Path> models = Files.list(Path.of("models"));
                Stream<Path> tests = Files.walk(Path.of("src"))) {
            Stream.of(top, docs, models, tests)
                    .flatMap(each -> each)
                    .filter(file -> file.toString().endsWith(".md"))
                    .sorted()
                    .forEach(files::add);
        }
        return files;
    }

    /** A file's text with Unix line ends. */
    public static String text(Path file) throws IOException {
        return Files.readString(file).replace("\r\n", "\n");
    }

    /** The fenced blocks of a file, in order. */
    public static List<Block> blocks(Path file) throws IOException {
        List<String> lines = text(file).lines().toList();
        List<Block> blocks = new ArrayList<>();
        int at = 0;
        while (at < lines.size()) {
            if (lines.get(at).startsWith(FENCE)) {
                int end = at + 1;
                while (!lines.get(end).equals(FENCE)) {
                    end++;
                }
                blocks.add(new Block(
                        lines.get(at).substring(FENCE.length()),
                        String.join("\n", lines.subList(at + 1, end)) + "\n",
                        lastOf(lines.subList(0, at)),
                        firstOf(lines.subList(end + 1, lines.size()))));
                at = end;
            }
            at++;
        }
        return blocks;
    }

    private static String firstOf(List<String> lines) {
        return lines.stream().filter(line -> !line.isBlank()).findFirst().orElse("");
    }

    private static String lastOf(List<String> lines) {
        return lines.stream()
                .filter(line -> !line.isBlank())
                .reduce((first, second) -> second)
                .orElse("");
    }
}
