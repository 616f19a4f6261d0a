package io.github.convzoo.serve;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** The files of the web page, and the description of the API. */
enum StaticFile {
    PAGE("/", "page.html", "text/html; charset=utf-8"),
    STYLE("/page.css", "page.css", "text/css; charset=utf-8"),
    SCRIPT("/page.js", "page.js", "text/javascript; charset=utf-8"),
    ICON("/icon.svg", "icon.svg", "image/svg+xml"),
    API("/api", "api.html", "text/html; charset=utf-8"),
    API_SCRIPT("/api.js", "api.js", "text/javascript; charset=utf-8"),
    OPENAPI("/openapi.json", "openapi.json", "application/json");

    /** Nothing from elsewhere, nothing inline, in no frame; images also from memory, for previews. */
    private static final String POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:"
            + " data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    final String path;
    private final String type;
    private final String text;

    StaticFile(String path, String resource, String type) {
        this.path = path;
        this.type = type;
        try (InputStream in = StaticFile.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new IllegalStateException("the resource " + resource + " is missing");
            }
            text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Answer answer() {
        return Answer.text(type, text)
                .with("Content-Security-Policy", POLICY)
                .with("X-Frame-Options", "DENY")
                .with("Referrer-Policy", "no-referrer")
                .with("Cross-Origin-Opener-Policy", "same-origin");
    }
}
