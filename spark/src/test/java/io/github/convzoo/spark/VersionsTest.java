package io.github.convzoo.spark;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.xml.parsers.DocumentBuilderFactory;
import org.apache.spark.launcher.JavaModuleOptions;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;

/** What this artifact's POM repeats of others. */
class VersionsTest {

    private static final Path MAIN = Path.of("pom.xml");
    private static final Path SPARK = Path.of("spark/pom.xml");

    private static Element project(Path pom) throws Exception {
        Document document =
                DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(pom.toFile());
        return document.getDocumentElement();
    }

    private static List<Element> children(Element parent) {
        List<Element> elements = new ArrayList<>();
        NodeList nodes = parent.getChildNodes();
        for (int i = 0; i < nodes.getLength(); i++) {
            Node node = nodes.item(i);
            if (node instanceof Element element) {
                elements.add(element);
            }
        }
        return elements;
    }

    private static Element child(Element parent, String name) {
        return children(parent).stream()
                .filter(each -> each.getTagName().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static String text(Element parent, String name) {
        return child(parent, name).getTextContent().strip();
    }

    private static Map<String, String> properties(Path pom) throws Exception {
        Map<String, String> properties = new TreeMap<>();
        children(child(project(pom), "properties"))
                .forEach(each ->
                        properties.put(each.getTagName(), each.getTextContent().strip()));
        return properties;
    }

    private static Map<String, String> plugins(Path pom) throws Exception {
        Map<String, String> plugins = new TreeMap<>();
        children(child(child(project(pom), "build"), "plugins"))
                .forEach(each -> plugins.put(text(each, "artifactId"), text(each, "version")));
        return plugins;
    }

    @Test
    void pom_hasTheVersionsOfTheMainPom() throws Exception {
        assertThat(text(project(SPARK), "version")).isEqualTo(text(project(MAIN), "version"));
        assertThat(text(project(Path.of("spark/reactor.xml")), "version")).isEqualTo(text(project(MAIN), "version"));

        Map<String, String> shared = properties(SPARK);
        shared.keySet().retainAll(properties(MAIN).keySet());
        assertThat(shared).hasSizeGreaterThan(8);
        assertThat(properties(MAIN)).containsAllEntriesOf(shared);

        Map<String, String> plugins = plugins(SPARK);
        plugins.keySet().retainAll(plugins(MAIN).keySet());
        assertThat(plugins).hasSizeGreaterThan(8);
        assertThat(plugins(MAIN)).containsAllEntriesOf(plugins);
    }

    @Test
    void release_worksLikeThatOfTheMainPom() throws Exception {
        assertThat(release(SPARK)).isEqualTo(release(MAIN)).contains("sign", "central-publishing-maven-plugin");
    }

    private static String release(Path pom) throws Exception {
        return children(child(project(pom), "profiles")).stream()
                .filter(each -> text(each, "id").equals("release"))
                .findFirst()
                .orElseThrow()
                .getTextContent()
                .strip();
    }

    @Test
    void pom_opensWhatSparkOpens() throws Exception {
        String options = properties(SPARK).getOrDefault("argLine.spark", "");

        assertThat(options.split("\\s+"))
                .containsAll(Arrays.asList(
                        JavaModuleOptions.defaultModuleOptions().strip().split("\\s+", -1)));
    }

    @Test
    void pom_hasSparksVersionOfWhatBothNeed() throws Exception {
        Path jars = Path.of(System.getenv("SPARK_HOME"), "jars");
        for (String type : List.of(
                "com.google.gson.Gson",
                "org.slf4j.Logger",
                "org.apache.commons.compress.archivers.ArchiveEntry",
                "org.apache.commons.codec.Decoder",
                "org.apache.commons.io.IOUtils")) {
            Path jar = Path.of(Class.forName(type)
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
            assertThat(jars.resolve(jar.getFileName())).exists();
        }
    }
}
