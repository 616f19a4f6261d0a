package io.github.convzoo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FolderChangesTest {

    @TempDir
    Path directory = Path.of("");

    @Test
    void changes_areNewFiles_andReplacedOnes() throws IOException {
        Path folder = directory.resolve("model");
        assertThat(new FolderChanges(folder).inWords()).isEqualTo("nothing was written");

        Files.createDirectory(folder);
        Path old = Files.writeString(folder.resolve("old"), "1");
        Path same = Files.writeString(folder.resolve("same"), "1");
        FolderChanges changes = new FolderChanges(folder);
        assertThat(changes.inWords()).isEqualTo("nothing was written");

        // As large as before.
        Path other = Files.writeString(directory.resolve("other"), "2");
        Files.setLastModifiedTime(other, Files.getLastModifiedTime(old));
        Files.move(other, old, StandardCopyOption.REPLACE_EXISTING);
        assertThat(changes.inWords()).isEqualTo("only " + old + " was written");

        Path added = Files.writeString(folder.resolve("new"), "");
        assertThat(changes.inWords()).isEqualTo("only these were written: " + added + ", " + old);
        assertThat(same).exists();
    }
}
