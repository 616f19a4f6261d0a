package io.github.convzoo.hub;

import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A published file: in a repository on the Hugging Face hub, at older addresses, or both.
 *
 * @param name its name in messages and listings, such as {@code dla34.in1k}
 * @param directory the directory of its copies in the cache; files of one directory are downloaded one at a time
 * @param repository the repository on the hub, {@code owner/name}; null if the hub does not have the file
 * @param revision the repository's branch, tag, or commit; may contain slashes
 * @param fileName the file's name in the repository
 * @param urls older addresses, in order of preference; the last part of each is the copy's name
 */
public record RemoteFile(
        String name,
        String directory,
        @Nullable String repository,
        String revision,
        String fileName,
        List<String> urls) {

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]*");
    private static final Pattern DIRECTORY = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.@%-]*");
    private static final Pattern REPOSITORY = Pattern.compile(NAME + "/" + NAME);
    private static final Pattern REVISION = Pattern.compile(NAME + "(/" + NAME + ")*");

    /**
     * Validates the names, because they become paths and addresses.
     *
     * @throws IllegalArgumentException if one of them has characters other than letters, digits, '_', '.' and '-'
     */
    public RemoteFile {
        checked(DIRECTORY, directory);
        if (repository != null) {
            checked(REPOSITORY, repository);
        }
        checked(REVISION, revision);
        checked(NAME, fileName);
        urls = List.copyOf(urls);
        urls.forEach(RemoteFile::name);
    }

    /**
     * Creates a file of a repository at one commit, branch, or tag.
     *
     * @param repository the repository, {@code owner/name}
     * @param revision the commit, branch, or tag
     * @param fileName the file's name in the repository
     * @return the file; copies of different revisions are stored separately
     * @throws IllegalArgumentException if a name has characters other than letters, digits, '_', '.' and '-'
     */
    public static RemoteFile ofRepository(String repository, String revision, String fileName) {
        return new RemoteFile(
                repository + "@" + revision + "/" + fileName,
                repository.replace("/", "--") + "@" + revision.replace("/", "%2F"),
                repository,
                revision,
                fileName,
                List.of());
    }

    /**
     * {@return the hash prefix in the name of an older file, as in PyTorch's model zoo: the first digits of its
     * SHA-256; null if the name has none}
     *
     * @param fileName the file's name
     */
    public static @Nullable String sha256Start(String fileName) {
        return Source.digits(fileName);
    }

    /** The name of an older file's copy. */
    static String name(String url) {
        return checked(NAME, url.substring(url.lastIndexOf('/') + 1));
    }

    private static String checked(Pattern pattern, String name) {
        if (!pattern.matcher(name).matches()) {
            throw new IllegalArgumentException(
                    "names of models, tags, repositories, revisions and files consist of letters,"
                            + " digits, '_', '.' and '-', not " + name);
        }
        return name;
    }
}
