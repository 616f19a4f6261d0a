package io.github.convzoo;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;

/** Versions of dependencies in messages and in the documentation are those of the POM. */
class DependencyVersionsTest {

    /** {@code group:artifact:version} in text or a string literal. */
    private static final Pattern COORDINATES =
            Pattern.compile("\\b((?:[a-z][a-z0-9]*\\.)+[a-z0-9]+):([a-z][a-z0-9-]+):(\\d[\\w.-]*\\w)");
    /** A message that says what to add. */
    private static final Pattern TO_ADD =
            Pattern.compile("\"[^\"]*\\badd (?:the dependency )?(?:[a-z][a-z0-9]*\\.)+[a-z0-9]+:[a-z][a-z0-9-]*+(?!:)");

    private static final Pattern DEPENDENCY = Pattern.compile("<dependency>.*?</dependency>", Pattern.DOTALL);

    private static final Map<String, String> PROPERTIES = new TreeMap<>();

    /** Versions by {@code group:artifact}. */
    private static final Map<String, String> VERSIONS = new LinkedHashMap<>();

    private static List<Element> children(Node parent) {
        List<Element> elements = new ArrayList<>();
        NodeList nodes = parent.getChildNodes();
        for (int i = 0; i < nodes.getLength(); i++) {
            if (nodes.item(i) instanceof Element element) {
                elements.add(element);
            }
        }
        return elements;
    }

    private static Element child(Node parent, String name) {
        return children(parent).stream()
                .filter(each -> each.getTagName().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static String text(Node parent, String name) {
        String text = child(parent, name).getTextContent().strip();
        return Pattern.compile("\\$\\{([^}]+)}").matcher(text).replaceAll(found -> PROPERTIES.get(found.group(1)));
    }

    @BeforeAll
    static void readPom() throws Exception {
        Element project = DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(Path.of("pom.xml").toFile())
                .getDocumentElement();
        children(child(project, "properties"))
                .forEach(each ->
                        PROPERTIES.put(each.getTagName(), each.getTextContent().strip()));
        for (Element each : children(child(project, "dependencies"))) {
            VERSIONS.put(text(each, "groupId") + ":" + text(each, "artifactId"), text(each, "version"));
        }
        VERSIONS.put(text(project, "groupId") + ":" + text(project, "artifactId"), text(project, "version"));
    }

    /** The POM's version of an artifact, or else of another one of its group. */
    private static Optional<String> version(String group, String artifact) {
        String own = VERSIONS.get(group + ":" + artifact);
        return own != null
                ? Optional.of(own)
                : VERSIONS.entrySet().stream()
                        .filter(each -> each.getKey().startsWith(group + ":"))
                        .map(Map.Entry::getValue)
                        .findFirst();
    }

    private static List<Path> sources() throws Exception {
        try (Stream<Path> files = Files.walk(Path.of("src/main/java"))) {
            return files.filter(file -> file.toString().endsWith(".java")).toList();
        }
    }

    @Test
    void coordinatesInMessagesAndDocs_haveTheVersionsOfThePom() throws Exception {
        List<Path> files = new ArrayList<>(sources());
        files.addAll(Markdown.files());
        List<String> wrong = new ArrayList<>();
        int found = 0;
        for (Path file : files) {
            Matcher named = COORDINATES.matcher(Markdown.text(file));
            while (named.find()) {
                found++;
                if (!version(named.group(1), named.group(2)).equals(Optional.of(named.group(3)))) {
                    wrong.add(file + ": " + named.group());
                }
            }
        }
        assertThat(wrong).isEmpty();
        assertThat(found).isGreaterThan(6);
    }

    @Test
    void dependencyBlocksInDocs_haveTheVersionsOfThePom() throws Exception {
        List<String> wrong = new ArrayList<>();
        int found = 0;
        for (Path file : Markdown.files()) {
            Matcher block = DEPENDENCY.matcher(Markdown.text(file));
            while (block.find()) {
                found++;
                Map<String, String> values = new TreeMap<>();
                Pattern.compile("<(\\w+)>([^<]+)</\\1>")
                        .matcher(block.group())
                        .results()
                        .forEach(value -> values.put(value.group(1), value.group(2)));
                String group = String.valueOf(values.get("groupId"));
                String artifact = String.valueOf(values.get("artifactId"));
                if (!version(group, artifact).equals(Optional.ofNullable(values.get("version")))) {
                    wrong.add(file + ": " + group + ":" + artifact + ":" + values.get("version"));
                }
            }
        }
        assertThat(wrong).isEmpty();
        assertThat(found).isGreaterThan(4);
    }

    @Test
    void messagesThatSayWhatToAdd_nameTheVersion() throws Exception {
        List<String> without = new ArrayList<>();
        for (Path file : sources()) {
            TO_ADD.matcher(Markdown.text(file)).results().forEach(found -> without.add(file + ": " + found.group()));
        }
        assertThat(without).isEmpty();
    }
}
