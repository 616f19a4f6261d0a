package io.github.convzoo.zoo;

import ai.djl.modality.cv.Image;
import io.github.convzoo.image.ImageDecoder;
import io.github.convzoo.image.RgbImage;
import java.awt.image.BufferedImage;
import java.io.File;
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
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Reads pixels from one of the types that represent images. */
interface ImageReader<I> {

    /** The start of a URL. */
    Pattern SCHEME = Pattern.compile("[A-Za-z][A-Za-z0-9+.-]+:");

    /** The start of a data URL. */
    Pattern DATA = Pattern.compile("data:[^,]*;base64,", Pattern.CASE_INSENSITIVE);

    /** The supported types of images. */
    List<Class<?>> TYPES = List.of(
            Path.class,
            URL.class,
            InputStream.class,
            String.class,
            byte[].class,
            File.class,
            BufferedImage.class,
            Image.class,
            RgbImage.class);

    RgbImage read(I input) throws IOException;

    /**
     * Returns the reader of a type.
     *
     * @param decoder decodes images; ignored for types that are pixels already
     * @throws IllegalArgumentException if the type is not supported
     */
    @SuppressWarnings("unchecked")
    static <I> ImageReader<I> of(Class<I> type, ImageDecoder decoder) {
        @Nullable ImageReader<?> reader = find(type, decoder);
        if (reader == null) {
            throw new IllegalArgumentException("an image must be one of " + names() + ", not " + type.getTypeName());
        }
        return (ImageReader<I>) reader;
    }

    /** The types, for messages. */
    static String names() {
        return TYPES.stream().map(Class::getTypeName).collect(Collectors.joining(", "));
    }

    private static @Nullable ImageReader<?> find(Class<?> type, ImageDecoder decoder) {
        if (type == Path.class) {
            return (ImageReader<Path>) decoder::decode;
        }
        if (type == URL.class) {
            return (ImageReader<URL>) url -> fetch(decoder, url);
        }
        if (type == InputStream.class) {
            return (ImageReader<InputStream>) in -> decoder.decode(in, "the stream");
        }
        if (type == String.class) {
            return (ImageReader<String>) text -> located(decoder, text);
        }
        if (type == byte[].class) {
            return (ImageReader<byte[]>) bytes -> decoder.decode(bytes, "the bytes");
        }
        if (type == File.class) {
            return (ImageReader<File>) file -> decoder.decode(file.toPath());
        }
        if (type == BufferedImage.class) {
            return (ImageReader<BufferedImage>) RgbImage::of;
        }
        if (type == Image.class) {
            return (ImageReader<Image>) RgbImage::of;
        }
        return type == RgbImage.class ? (ImageReader<RgbImage>) image -> image : null;
    }

    private static RgbImage fetch(ImageDecoder decoder, URL url) throws IOException {
        return RemoteImage.read(decoder, url, address -> true);
    }

    /** Text that starts with a scheme is a URL. A single letter is a drive, not a scheme. */
    private static RgbImage located(ImageDecoder decoder, String text) throws IOException {
        if (SCHEME.matcher(text).lookingAt()) {
            return linked(
                    decoder,
                    text,
                    address -> true,
                    "use an http, https, file, or base64 data URL, or a path, starting with ./ if it contains a colon");
        }
        try {
            return decoder.decode(Path.of(text));
        } catch (InvalidPathException e) {
            throw new IOException("the text is neither a URL nor a path (" + e.getReason() + ")", e);
        }
    }

    /** Reads an image from a URL that a request names, or from the data in it. */
    static RgbImage linked(ImageDecoder decoder, String url, Predicate<InetAddress> allowed) throws IOException {
        return linked(decoder, url, allowed, "use an http, https, or base64 data URL");
    }

    /**
     * Reads an image from a URL, or from the data in it.
     *
     * @param allowed the condition for all addresses of the host
     * @param remedy what to use if this is not a URL, for the message
     */
    private static RgbImage linked(ImageDecoder decoder, String url, Predicate<InetAddress> allowed, String remedy)
            throws IOException {
        Matcher data = DATA.matcher(url);
        try {
            return data.lookingAt()
                    ? decoder.decode(Base64.getMimeDecoder().decode(url.substring(data.end())), "the data URL")
                    : RemoteImage.read(decoder, new URI(url).toURL(), allowed);
        } catch (URISyntaxException | MalformedURLException | IllegalArgumentException e) {
            throw new IOException("not an image URL (" + e.getMessage() + "); " + remedy, e);
        }
    }
}
