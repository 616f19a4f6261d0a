package io.github.convzoo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Relative links and paths in the documentation, and the lengths of lines. */
class LinksTest {

    private static final Pattern FENCED = Pattern.compile("^```.*?^```$", Pattern.MULTILINE | Pattern.DOTALL);
    private static final Pattern LINK = Pattern.compile("\\]\\(([^)\\s]+)\\)");
    private static final Pattern HEADING = Pattern.compile("^#+ (.+)$", Pattern.MULTILINE);
    /** A file of docs/ that text or code names without a link; not those of other projects. */
    private static final Pattern NAMED = Pattern.compile("(?<![\\w/.])docs/[\\w./-]+\\.(?:md|png)(?! there)");

    private static final int LONGEST_LINE = 120;

    @Test
    void link_toAFile_leadsSomewhere() throws IOException {
        List<String> dead = new ArrayList<>();
        int found = 0;
        for (Path file : Markdown.files()) {
            Matcher link = LINK.matcher(FENCED.matcher(Markdown.text(file)).replaceAll(""));
            while (link.find()) {
                String target = link.group(1);
                if (!target.contains("://")) {
                    found++;
                    if (!isThere(file, target)) {
                        dead.add(file + ": " + target);
                    }
                }
            }
        }
        assertThat(dead).isEmpty();
        assertThat(found).isGreaterThan(50);
    }

    private static boolean isThere(Path from, String target) throws IOException {
        int hash = target.indexOf('#');
        String path = hash < 0 ? target : target.substring(0, hash);
        Path file = path.isEmpty()
                ? from
                : from.toAbsolutePath().resolveSibling(path).normalize();
        return Files.exists(file) && (hash < 0 || anchors(file).contains(target.substring(hash + 1)));
    }

    /** The anchors that GitHub gives headings. */
    private static Set<String> anchors(Path file) throws IOException {
        Set<String> anchors = new HashSet<>();
        Matcher heading = HEADING.matcher(FENCED.matcher(Markdown.text(file)).replaceAll(""));
        while (heading.find()) {
            anchors.add(heading.group(1)
                    .toLowerCase(Locale.ROOT)
                    .replaceAll("[^\\p{L}\\p{N}\\s_-]", "")
                    .replace(' ', '-'));
        }
        return anchors;
    }

    @Test
    void path_inDocs_thatTextOrCodeNames_exists() throws IOException {
        List<String> dead = new ArrayList<>();
        int found = 0;
        for (Path file : written()) {
            Matcher named = NAMED.matcher(Markdown.text(file));
            while (named.find()) {
                found++;
                if (!Files.exists(Path.of(named.group()))) {
                    dead.add(file + ": " + named.group());
                }
            }
        }
        assertThat(dead).isEmpty();
        assertThat(found).isGreaterThan(10);
    }

    /** URLs, rows of tables (but the README's), and the strings of code, whose other lines the formatter breaks. */
    private static boolean isUnbreakable(String file, String line) {
        boolean code = file.endsWith(".java") && !line.strip().matches("(?:\\*|//|/\\*).*");
        return code
                || line.contains("<commandlineArgs>")
                || line.contains("://")
                || (line.startsWith("|") && !file.equals("README.md"));
    }

    private static List<Path> written() throws IOException {
        List<Path> files = new ArrayList<>(Markdown.files());
        files.add(Path.of("pom.xml"));
        try (Stream<Path> sources = Files.walk(Path.of("src"))) {
            sources.filter(file -> file.toString().matches(".*\\.(?:java|py|xml)"))
                    .sorted()
                    .forEach(files::add);
        }
        return files;
    }

    @Test
    void page_ofTheDocumentation_isInTheIndex() throws IOException {
        String index = Markdown.text(Path.of("docs/README.md"));
        try (Stream<Path> pages = Files.walk(Path.of("docs"), 2)) {
            assertThat(pages.filter(file -> file.toString().endsWith(".md"))
                            .filter(file -> !file.endsWith("README.md"))
                            .map(file ->
                                    Path.of("docs").relativize(file).toString().replace('\\', '/')))
                    .hasSizeGreaterThan(10)
                    .allMatch(page -> index.contains("](" + page + ")"));
        }
    }

    @Test
    void readme_hasAtMost150LinesWithTodaysNetworks() throws IOException {
        // The table of networks grows with them.
        assertThat(Markdown.text(Path.of("README.md")).lines().filter(line -> !line.startsWith("| `")))
                .hasSizeLessThanOrEqualTo(126);
    }

    @Test
    void line_ofTextOrCode_hasAtMost120Columns() throws IOException {
        List<String> tooLong = new ArrayList<>();
        for (Path file : written()) {
            if (file.toString().endsWith(".py")) {
                continue;
            }
            List<String> lines = Markdown.text(file).lines().toList();
            for (int i = 0; i < lines.size(); i++) {
                String line = lines.get(i);
                if (line.codePointCount(0, line.length()) > LONGEST_LINE && !isUnbreakable(file.toString(), line)) {
                    tooLong.add(file + ":" + (i + 1));
                }
            }
        }
        assertThat(tooLong).isEmpty();
    }
}
