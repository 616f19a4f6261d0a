package io.github.convzoo;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.convzoo.image.Labels;
import java.io.InputStream;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the licenses ask for travels with the library. */
class NoticeTest {

    @ParameterizedTest
    @ValueSource(strings = {"LICENSE", "NOTICE"})
    void file_ofTheRepository_isPackedWithTheClasses(String name) throws Exception {
        // Other libraries on the class path have files of this name too.
        List<String> packed = new ArrayList<>();
        for (URL url : Collections.list(NoticeTest.class.getClassLoader().getResources("META-INF/" + name))) {
            try (InputStream in = url.openStream()) {
                packed.add(new String(in.readAllBytes(), StandardCharsets.UTF_8));
            }
        }
        assertThat(packed).contains(Files.readString(Path.of(name)));
    }

    @Test
    void notice_namesTheSourceOfTheClassNames() throws Exception {
        assertThat(Labels.class.getResource("imagenet-1k.txt")).isNotNull();
        assertThat(Files.readString(Path.of("NOTICE")))
                .contains(
                        "io/github/convzoo/image/imagenet-1k.txt", "ai.djl:basicdataset 0.35.1", "Apache License 2.0");
    }
}
