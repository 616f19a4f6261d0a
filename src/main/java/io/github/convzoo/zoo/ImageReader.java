package io.github.convzoo.zoo;

import ai.djl.modality.cv.Image;
import io.github.convzoo.image.ImageDecoder;
import io.github.convzoo.image.RgbImage;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.MalformedURLException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Gets at the pixels of what stands for an image. */
interface ImageReader<I> {

    /** How a URL begins. */
    Pattern SCHEME = Pattern.compile("[A-Za-z][A-Za-z0-9+.-]+:");

    /** How a URL begins that holds what it stands for. */
    Pattern DATA = Pattern.compile("data:[^,]*;base64,", Pattern.CASE_INSENSITIVE);

    /** What an image may come as. */
    Map<Class<?>, ImageReader<?>> ALL = all();

    RgbImage read(I input) throws IOException;

    /**
     * The reader of a type.
     *
     * @throws IllegalArgumentException if images do not come as such
     */
    static <I> ImageReader<I> of(Class<I> type) {
        return find(type)
                .orElseThrow(() -> new IllegalArgumentException("an image comes as "
                        + ALL.keySet().stream().map(Class::getName).collect(Collectors.joining(", ")) + ", not "
                        + type.getName()));
    }

    /** The reader of a type, if images come as such. */
    @SuppressWarnings("unchecked")
    static <I> Optional<ImageReader<I>> find(Class<I> type) {
        return Optional.ofNullable((ImageReader<I>) get(type));
    }

    private static @Nullable ImageReader<?> get(Class<?> type) {
        return ALL.get(type);
    }

    private static Map<Class<?>, ImageReader<?>> all() {
        ImageDecoder decoder = new ImageDecoder();
        Map<Class<?>, ImageReader<?>> all = new LinkedHashMap<>();
        all.put(Image.class, (ImageReader<Image>) RgbImage::of);
        all.put(Path.class, (ImageReader<Path>) decoder::decode);
        all.put(URL.class, (ImageReader<URL>) url -> fetch(decoder, url));
        all.put(InputStream.class, (ImageReader<InputStream>) in -> decoder.decode(in, "the stream"));
        all.put(String.class, (ImageReader<String>) text -> located(decoder, text));
        all.put(RgbImage.class, (ImageReader<RgbImage>) image -> image);
        return all;
    }

    private static RgbImage fetch(ImageDecoder decoder, URL url) throws IOException {
        return RemoteImage.read(decoder, url, address -> true);
    }

    /** Text that begins with a scheme is a URL. One letter is a drive and no scheme. */
    private static RgbImage located(ImageDecoder decoder, String text) throws IOException {
        if (SCHEME.matcher(text).lookingAt()) {
            return linked(decoder, text, address -> true);
        }
        try {
            return decoder.decode(Path.of(text));
        } catch (InvalidPathException e) {
            throw new IOException("the text is neither a URL nor a path (" + e.getReason() + ")", e);
        }
    }

    /** Reads what a URL leads to, or holds. */
    static RgbImage linked(ImageDecoder decoder, String url, Predicate<InetAddress> allowed) throws IOException {
        Matcher data = DATA.matcher(url);
        try {
            return data.lookingAt()
                    ? decoder.decode(Base64.getMimeDecoder().decode(url.substring(data.end())), "the data URL")
                    : RemoteImage.read(decoder, new URI(url).toURL(), allowed);
        } catch (URISyntaxException | MalformedURLException | IllegalArgumentException e) {
            throw new IOException(
                    "this is no URL of an image (" + e.getMessage()
                            + "); http, https, file and base64 data URLs are, and a"
                            + " file's path, with ./ before it where its name has a colon",
                    e);
        }
    }
}
