package io.github.convzoo.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The web page, also in a real browser if Chromium and its driver are on the path. With {@code
 * -Dconvzoo.screenshots=FOLDER}, pictures of it are written there, to look at.
 */
class PageTest {

    @SuppressWarnings("NullAway.Init")
    private static Served served;

    @BeforeAll
    static void start() throws IOException {
        served = Served.of(Served.OPTIONS, "clothes", "other");
    }

    @AfterAll
    static void stop() {
        served.close();
    }

    @ParameterizedTest
    @EnumSource(StaticFile.class)
    void file_ofThePage_loadsNothingFromElsewhere(StaticFile file) throws IOException {
        HttpResponse<String> response = served.get(file.path);

        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.headers().firstValue("X-Content-Type-Options")).contains("nosniff");
        assertThat(response.headers().firstValue("Content-Security-Policy").orElse(""))
                .startsWith("default-src 'none'; script-src 'self'")
                .doesNotContain("unsafe");
        String withoutNamespaces = response.body().replace("http://www.w3.org/2000/svg", "");
        if (file != StaticFile.OPENAPI) {
            assertThat(withoutNamespaces).doesNotContain("http://", "https://", "//cdn");
        }
        assertThat(response.body()).doesNotContainPattern("<script>|style=|onclick=|<style");
    }

    @Nested
    class InABrowser {

        private static final String TAB = "\uE004";
        private static final String ENTER = "\uE007";

        private static @Nullable Browser started;

        private final Path folder;

        InABrowser(@TempDir Path folder) {
            this.folder = folder;
        }

        @BeforeAll
        static void startBrowser() throws IOException {
            Optional<Path> driver = Browser.driver();
            assumeTrue(
                    driver.isPresent(),
                    "chromium and chromedriver are not on the path; install Debian's chromium and chromium-driver");
            started = new Browser(driver.orElseThrow());
        }

        @AfterAll
        static void stopBrowser() throws IOException {
            if (started != null) {
                started.close();
            }
        }

        @BeforeEach
        void open() throws IOException {
            browser().devTools("Emulation.clearDeviceMetricsOverride", Map.of());
            browser().devTools("Emulation.setEmulatedMedia", Map.of("features", List.of()));
            browser().open(served.uri("/"));
            browser().await("document.querySelectorAll('#card dd').length > 3");
        }

        private static Browser browser() {
            if (started == null) {
                throw new IllegalStateException("no browser");
            }
            return started;
        }

        private void screenshot(String name) throws IOException {
            String where = System.getProperty("convzoo.screenshots");
            if (where != null) {
                browser().screenshot(Path.of(where, name + ".png"));
            }
        }

        @Test
        void page_whenAnImageIsDropped_showsItsClasses_andTheExplanation() throws IOException {
            screenshot("empty");
            assertThat(browser().text("#card")).contains("clothes", "peleenet", "64 × 64", "Apache-2.0", "pytorch");

            browser().drop("#drop", Served.BOOT);
            browser().await("document.querySelector('.classes button')");
            assertThat(browser().text(".result h3")).isEqualTo("ankle-boot.png");
            assertThat(browser().text(".classes")).startsWith("Ankle boot").contains("99.97 %", "Sneaker");
            assertThat(browser().text("#status")).isEqualTo("ankle-boot.png: Ankle boot, 99.97 %");
            assertThat(browser().text(".timing")).matches("\\d+ ms \\(computed in [\\d.]+ ms, waited [\\d.]+ ms\\)");
            assertThat(browser()
                            .run("return document.querySelector('.bar').offsetWidth > "
                                    + "50 * document.querySelectorAll('.bar')[4].offsetWidth")
                            .getAsBoolean())
                    .isTrue();
            screenshot("result");

            browser().run("document.querySelector('.explain').click()");
            browser().await("document.querySelector('.explanation').naturalWidth > 300");
            assertThat(browser()
                            .run("return document.querySelector('.picture').hidden")
                            .getAsBoolean())
                    .isTrue();
            assertThat(browser()
                            .run("return document.querySelector('.explanation').alt")
                            .getAsString())
                    .isEqualTo("ankle-boot.png, with the evidence for Ankle boot");
            assertThat(browser()
                            .run("return document.querySelector('.explain').ariaPressed")
                            .getAsString())
                    .isEqualTo("true");
            screenshot("explanation");

            browser().run("document.querySelectorAll('.classes button')[1].click()");
            browser().await("document.querySelector('.explanation').alt.endsWith('Sneaker')");
            browser().run("document.querySelectorAll('.classes button')[1].click()");
            browser().await("document.querySelector('.explanation').hidden");
            assertThat(browser()
                            .run("return document.querySelector('.picture').hidden")
                            .getAsBoolean())
                    .isFalse();
        }

        @Test
        void page_withAnImageThatCannotBeRead_showsWhy_andTheOthersResult() throws IOException {
            Path notes = Files.writeString(folder.resolve("notes.png"), "not an image");
            browser().drop("body", Served.TROUSER, notes);
            browser().await("document.querySelector('.classes button')");
            browser().await("!document.querySelector('.result:nth-child(1) .error').hidden");

            assertThat(browser().text(".result:nth-child(2) .classes")).startsWith("Trouser");
            assertThat(browser().text(".result:nth-child(1) .error")).startsWith("the request: ");
            assertThat(browser()
                            .run("return document.querySelector('.error').role")
                            .getAsString())
                    .isEqualTo("alert");
            screenshot("error");
        }

        @Test
        void page_usesTheModelThatIsChosen() throws IOException {
            browser()
                    .run("const select = document.getElementById('model'); select.value = 'other';"
                            + "select.dispatchEvent(new Event('change'))");
            assertThat(browser().text("#card")).contains("other");
            browser().choose("#files", Served.BOOT);
            browser().await("document.querySelector('.classes button')");

            assertThat(served.get("/metrics").body()).contains("convzoo_images_total{model=\"other\"");
        }

        @Test
        void page_whenAnImageIsPasted_showsItsClasses() throws IOException {
            browser()
                    .run(
                            """
                    const bytes = Uint8Array.from(atob(arguments[0]), c => c.charCodeAt(0));
                    const transfer = new DataTransfer();
                    transfer.items.add(new File([bytes], 'image.png', {type: 'image/png'}));
                    document.dispatchEvent(new ClipboardEvent('paste', {clipboardData: transfer, bubbles: true}));
                    """,
                            Base64.getEncoder().encodeToString(Files.readAllBytes(Served.BOOT)));
            browser().await("document.querySelector('.classes button')");

            assertThat(browser().text(".classes")).startsWith("Ankle boot");
        }

        @Test
        void page_byKeyboardAlone_reachesEverything() throws IOException {
            browser().choose("#files", Served.BOOT);
            browser().await("document.querySelector('.classes button')");
            browser().run("document.activeElement.blur()");
            StringBuilder reached = new StringBuilder();
            for (int i = 0; i < 9; i++) {
                browser().press(TAB);
                JsonElement name = browser()
                        .run("const e = document.activeElement;" + "return e.id || e.className || e.textContent");
                reached.append(name.getAsString()).append(' ');
            }
            assertThat(reached.toString()).isEqualTo("API model files class class class class class explain ");

            browser().press(ENTER);
            browser().await("document.querySelector('.explanation').naturalWidth > 300");
        }

        @Test
        void page_namesEverythingForScreenReaders() throws IOException {
            browser().choose("#files", Served.BOOT);
            browser().await("document.querySelector('.classes button')");
            JsonElement unnamed = browser()
                    .run(
                            """
                    const unnamed = [];
                    for (const e of document.querySelectorAll('input, select, button, img, section, aside, nav')) {
                      if (e.tagName === 'IMG' ? !e.hasAttribute('alt')
                          : !(e.labels?.length || e.textContent.trim() || e.ariaLabel)) {
                        unnamed.push(e.outerHTML);
                      }
                    }
                    return unnamed;
                    """);
            assertThat(unnamed.getAsJsonArray()).isEmpty();
            assertThat(browser().run("return document.documentElement.lang").getAsString())
                    .isEqualTo("en");
            assertThat(browser()
                            .run("return document.getElementById('status').ariaLive")
                            .getAsString())
                    .isEqualTo("polite");
        }

        @Test
        void page_onASmallScreen_doesNotScrollSideways() throws IOException {
            browser()
                    .devTools(
                            "Emulation.setDeviceMetricsOverride",
                            Map.of("width", 360, "height", 1400, "deviceScaleFactor", 1, "mobile", true));
            browser().drop("#drop", Served.BOOT);
            browser().await("document.querySelector('.classes button')");
            screenshot("360");

            assertThat(browser()
                            .run("return document.documentElement.scrollWidth")
                            .getAsInt())
                    .isEqualTo(360);
        }

        @Test
        void page_inTheDark_isDark_withReadableText() throws IOException {
            browser()
                    .devTools(
                            "Emulation.setEmulatedMedia",
                            Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", "dark"))));
            browser().drop("#drop", Served.BOOT);
            browser().await("document.querySelector('.classes button')");
            screenshot("dark");

            requireContrast();
        }

        @Test
        void page_inTheLight_hasReadableText() throws IOException {
            browser().drop("#drop", Served.BOOT);
            browser().await("document.querySelector('.classes button')");

            requireContrast();
        }

        /** At least 4.5:1, as WCAG 2.2 asks (1.4.3), of all text on its nearest background. */
        private void requireContrast() throws IOException {
            JsonElement poor = browser()
                    .run(
                            """
                    const luminance = color => {
                      const [r, g, b] = color.match(/[\\d.]+/g).slice(0, 3).map(v => v / 255)
                        .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
                      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
                    };
                    const background = e => {
                      for (let at = e; at; at = at.parentElement) {
                        const color = getComputedStyle(at).backgroundColor;
                        if (!color.endsWith(', 0)')) return color;
                      }
                      return 'rgb(255, 255, 255)';
                    };
                    const poor = [];
                    for (const e of document.querySelectorAll('body *')) {
                      if (e.innerText?.trim() && e.offsetParent !== null) {
                        let [a, b] = [luminance(getComputedStyle(e).color), luminance(background(e))];
                        if (a < b) [a, b] = [b, a];
                        const ratio = (a + 0.05) / (b + 0.05);
                        if (ratio < 4.5) poor.push(e.className + ' ' + e.innerText + ' ' + ratio);
                      }
                    }
                    return poor;
                    """);
            assertThat(poor.getAsJsonArray()).isEmpty();
        }

        @Test
        void page_ofTheApi_listsEveryPath() throws IOException {
            browser().open(served.uri("/api"));
            browser().await("document.querySelectorAll('section').length > 20");
            screenshot("api");

            assertThat(browser().text("#paths")).contains("/v2/models/{model}/infer", "/predictions/{model}", "413");
        }

        @Test
        void page_ofAServerWithAKey_asksForIt() throws IOException {
            try (Served guarded = Served.of(Served.withKey("secret"), "clothes")) {
                browser().open(guarded.uri("/"));
                browser().await("!document.getElementById('key-form').hidden");
                assertThat(browser().text("#status")).contains("needs its API key");
                screenshot("key");
                browser()
                        .run("document.getElementById('key').value = 'secret';"
                                + "document.getElementById('key-form').requestSubmit()");
                browser().await("document.querySelectorAll('#card dd').length > 3");
                browser().drop("#drop", Served.BOOT);
                browser().await("document.querySelector('.classes button')");
                assertThat(browser().text(".classes")).startsWith("Ankle boot");
            }
        }
    }

    @Test
    void description_ofTheApi_hasExactlyTheRoutes() throws IOException {
        JsonObject paths = JsonParser.parseString(served.get("/openapi.json").body())
                .getAsJsonObject()
                .getAsJsonObject("paths");
        Set<String> described = new TreeSet<>();
        paths.entrySet().forEach(path -> path.getValue()
                .getAsJsonObject()
                .keySet()
                .forEach(method -> described.add(method.toUpperCase(Locale.ROOT) + " " + path.getKey())));
        Set<String> real = new TreeSet<>();
        Routes routes = new Routes(Map.of(), Served.OPTIONS, new Metrics(), () -> true, "test");
        for (Route route : routes.all()) {
            route.methods().stream()
                    .filter(method -> !method.equals("HEAD"))
                    .forEach(method -> real.add(method + " " + route.template()));
        }
        assertThat(described).isEqualTo(real);
    }

    @Test
    void description_ofTheApi_refersOnlyToWhatItDefines() throws IOException {
        String text = served.get("/openapi.json").body();
        JsonObject schemas = JsonParser.parseString(text)
                .getAsJsonObject()
                .getAsJsonObject("components")
                .getAsJsonObject("schemas");
        assertThat(Pattern.compile("\"#/components/schemas/(\\w+)\"")
                        .matcher(text)
                        .results())
                .isNotEmpty()
                .allMatch(match -> schemas.has(match.group(1)));
        assertThat(text.getBytes(StandardCharsets.UTF_8)).hasSizeLessThan(100_000);
    }
}
