package io.github.convzoo.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.inference.Predictor;
import ai.djl.modality.Classifications;
import ai.djl.repository.zoo.ZooModel;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.convzoo.cli.Main;
import io.github.convzoo.hub.FileStore;
import io.github.convzoo.hub.StoreSettings;
import io.github.convzoo.image.ImageDecoder;
import io.github.convzoo.image.RgbImage;
import io.github.convzoo.weights.WeightStore;
import io.github.convzoo.zoo.CompiledRuntime;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.LoadOptions;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModelServerTest {

    private static final List<String> CLASSES = List.of(
            "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot");

    private static final Map<Path, List<String>> PREDICTED = new ConcurrentHashMap<>();

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

    private static JsonObject object(String json) {
        return JsonParser.parseString(json).getAsJsonObject();
    }

    /** Checks the one shape of errors, and returns the message. */
    private static String error(HttpResponse<String> response, int status, String type) {
        assertThat(response.body()).startsWith("{\"error\":");
        assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
        assertThat(response.headers().firstValue("Content-Type")).contains("application/json");
        JsonObject json = object(response.body());
        assertThat(json.keySet()).containsExactly("error", "type");
        assertThat(json.get("type").getAsString()).isEqualTo(type);
        return json.get("error").getAsString();
    }

    private static JsonElement succeeded(HttpResponse<String> response) {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        assertThat(response.headers().firstValue("X-Content-Type-Options")).contains("nosniff");
        return JsonParser.parseString(response.body());
    }

    /** The probabilities of {@code convzoo predict --json}, by the number of the class. */
    private static List<String> predicted(Path image) {
        return PREDICTED.computeIfAbsent(image, ModelServerTest::predict);
    }

    private static List<String> predict(Path image) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int status = Main.run(
                new PrintWriter(out, true),
                new PrintWriter(err, true),
                "predict",
                image.toString(),
                "--model",
                "peleenet.fmnist",
                "--json",
                "--top-k",
                "10");
        assertThat(status).as(err.toString()).isZero();
        String[] byClass = new String[10];
        JsonParser.parseString(out.toString())
                .getAsJsonArray()
                .get(0)
                .getAsJsonObject()
                .getAsJsonArray("predictions")
                .forEach(each ->
                        byClass[each.getAsJsonObject().get("classNumber").getAsInt()] =
                                each.getAsJsonObject().get("probability").getAsString());
        return List.of(byClass);
    }

    /** The probabilities of a list of DJL's, by the number of the class. */
    private static List<String> byClass(JsonArray list) {
        String[] byClass = new String[list.size()];
        for (JsonElement each : list) {
            JsonObject entry = each.getAsJsonObject();
            assertThat(entry.keySet()).containsExactly("className", "probability");
            byClass[CLASSES.indexOf(entry.get("className").getAsString())] =
                    entry.get("probability").getAsString();
        }
        return List.of(byClass);
    }

    private static List<String> strings(JsonArray array) {
        return array.asList().stream().map(JsonElement::getAsString).toList();
    }

    // Predictions

    @Test
    void prediction_ofARawBody_isThatOfPredict_bitForBit() throws IOException {
        JsonArray list = succeeded(served.post("/predictions/clothes?topK=10", Served.BOOT))
                .getAsJsonArray();

        assertThat(list.get(0).getAsJsonObject().get("className").getAsString()).isEqualTo("Ankle boot");
        assertThat(byClass(list)).isEqualTo(predicted(Served.BOOT));
    }

    @Test
    void prediction_withoutTopK_hasTheFiveBestClasses_bestFirst() throws IOException {
        JsonArray list =
                succeeded(served.post("/predictions/clothes", Served.BOOT)).getAsJsonArray();

        assertThat(list).hasSize(5);
        assertThat(list.asList().stream()
                        .map(each -> -each.getAsJsonObject().get("probability").getAsDouble()))
                .isSorted();
    }

    @Test
    void prediction_byPut_isTheSame() throws IOException {
        HttpRequest put = served.request("/predictions/clothes")
                .PUT(HttpRequest.BodyPublishers.ofFile(Served.BOOT))
                .build();

        assertThat(succeeded(served.send(put))).isEqualTo(succeeded(served.post("/predictions/clothes", Served.BOOT)));
    }

    @Test
    void prediction_hasTheTimeInTheQueueAndOfTheComputation() throws IOException {
        assertThat(served.post("/predictions/clothes", Served.BOOT).headers().firstValue("Server-Timing"))
                .hasValueSatisfying(value -> assertThat(value).matches("queue;dur=\\d+\\.\\d, compute;dur=\\d+\\.\\d"));
    }

    @Test
    void prediction_ofAFormWithOneFile_isAListOfClasses() throws IOException {
        Served.FormData form = new Served.FormData()
                .file("data", "boot.png", Files.readAllBytes(Served.BOOT))
                .field("topK", "10");

        assertThat(byClass(
                        succeeded(served.postForm("/predictions/other", form)).getAsJsonArray()))
                .isEqualTo(predicted(Served.BOOT));
    }

    @Test
    void prediction_ofAFormWithSeveralFiles_isAListForEach_inOrder() throws IOException {
        Served.FormData form = new Served.FormData()
                .part(
                        "Content-Disposition: form-data; name=\"x\"\r\nContent-Type: image/png",
                        Files.readAllBytes(Served.TROUSER))
                .file("data", "boot.png", Files.readAllBytes(Served.BOOT));
        JsonArray lists =
                succeeded(served.postForm("/predictions/clothes?topK=10", form)).getAsJsonArray();

        assertThat(lists).hasSize(2);
        assertThat(byClass(lists.get(0).getAsJsonArray())).isEqualTo(predicted(Served.TROUSER));
        assertThat(byClass(lists.get(1).getAsJsonArray())).isEqualTo(predicted(Served.BOOT));
    }

    @Test
    void prediction_ofADataUrl_isThatOfTheImage() throws IOException {
        String base64 = Base64.getEncoder().encodeToString(Files.readAllBytes(Served.BOOT));
        String json = "{\"image_url\": \"data:image/png;base64," + base64 + "\"}";

        assertThat(succeeded(served.post("/predictions/clothes", json)))
                .isEqualTo(succeeded(served.post("/predictions/clothes", Served.BOOT)));
    }

    @Test
    void prediction_ofAUrl_isRefusedUnlessAllowed() throws IOException {
        String json = "{\"image_url\": \"http://images.example/cat.jpg\"}";

        assertThat(error(served.post("/predictions/clothes", json), 403, "forbidden"))
                .contains("--allow-urls");
    }

    @Test
    void prediction_ofAUrlInsideTheNetwork_isRefusedEvenIfUrlsAreAllowed() throws IOException {
        ServerOptions options = Served.with(new ServerOptions.Access(Optional.empty(), Set.of(), true));
        try (Served open = Served.of(options, "clothes")) {
            for (String url : List.of(
                    "http://127.0.0.1:1/a.png",
                    "http://[::1]/a.png",
                    "http://169.254.169.254/latest",
                    "file:///etc/passwd",
                    "jar:file:/x!/y")) {
                String message =
                        error(open.post("/predictions/clothes", "{\"image_url\": \"" + url + "\"}"), 400, "bad_image");
                assertThat(message)
                        .containsAnyOf("internal network address", "must start with http:, https:, or data:");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"data:", "data:image/png,abc", "data:image/png;base64,", "data:image/png;base64,A", "DATA:x"})
    void prediction_ofABadDataUrl_isRefused_withoutAdviceAboutFiles(String url) throws IOException {
        assertThat(error(served.post("/predictions/clothes", "{\"image_url\": \"" + url + "\"}"), 400, "bad_image"))
                .startsWith("the data: URL ")
                .endsWith("; send data:image/png;base64, and then the image file as base64")
                .doesNotContain("./");
        String tensor = "{\"name\":\"images\",\"datatype\":\"BYTES\",\"shape\":[1],\"data\":[\"" + url + "\"]}";
        error(served.post("/v2/models/clothes/infer", infer(tensor, "")), 400, "bad_image");
    }

    @ParameterizedTest
    @ValueSource(strings = {"UTF-16", "UTF-16LE", "UTF-16BE", "ISO-8859-1"})
    void json_thatIsNotUtf8_isRefused_sayingSo(String charset) throws IOException {
        byte[] json = "{\"image_url\": \"\u00fc\"}".getBytes(charset);
        for (String path : List.of("/predictions/clothes", "/v2/models/clothes/infer")) {
            assertThat(error(served.post(path, json, "Content-Type", "application/json"), 400, "bad_request"))
                    .startsWith("the JSON of the request is not UTF-8")
                    .contains("UTF-8");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "image/png, 200",
        "IMAGE/JPEG; q=1, 200",
        "application/octet-stream, 200",
        "application/x-www-form-urlencoded, 200",
        "text/html, 415",
        "application/pdf, 415",
        "multipart/mixed; boundary=cut, 415",
        "nonsense, 415"
    })
    void prediction_byContentType_isMadeOrRefused(String type, int status) throws IOException {
        HttpResponse<String> response =
                served.post("/predictions/clothes", Files.readAllBytes(Served.BOOT), "Content-Type", type);

        assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
        if (status == 415) {
            assertThat(error(response, 415, "unsupported_type")).contains("send an image file");
        }
    }

    @Test
    void prediction_ofACompressedBody_isRefused() throws IOException {
        assertThat(error(
                        served.post("/predictions/clothes", new byte[10], "Content-Encoding", "gzip"),
                        415,
                        "unsupported_type"))
                .contains("compressed (gzip)");
    }

    @Test
    void prediction_ofSomethingElse_isRefused() throws IOException {
        assertThat(error(served.post("/predictions/clothes", new byte[0]), 400, "bad_request"))
                .contains("empty");
        assertThat(error(
                        served.post("/predictions/clothes", "not an image".getBytes(StandardCharsets.UTF_8)),
                        400,
                        "bad_image"))
                .startsWith("the request: ");
        byte[] truncated = java.util.Arrays.copyOf(Files.readAllBytes(Served.BOOT), 150);
        assertThat(error(served.post("/predictions/clothes", truncated), 400, "bad_image"))
                .startsWith("the request: ");
        assertThat(error(served.post("/predictions/clothes", "{\"image_url\": 3}"), 400, "bad_request"))
                .contains("image_url");
        assertThat(error(served.post("/predictions/clothes", "{\"image_url\": "), 400, "bad_request"))
                .contains("ends within its JSON");
        for (String json : List.of(
                "{}",
                "[]",
                "3",
                "{\"image_url\": \"data:,\", \"more\": 1}",
                "{\"image_url\": \"data:,\", \"image_url\": \"data:,\"}",
                "{\"url\": \"data:,\"}")) {
            assertThat(error(served.post("/predictions/clothes", json), 400, "bad_request"))
                    .contains("must be {\"image_url\"");
        }
        error(served.post("/predictions/clothes", "{\"image_url\": \"data:,\"} more"), 400, "bad_request");
        assertThat(error(served.post("/predictions/clothes", "{'image_url': 'x'}"), 400, "bad_request"))
                .contains("not JSON");
    }

    @Test
    void form_withABadImage_namesIt() throws IOException {
        Served.FormData form = new Served.FormData()
                .file("data", "boot.png", Files.readAllBytes(Served.BOOT))
                .file("data", "notes.txt", "some text".getBytes(StandardCharsets.UTF_8));

        assertThat(error(served.postForm("/predictions/clothes", form), 400, "bad_image"))
                .startsWith("notes.txt: ");
    }

    @Test
    void form_withUnknownOrDoubledFieldsOrNoFile_isRefused() throws IOException {
        byte[] boot = Files.readAllBytes(Served.BOOT);
        assertThat(error(
                        served.postForm(
                                "/predictions/clothes",
                                new Served.FormData().file("data", "a", boot).field("topk", "3")),
                        400,
                        "bad_request"))
                .contains("topk", "topK");
        assertThat(error(
                        served.postForm(
                                "/predictions/clothes",
                                new Served.FormData()
                                        .file("data", "a", boot)
                                        .field("topK", "3")
                                        .field("topK", "4")),
                        400,
                        "bad_request"))
                .contains("twice");
        assertThat(error(
                        served.postForm(
                                "/predictions/clothes?topK=3",
                                new Served.FormData().file("data", "a", boot).field("topK", "3")),
                        400,
                        "bad_request"))
                .contains("give it once");
        assertThat(error(
                        served.postForm("/predictions/clothes", new Served.FormData().field("topK", "3")),
                        400,
                        "bad_request"))
                .contains("no file");
    }

    @Test
    void form_thatIsCutOffOrHasNoBoundary_isRefused() throws IOException {
        byte[] form = new Served.FormData().file("data", "a", new byte[100]).end();

        assertThat(error(
                        served.post(
                                "/predictions/clothes",
                                java.util.Arrays.copyOf(form, 90),
                                "Content-Type",
                                "multipart/form-data; boundary=cut"),
                        400,
                        "bad_request"))
                .contains("form cannot be read");
        assertThat(error(
                        served.post("/predictions/clothes", form, "Content-Type", "multipart/form-data"),
                        400,
                        "bad_request"))
                .contains("boundary");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "topK=0",
                "topK=11",
                "topK=-1",
                "topK=ten",
                "topK=",
                "topK=1&topK=2",
                "topk=1",
                "topK=99999999999"
            })
    void query_thatIsWrong_isRefused(String query) throws IOException {
        error(served.post("/predictions/clothes?" + query, Served.BOOT), 400, "bad_request");
    }

    // Explanations

    @Test
    void explanation_isAPicture_orTheMapAsJson() throws IOException {
        HttpRequest.Builder request =
                served.request("/explanations/clothes").POST(HttpRequest.BodyPublishers.ofFile(Served.BOOT));
        HttpResponse<byte[]> picture = served.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
        JsonObject map = succeeded(
                        served.send(request.header("Accept", "application/json").build()))
                .getAsJsonObject();

        assertThat(picture.headers().firstValue("Content-Type")).contains("image/png");
        RgbImage decoded = new ImageDecoder().decode(picture.body(), "the picture");
        assertThat(decoded.width()).isEqualTo(decoded.height()).isBetween(320, 1024);
        assertThat(map.get("className").getAsString()).isEqualTo("Ankle boot");
        assertThat(map.get("classNumber").getAsInt()).isEqualTo(9);
        assertThat(map.get("predicted").getAsBoolean()).isTrue();
        assertThat(map.get("imageWidth").getAsInt()).isEqualTo(28);
        assertThat(map.getAsJsonArray("area")).hasSize(4);
        assertThat(map.getAsJsonArray("map"))
                .isNotEmpty()
                .allMatch(row ->
                        row.getAsJsonArray().size() == map.getAsJsonArray("map").size());
    }

    @ParameterizedTest
    @ValueSource(strings = {"?class=7", "?class=Sneaker", "?class=sneaker"})
    void explanation_ofAClass_isThatClasss(String query) throws IOException {
        HttpRequest request = served.request("/explanations/clothes" + query)
                .header("Accept", "application/json, image/png")
                .POST(HttpRequest.BodyPublishers.ofFile(Served.BOOT))
                .build();
        JsonObject map = succeeded(served.send(request)).getAsJsonObject();

        assertThat(map.get("className").getAsString()).isEqualTo("Sneaker");
        assertThat(map.get("predicted").getAsBoolean()).isFalse();
    }

    @Test
    void explanation_thatCannotBe_isRefused() throws IOException {
        byte[] boot = Files.readAllBytes(Served.BOOT);
        error(served.post("/explanations/clothes?class=shoe", boot), 400, "bad_request");
        error(served.post("/explanations/clothes?class=10", boot), 400, "bad_request");
        error(served.post("/explanations/clothes?topK=1", boot), 400, "bad_request");
        error(served.post("/explanations/clothes", boot, "Accept", "text/html"), 406, "not_acceptable");
        Served.FormData two = new Served.FormData().file("a", "a", boot).file("b", "b", boot);
        error(served.postForm("/explanations/clothes", two), 400, "bad_request");
        Served.FormData twice = new Served.FormData().file("a", "a", boot).field("class", "1");
        assertThat(error(served.postForm("/explanations/clothes?class=1", twice), 400, "bad_request"))
                .contains("give it once");
    }

    // The Open Inference Protocol

    @Test
    void metadata_ofTheServer_namesItsExtensions() throws IOException {
        JsonObject json = succeeded(served.get("/v2")).getAsJsonObject();

        assertThat(json.get("name").getAsString()).isEqualTo("convzoo");
        assertThat(strings(json.getAsJsonArray("extensions"))).containsExactly("classification", "binary_tensor_data");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v2/models/clothes", "/v2/models/clothes/versions/1"})
    void metadata_ofAModel_namesItsTensors(String path) throws IOException {
        JsonObject json = succeeded(served.get(path)).getAsJsonObject();

        assertThat(json.get("name").getAsString()).isEqualTo("clothes");
        assertThat(strings(json.getAsJsonArray("versions"))).containsExactly("1");
        assertThat(json.getAsJsonArray("inputs").get(2))
                .hasToString("{\"name\":\"input\",\"datatype\":\"FP32\",\"shape\":[-1,3,64,64]}");
        assertThat(json.getAsJsonArray("outputs").get(0))
                .hasToString("{\"name\":\"probabilities\",\"datatype\":\"FP32\",\"shape\":[-1,10]}");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/v2/health/live",
                "/v2/health/ready",
                "/v2/models/clothes/ready",
                "/v2/models/clothes/versions/1/ready",
                "/ping"
            })
    void health_ofARunningServer_isGood(String path) throws IOException {
        succeeded(served.get(path));
    }

    private static String infer(String tensor, String rest) {
        return "{\"id\": \"seven\", \"inputs\": [" + tensor + "]" + rest + "}";
    }

    private static JsonObject output(JsonObject response, int index) {
        return response.getAsJsonArray("outputs").get(index).getAsJsonObject();
    }

    @Test
    void inference_ofEncodedImages_isThatOfPredict_bitForBit() throws IOException {
        String boot = Base64.getEncoder().encodeToString(Files.readAllBytes(Served.BOOT));
        String trouser = Base64.getEncoder().encodeToString(Files.readAllBytes(Served.TROUSER));
        JsonObject response = succeeded(served.post(
                        "/v2/models/clothes/infer",
                        infer(
                                "{\"name\":\"images\",\"datatype\":\"BYTES\",\"shape\":[2],\"data\":[\"" + boot
                                        + "\",\"" + trouser + "\"]}",
                                "")))
                .getAsJsonObject();

        assertThat(response.get("id").getAsString()).isEqualTo("seven");
        assertThat(response.get("model_name").getAsString()).isEqualTo("clothes");
        assertThat(response.get("model_version").getAsString()).isEqualTo("1");
        JsonObject probabilities = output(response, 0);
        assertThat(probabilities.get("name").getAsString()).isEqualTo("probabilities");
        assertThat(probabilities.get("datatype").getAsString()).isEqualTo("FP32");
        assertThat(strings(probabilities.getAsJsonArray("shape"))).containsExactly("2", "10");
        List<String> expected = new ArrayList<>(predicted(Served.BOOT));
        expected.addAll(predicted(Served.TROUSER));
        assertThat(strings(probabilities.getAsJsonArray("data"))).isEqualTo(expected);
        assertThat(output(response, 1))
                .hasToString("{\"name\":\"class\",\"datatype\":\"INT64\",\"shape\":[2],\"data\":[9,1]}");
        assertThat(output(response, 2))
                .hasToString(
                        "{\"name\":\"label\",\"datatype\":\"BYTES\",\"shape\":[2],\"data\":[\"Ankle boot\",\"Trouser\"]}");
    }

    private static byte[] concat(byte[]... parts) {
        ByteBuffer all = ByteBuffer.allocate(
                List.of(parts).stream().mapToInt(part -> part.length).sum());
        List.of(parts).forEach(all::put);
        return all.array();
    }

    private static byte[] withLength(byte[] bytes) {
        return concat(
                ByteBuffer.allocate(4)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putInt(bytes.length)
                        .array(),
                bytes);
    }

    private HttpResponse<byte[]> inferBinary(String json, byte[] data) throws IOException {
        byte[] header = json.getBytes(StandardCharsets.UTF_8);
        return served.send(
                served.request("/v2/models/clothes/infer")
                        .header("Inference-Header-Content-Length", Integer.toString(header.length))
                        .header("Content-Type", "application/octet-stream")
                        .POST(HttpRequest.BodyPublishers.ofByteArray(concat(header, data)))
                        .build(),
                HttpResponse.BodyHandlers.ofByteArray());
    }

    @Test
    void inference_ofBinaryImages_withBinaryOutputs_isThatOfPredict_bitForBit() throws IOException {
        byte[] images =
                concat(withLength(Files.readAllBytes(Served.TROUSER)), withLength(Files.readAllBytes(Served.BOOT)));
        HttpResponse<byte[]> response = inferBinary(
                infer(
                        "{\"name\":\"images\",\"datatype\":\"BYTES\",\"shape\":[2],\"parameters\":{\"binary_data_size\":"
                                + images.length + "}}",
                        ", \"outputs\": [{\"name\":\"label\"},"
                                + "{\"name\":\"probabilities\",\"parameters\":{\"binary_data\":true}},"
                                + "{\"name\":\"class\",\"parameters\":{\"binary_data\":true}}]"),
                images);

        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.headers().firstValue("Content-Type")).contains("application/octet-stream");
        int length = Integer.parseInt(
                response.headers().firstValue("Inference-Header-Content-Length").orElseThrow());
        JsonObject json = object(new String(response.body(), 0, length, StandardCharsets.UTF_8));
        assertThat(strings(output(json, 0).getAsJsonArray("data"))).containsExactly("Trouser", "Ankle boot");
        assertThat(output(json, 1).get("parameters")).hasToString("{\"binary_data_size\":80}");
        assertThat(output(json, 1).has("data")).isFalse();
        ByteBuffer data = ByteBuffer.wrap(response.body(), length, response.body().length - length)
                .order(ByteOrder.LITTLE_ENDIAN);
        List<String> expected = new ArrayList<>(predicted(Served.TROUSER));
        expected.addAll(predicted(Served.BOOT));
        for (String each : expected) {
            assertThat((double) data.getFloat()).isEqualTo(Double.parseDouble(each));
        }
        assertThat(data.getLong()).isEqualTo(1);
        assertThat(data.getLong()).isEqualTo(9);
        assertThat(data.hasRemaining()).isFalse();
    }

    @Test
    void inference_withBinaryOutputsByDefault_sendsTextWithLengths() throws IOException {
        byte[] image = withLength(Files.readAllBytes(Served.BOOT));
        HttpResponse<byte[]> response = inferBinary(
                infer(
                        "{\"name\":\"images\",\"datatype\":\"BYTES\",\"shape\":[1,1],\"parameters\":{\"binary_data_size\":"
                                + image.length + "}}",
                        ", \"parameters\":{\"binary_data_output\":true}, \"outputs\": [{\"name\":\"label\"}]"),
                image);

        int length = Integer.parseInt(
                response.headers().firstValue("Inference-Header-Content-Length").orElseThrow());
        ByteBuffer data = ByteBuffer.wrap(response.body(), length, response.body().length - length)
                .order(ByteOrder.LITTLE_ENDIAN);
        assertThat(data.getInt()).isEqualTo(10);
        assertThat(StandardCharsets.UTF_8.decode(data).toString()).isEqualTo("Ankle boot");
    }

    private static String pixels() throws IOException {
        RgbImage image = new ImageDecoder().decode(Served.BOOT);
        StringBuilder data = new StringBuilder();
        for (byte each : image.toBytes()) {
            data.append(data.isEmpty() ? "" : ",").append(each & 0xff);
        }
        return data.toString();
    }

    @Test
    void inference_ofPixels_isThatOfPredict_bitForBit() throws IOException {
        JsonObject json = succeeded(served.post(
                        "/v2/models/clothes/infer",
                        infer(
                                "{\"data\":[[" + pixels()
                                        + "]],\"shape\":[1,28,28,3],\"datatype\":\"UINT8\",\"name\":\"pixels\"}",
                                "")))
                .getAsJsonObject();
        byte[] bytes = new ImageDecoder().decode(Served.BOOT).toBytes();
        HttpResponse<byte[]> binary = inferBinary(
                infer(
                        "{\"name\":\"pixels\",\"datatype\":\"UINT8\",\"shape\":[1,28,28,3],"
                                + "\"parameters\":{\"binary_data_size\":" + bytes.length + "}}",
                        ""),
                bytes);

        assertThat(strings(output(json, 0).getAsJsonArray("data"))).isEqualTo(predicted(Served.BOOT));
        assertThat(strings(output(object(new String(binary.body(), StandardCharsets.UTF_8)), 0)
                        .getAsJsonArray("data")))
                .isEqualTo(predicted(Served.BOOT));
    }

    @Test
    void inference_ofTheNetworksInput_isThatOfPredict_bitForBit() throws IOException {
        float[] values = new float[3 * 64 * 64];
        io.github.convzoo.zoo.ConvZoo.preprocessing("peleenet.fmnist")
                .toChw(new ImageDecoder().decode(Served.BOOT), java.nio.FloatBuffer.wrap(values));
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        StringBuilder text = new StringBuilder();
        for (float each : values) {
            bytes.putFloat(each);
            text.append(text.isEmpty() ? "" : ",").append(each);
        }
        String tensor = "{\"name\":\"input\",\"datatype\":\"FP32\",\"shape\":[1,3,64,64],";
        JsonObject json = succeeded(
                        served.post("/v2/models/clothes/infer", infer(tensor + "\"data\":[" + text + "]}", "")))
                .getAsJsonObject();
        HttpResponse<byte[]> binary = inferBinary(
                infer(tensor + "\"parameters\":{\"binary_data_size\":" + bytes.capacity() + "}}", ""), bytes.array());

        assertThat(strings(output(json, 0).getAsJsonArray("data"))).isEqualTo(predicted(Served.BOOT));
        assertThat(strings(output(object(new String(binary.body(), StandardCharsets.UTF_8)), 0)
                        .getAsJsonArray("data")))
                .isEqualTo(predicted(Served.BOOT));
    }

    @Test
    void inference_withClassification_namesTheBestClasses() throws IOException {
        String boot = Base64.getEncoder().encodeToString(Files.readAllBytes(Served.BOOT));
        JsonObject output = output(
                succeeded(served.post(
                                "/v2/models/clothes/infer",
                                infer(
                                        "{\"name\":\"images\",\"datatype\":\"BYTES\",\"shape\":[1],\"data\":[\"" + boot
                                                + "\"]}",
                                        ", \"outputs\":[{\"name\":\"probabilities\",\"parameters\":"
                                                + "{\"classification\":2}}]")))
                        .getAsJsonObject(),
                0);

        assertThat(output.get("datatype").getAsString()).isEqualTo("BYTES");
        assertThat(strings(output.getAsJsonArray("shape"))).containsExactly("1", "2");
        List<String> texts = strings(output.getAsJsonArray("data"));
        assertThat(texts.get(0)).matches("0\\.99\\d+:9:Ankle boot");
        assertThat(texts.get(1)).endsWith(":7:Sneaker");
    }

    static List<String> badInferences() {
        String image = "\"name\":\"images\",\"datatype\":\"BYTES\",\"shape\":[1]";
        String floats = "\"name\":\"input\",\"datatype\":\"FP32\"";
        String pixels = "\"name\":\"pixels\",\"datatype\":\"UINT8\"";
        return List.of(
                "",
                "[]",
                "{}",
                "{\"inputs\":[]}",
                "{\"inputs\":[{}]}",
                "{\"inputs\":{}}",
                "{\"inputs\":[{" + image + "}]}",
                "{\"inputs\":[{" + image + ",\"data\":[]}]}",
                "{\"inputs\":[{" + image + ",\"data\":\"abcd\"}]}",
                "{\"inputs\":[{" + image + ",\"data\":[\"***\"]}]}",
                "{\"inputs\":[{" + image + ",\"data\":[3]}]}",
                "{\"inputs\":[{" + image + ",\"data\":[\"\", \"\"]}]}",
                "{\"inputs\":[{" + image + ",\"data\":[null]}]}",
                "{\"inputs\":[{" + image + ",\"data\":[{}]}]}",
                "{\"inputs\":[{" + image + ",\"data\":[\"YWJj\", 1]}]}",
                "{\"inputs\":[{" + image + ",\"data\":[\"YWJj\"]}, {" + image + ",\"data\":[\"YWJj\"]}]}",
                "{\"inputs\":[{" + image + ",\"parameters\":{\"binary_data_size\":4}}]}",
                "{\"inputs\":[{" + image + ",\"parameters\":{\"binary_data_size\":-4}}]}",
                "{\"inputs\":[{" + image + ",\"parameters\":{\"size\":4}}]}",
                "{\"inputs\":[{" + image + ",\"data\":[\"YWJj\"],\"more\":1}]}",
                "{\"inputs\":[{" + image + ",\"data\":[\"YWJj\"]}],\"more\":1}",
                "{\"inputs\":[{" + image + ",\"data\":[\"YWJj\"]}],\"inputs\":[{" + image + ",\"data\":[\"YWJj\"]}]}",
                "{\"inputs\":[{" + image + ",\"data\":[\"YWJj\"]}]} more",
                "{\"inputs\":[{" + image + ",\"data\":[\"YWJj\"]}]",
                "{'inputs':[{" + image + ",\"data\":[\"YWJj\"]}]}",
                "{\"inputs\":[{" + floats + ",\"shape\":[1,3,64,64],\"data\":[1]}]}",
                "{\"inputs\":[{" + floats + ",\"shape\":[1,3,1,1],\"data\":[1,2,3]}]}",
                "{\"inputs\":[{" + floats + ",\"shape\":[0,3,64,64],\"data\":[]}]}",
                "{\"inputs\":[{" + floats + ",\"shape\":[-1,3],\"data\":[1]}]}",
                "{\"inputs\":[{" + floats + ",\"shape\":[],\"data\":[1]}]}",
                "{\"inputs\":[{" + floats + ",\"shape\":[9223372036854775807,9],\"data\":[1]}]}",
                "{\"inputs\":[{" + floats + ",\"shape\":[1,1,1,1,1,1,1,1,1,1,1],\"data\":[1]}]}",
                "{\"inputs\":[{" + floats + ",\"shape\":[1.5],\"data\":[1]}]}",
                "{\"inputs\":[{" + floats + ",\"shape\":[1],\"data\":[1e99]}]}",
                "{\"inputs\":[{" + floats + ",\"shape\":[1],\"data\":[NaN]}]}",
                "{\"inputs\":[{" + floats + ",\"shape\":[1],\"data\":[Infinity]}]}",
                "{\"inputs\":[{" + pixels + ",\"shape\":[1,1,1,3],\"data\":[1,2,256]}]}",
                "{\"inputs\":[{" + pixels + ",\"shape\":[1,1,1,3],\"data\":[1,2,-1]}]}",
                "{\"inputs\":[{" + pixels + ",\"shape\":[1,1,1,3],\"data\":[1,2,0.5]}]}",
                "{\"inputs\":[{" + pixels + ",\"shape\":[1,1,3],\"data\":[1,2,3]}]}",
                "{\"inputs\":[{" + pixels + ",\"shape\":[1,0,1,3],\"data\":[]}]}",
                "{\"inputs\":[{" + pixels + ",\"shape\":[1,1,1,3],\"data\":[\"a\",\"b\",\"c\"]}]}",
                "{\"inputs\":[{\"name\":\"pixels\",\"datatype\":\"FP32\",\"shape\":[1,1,1,3],\"data\":[1,2,3]}]}",
                "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[1],\"data\":[1]}]}",
                "{\"inputs\":[{" + image + ",\"data\":[\"YWJj\"]}],\"outputs\":[{\"name\":\"x\"}]}",
                "{\"inputs\":[{" + image + ",\"data\":[\"YWJj\"]}],\"outputs\":[{}]}",
                "{\"inputs\":[{" + image + ",\"data\":[\"YWJj\"]}],\"outputs\":[{\"name\":\"label\",\"data\":1}]}",
                "{\"inputs\":[{" + image + ",\"data\":[\"YWJj\"]}],\"outputs\":[{\"name\":\"label\","
                        + "\"parameters\":{\"classification\":1}}]}",
                "{\"inputs\":[{" + image + ",\"data\":[\"YWJj\"]}],\"outputs\":[{\"name\":\"probabilities\","
                        + "\"parameters\":{\"classification\":11}}]}",
                "{\"inputs\":[{" + image + ",\"data\":[\"YWJj\"]}],\"parameters\":{\"priority\":1}}",
                "[".repeat(1000));
    }

    @ParameterizedTest
    @MethodSource("badInferences")
    void inference_thatIsWrong_isRefused(String json) throws IOException {
        HttpResponse<String> response = served.post("/v2/models/clothes/infer", json);

        assertThat(response.statusCode()).as(response.body()).isEqualTo(400);
        assertThat(object(response.body()).get("error").getAsString())
                .hasSizeGreaterThan(10)
                .doesNotContain("Exception", "java.", "JsonReader");
    }

    @ParameterizedTest
    @CsvSource({"-1", "99999", "x", "5"})
    void inference_withAWrongLengthOfItsJson_isRefused(String length) throws IOException {
        byte[] json = infer("{\"name\":\"images\",\"datatype\":\"BYTES\",\"shape\":[1],\"data\":[\"YWJj\"]}", "")
                .getBytes(StandardCharsets.UTF_8);

        error(
                served.post("/v2/models/clothes/infer", json, "Inference-Header-Content-Length", length),
                400,
                "bad_request");
    }

    @Test
    void inference_ofBinaryDataThatDoNotFit_isRefused() throws IOException {
        String tensor =
                "{\"name\":\"images\",\"datatype\":\"BYTES\",\"shape\":[1],\"parameters\":{\"binary_data_size\":";
        byte[] wrongLength = {9, 0, 0, 0, 1};
        byte[] negative = {-1, -1, -1, -1, 1};
        for (byte[] data : List.of(wrongLength, negative, new byte[3], new byte[8])) {
            HttpResponse<byte[]> response = inferBinary(infer(tensor + data.length + "}}", ""), data);
            assertThat(response.statusCode()).isEqualTo(400);
        }
        HttpResponse<byte[]> more = inferBinary(infer(tensor + "4}}", ""), new byte[5]);
        assertThat(new String(more.body(), StandardCharsets.UTF_8))
                .contains("1 bytes behind the JSON belong to no input");
    }

    @Test
    void inference_ofNotANumber_isRefused() throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(4 * 3 * 64 * 64).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putFloat(4 * 1000, Float.NaN);
        String tensor =
                "{\"name\":\"input\",\"datatype\":\"FP32\",\"shape\":[1,3,64,64],\"parameters\":{\"binary_data_size\":";
        HttpResponse<byte[]> response = inferBinary(infer(tensor + bytes.capacity() + "}}", ""), bytes.array());
        assertThat(new String(response.body(), StandardCharsets.UTF_8)).contains("contains NaN");

        for (int i = 0; i < bytes.capacity(); i += 4) {
            bytes.putFloat(i, Float.MAX_VALUE);
        }
        response = inferBinary(infer(tensor + bytes.capacity() + "}}", ""), bytes.array());
        assertThat(new String(response.body(), StandardCharsets.UTF_8)).contains("output for this input is NaN");
        assertThat(response.statusCode()).isEqualTo(400);
    }

    @Test
    void inference_thatNamesSomethingTwice_isRefused_namingIt() throws IOException {
        String pixels = "{\"name\":\"pixels\",\"datatype\":\"UINT8\",\"shape\":[1,1,1,3],\"data\":[1,2,3]}";
        String class2 = ",\"outputs\":[{\"name\":\"class\"},{\"name\":\"label\"},{\"name\":\"class\"}]";

        assertThat(error(served.post("/v2/models/clothes/infer", infer(pixels, class2)), 400, "bad_request"))
                .isEqualTo("the output class comes twice; give it once");
        assertThat(error(served.post("/v2/models/clothes/infer", infer(pixels + "," + pixels, "")), 400, "bad_request"))
                .isEqualTo("the input pixels comes twice; give it once");
        String other = pixels.replace("\"pixels\"", "\"images\"");
        assertThat(error(served.post("/v2/models/clothes/infer", infer(pixels + "," + other, "")), 400, "bad_request"))
                .contains("exactly one input");
    }

    @Test
    void id_beyondTheLimit_isRefused_atTheLimitRepeated() throws IOException {
        String pixels =
                "\"inputs\":[{\"name\":\"pixels\",\"datatype\":\"UINT8\",\"shape\":[1,1,1,3],\"data\":[1,2,3]}]}";
        String longest = "x".repeat(1024);

        assertThat(succeeded(served.post("/v2/models/clothes/infer", "{\"id\":\"" + longest + "\"," + pixels))
                        .getAsJsonObject()
                        .get("id")
                        .getAsString())
                .isEqualTo(longest);
        assertThat(error(
                        served.post("/v2/models/clothes/infer", "{\"id\":\"" + longest + "x\"," + pixels),
                        400,
                        "bad_request"))
                .contains("has 1025 characters", "at most 1024");
    }

    /** An empty string or file takes many times its bytes in memory. */
    @Test
    void inference_ofMoreElementsThanImages_isRefusedBeforeTheyAreRead() throws IOException {
        String images = "{\"name\":\"images\",\"datatype\":\"BYTES\",\"shape\":[1],";
        String texts = images + "\"data\":[" + "\"\",".repeat(64) + "\"\"]}";
        byte[] files = new byte[4 * 65];

        assertThat(error(served.post("/v2/models/clothes/infer", infer(texts, "")), 413, "too_large"))
                .contains("64 images");
        HttpResponse<byte[]> response =
                inferBinary(infer(images + "\"parameters\":{\"binary_data_size\":" + files.length + "}}", ""), files);
        assertThat(response.statusCode()).isEqualTo(413);
        // One less has the wrong number of elements, and is read that far.
        assertThat(error(
                        served.post("/v2/models/clothes/infer", infer(texts.replaceFirst("\"\",", ""), "")),
                        400,
                        "bad_request"))
                .contains("64 elements");
    }

    // Everything else

    @Test
    void concurrentRequests_ofAllKinds_haveTheAnswersOfPredict() throws Exception {
        List<String> boot = predicted(Served.BOOT);
        List<String> trouser = predicted(Served.TROUSER);
        ExecutorService clients = Executors.newFixedThreadPool(64);
        List<Future<Boolean>> answers = new ArrayList<>();
        Random random = new Random(5);
        for (int i = 0; i < 128; i++) {
            boolean isBoot = random.nextBoolean();
            Path file = isBoot ? Served.BOOT : Served.TROUSER;
            List<String> expected = isBoot ? boot : trouser;
            String model = random.nextBoolean() ? "clothes" : "other";
            Callable<Boolean> call =
                    switch (random.nextInt(3)) {
                        case 0 ->
                            () -> byClass(succeeded(served.post("/predictions/" + model + "?topK=10", file))
                                            .getAsJsonArray())
                                    .equals(expected);
                        case 1 ->
                            () -> byClass(succeeded(served.postForm(
                                                    "/predictions/" + model,
                                                    new Served.FormData()
                                                            .field("topK", "10")
                                                            .file("a", "b", Files.readAllBytes(file))))
                                            .getAsJsonArray())
                                    .equals(expected);
                        default ->
                            () -> strings(output(
                                                    succeeded(served.post(
                                                                    "/v2/models/" + model + "/infer",
                                                                    infer(
                                                                            "{\"name\":\"images\",\"datatype\":\"BYTES\","
                                                                                    + "\"shape\":[1],\"data\":[\""
                                                                                    + Base64.getEncoder()
                                                                                            .encodeToString(
                                                                                                    Files.readAllBytes(
                                                                                                            file))
                                                                                    + "\"]}",
                                                                            "")))
                                                            .getAsJsonObject(),
                                                    0)
                                            .getAsJsonArray("data"))
                                    .equals(expected);
                    };
            answers.add(clients.submit(call));
        }
        for (Future<Boolean> answer : answers) {
            assertThat(answer.get()).isTrue();
        }
        clients.shutdown();
    }

    /** Requests share batches here; ONNX Runtime gives an image the same bits in any of them. */
    @Test
    void concurrentRequests_toACompiledModel_haveTheAnswersOfOneAlone(@TempDir Path folder) throws Exception {
        LoadOptions compiled = LoadOptions.published()
                .withStore(new WeightStore(new FileStore(StoreSettings.fromEnvironment(
                        name -> name.equals("DJL_CACHE_DIR") ? folder.toString() : null))))
                .compiled(CompiledRuntime.ONNX);
        List<Offer> offers = List.of(Served.offer("compiled", "peleenet.fmnist", compiled));
        ServerOptions together = Served.with(Served.batching(8, Duration.ofMillis(200), 64, Duration.ofSeconds(30)));
        try (Served server = Served.of(together, offers);
                ZooModel<Path, Classifications> model = ConvZoo.load("peleenet.fmnist", Path.class, compiled);
                Predictor<Path, Classifications> predictor = model.newPredictor()) {
            Map<Path, List<String>> expected = new HashMap<>();
            for (Path file : List.of(Served.BOOT, Served.TROUSER)) {
                expected.put(
                        file,
                        predictor.predict(file).getProbabilities().stream()
                                .map(String::valueOf)
                                .toList());
            }
            ExecutorService clients = Executors.newFixedThreadPool(16);
            List<Future<Boolean>> answers = new ArrayList<>();
            for (int i = 0; i < 32; i++) {
                Path file = i % 3 == 0 ? Served.TROUSER : Served.BOOT;
                answers.add(clients.submit(() -> byClass(succeeded(server.post("/predictions/compiled?topK=10", file))
                                .getAsJsonArray())
                        .equals(expected.get(file))));
            }
            for (Future<Boolean> answer : answers) {
                assertThat(answer.get()).isTrue();
            }
            clients.shutdown();
            assertThat(succeeded(server.get("/models/compiled"))
                            .getAsJsonObject()
                            .get("runtime")
                            .getAsString())
                    .isEqualTo("onnxruntime");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "GET, /nothing, 404, not_found",
        "GET, /v2/models/none, 404, unknown_model",
        "POST, /predictions/none, 404, unknown_model",
        "GET, /v2/models/clothes/versions/2, 404, unknown_model",
        "POST, /v2/models/clothes/versions/2/infer, 404, unknown_model",
        "GET, /v2/models/clothes/, 404, not_found",
        "GET, /predictions/clothes, 405, method_not_allowed",
        "DELETE, /v2, 405, method_not_allowed",
        "BREW, /, 405, method_not_allowed",
        "GET, /ping?x=1, 400, bad_request"
    })
    void request_forWhatIsNotThere_isRefused(String method, String path, int status, String type) throws IOException {
        HttpRequest request = served.request(path)
                .method(method, HttpRequest.BodyPublishers.ofByteArray(new byte[1]))
                .build();

        error(served.send(request), status, type);
    }

    @Test
    void method_thatIsNotAllowed_isAnsweredWithTheOthers() throws IOException {
        assertThat(served.get("/predictions/clothes").headers().firstValue("Allow"))
                .contains("POST, PUT");
    }

    @Test
    void head_isGetWithoutABody() throws IOException {
        HttpRequest request = served.request("/v2")
                .method("HEAD", HttpRequest.BodyPublishers.noBody())
                .build();
        HttpResponse<String> response = served.send(request);

        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.body()).isEmpty();
        assertThat(response.headers().firstValue("Content-Length"))
                .contains(Integer.toString(served.get("/v2").body().length()));
    }

    @Test
    void cards_ofModels_sayWhatTheyAre() throws IOException {
        JsonArray cards = succeeded(served.get("/models")).getAsJsonArray();
        JsonObject card = succeeded(served.get("/models/other")).getAsJsonObject();

        assertThat(cards).hasSize(2);
        assertThat(cards.get(1)).isEqualTo(card);
        assertThat(card.get("network").getAsString()).isEqualTo("peleenet");
        assertThat(card.get("license").getAsString()).isEqualTo("Apache-2.0");
        assertThat(card.get("classes").getAsInt()).isEqualTo(10);
        assertThat(card.get("batchSize").getAsInt()).isEqualTo(1);
    }

    /** The value of a metric, which must be there. */
    private static double metric(Served served, String name) throws IOException {
        String metrics = served.get("/metrics").body();
        Matcher line = Pattern.compile("(?m)^" + Pattern.quote(name) + " (.*)").matcher(metrics);
        assertThat(line.find()).as(metrics).isTrue();
        return Double.parseDouble(line.group(1));
    }

    @Test
    void metrics_countRequestsAndImages() throws IOException {
        try (Served fresh = Served.of(Served.OPTIONS, "clothes")) {
            assertThat(fresh.post("/predictions/clothes", Served.BOOT).statusCode())
                    .isEqualTo(200);
            assertThat(fresh.post("/predictions/clothes", new byte[2]).statusCode())
                    .isEqualTo(400);
            assertThat(fresh.get("/x/y").statusCode()).isEqualTo(404);
            HttpResponse<String> metrics = fresh.get("/metrics");

            assertThat(metrics.headers().firstValue("Content-Type").orElse("")).startsWith("text/plain");
            assertThat(metrics.body())
                    .contains(
                            "convzoo_requests_total{method=\"POST\",route=\"/predictions/{model}\",status=\"200\"} 1.0",
                            "convzoo_requests_total{method=\"POST\",route=\"/predictions/{model}\",status=\"400\"} 1.0",
                            "convzoo_requests_total{method=\"GET\",route=\"none\",status=\"404\"} 1.0",
                            "convzoo_images_total{model=\"clothes\",work=\"prediction\"} 1.0",
                            "convzoo_batch_images_count{model=\"clothes\",work=\"prediction\"} 1",
                            "convzoo_queue_images{model=\"clothes\"} 0.0");
            HttpRequest open = fresh.request("/metrics")
                    .header("Accept", "application/openmetrics-text; version=1.0.0")
                    .build();
            assertThat(fresh.send(open).body()).endsWith("# EOF\n");
        }
    }

    @Test
    void page_ofAnotherSite_cannotUseTheServer() throws IOException {
        byte[] boot = Files.readAllBytes(Served.BOOT);
        error(served.post("/predictions/clothes", boot, "Origin", "http://evil.example"), 403, "forbidden");
        String rebound = served.raw("GET /v2 HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");

        assertThat(rebound).startsWith("HTTP/1.1 421 ").contains("\"type\":\"wrong_host\"");
        assertThat(served.get("/v2").headers().map().keySet()).noneMatch(name -> name.startsWith("access-control"));
    }

    @Test
    void serverWithAKey_asksForIt_butNotForHealthAndThePage() throws IOException {
        try (Served guarded = Served.of(Served.withKey("secret"), "clothes")) {
            for (String path : List.of("/v2", "/v2/models/clothes", "/models", "/metrics")) {
                HttpResponse<String> refused = guarded.get(path);
                assertThat(error(refused, 401, "unauthorized")).contains("X-Api-Key");
                assertThat(refused.headers().firstValue("WWW-Authenticate")).contains("Bearer");
                assertThat(guarded.send(guarded.request(path)
                                        .header("Authorization", "Bearer secret")
                                        .build())
                                .statusCode())
                        .isEqualTo(200);
            }
            error(guarded.post("/predictions/clothes", Served.BOOT), 401, "unauthorized");
            error(
                    guarded.post("/predictions/clothes", Files.readAllBytes(Served.BOOT), "X-Api-Key", "wrong"),
                    401,
                    "unauthorized");
            succeeded(guarded.post("/predictions/clothes", Files.readAllBytes(Served.BOOT), "X-Api-Key", "secret"));
            for (String path : List.of("/", "/ping", "/v2/health/live", "/v2/health/ready", "/openapi.json")) {
                assertThat(guarded.get(path).statusCode()).isEqualTo(200);
            }
        }
    }

    @Test
    void serverWithAKey_withoutTheKey_doesNotShowItsRoutes() throws IOException {
        try (Served guarded = Served.of(Served.withKey("secret"), "clothes")) {
            for (String path : List.of("/nothing", "/predictions/clothes", "/models/none", "/predictions/none/x")) {
                error(guarded.get(path), 401, "unauthorized");
            }
            HttpRequest delete = guarded.request("/ping").DELETE().build();
            error(guarded.send(delete), 405, "method_not_allowed");
            HttpRequest known =
                    guarded.request("/nothing").header("X-Api-Key", "secret").build();
            error(guarded.send(known), 404, "not_found");
        }
    }

    /** Sooner than by Jetty's idle timeout of 30 seconds. */
    @ParameterizedTest
    @Timeout(20)
    @ValueSource(strings = {"localhost:80", "localhost", "/"})
    void connect_isRefused_andTheConnectionClosed(String target) throws IOException {
        try (Socket socket = served.connect()) {
            socket.getOutputStream()
                    .write(("CONNECT " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            assertThat(Served.read(socket.getInputStream())).matches("(?s)HTTP/1\\.1 4.*\"type\":\"[a-z_]+\"}");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n", "GET /\r\n\r\n", "GET / HTTP/0.9\r\n\r\n"})
    void request_ofAnotherVersionOfHttp_isTheClientsMistake(String request) throws IOException {
        assertThat(served.raw(request)).startsWith("HTTP/1.1 505 ").contains("\"type\":\"bad_request\"");
    }

    @Test
    void bodies_beyondTheLimit_areRefused_atTheLimitAccepted() throws IOException {
        byte[] boot = Files.readAllBytes(Served.BOOT);
        ServerOptions.RequestLimits limits = Served.limits(boot.length, 2, 1 << 20, Duration.ofSeconds(30));
        try (Served small = Served.of(Served.with(limits), "clothes")) {
            succeeded(small.post("/predictions/clothes", boot));
            byte[] more = java.util.Arrays.copyOf(boot, boot.length + 1);
            assertThat(error(small.post("/predictions/clothes", more), 413, "too_large"))
                    .contains(boot.length + " bytes");
            // Without a Content-Length, it shows only while the body is read.
            HttpRequest chunked = small.request("/predictions/clothes")
                    .POST(HttpRequest.BodyPublishers.ofInputStream(() -> new java.io.ByteArrayInputStream(more)))
                    .build();
            error(small.send(chunked), 413, "too_large");
        }
    }

    @Test
    void images_beyondTheLimit_areRefused_atTheLimitAccepted() throws IOException {
        byte[] boot = Files.readAllBytes(Served.BOOT);
        ServerOptions.RequestLimits limits = Served.limits(1 << 20, 2, 1 << 20, Duration.ofSeconds(30));
        try (Served small = Served.of(Served.with(limits), "clothes")) {
            Served.FormData two = new Served.FormData().file("a", "a", boot).file("b", "b", boot);
            assertThat(succeeded(small.postForm("/predictions/clothes", two)).getAsJsonArray())
                    .hasSize(2);
            Served.FormData three = new Served.FormData()
                    .file("a", "a", boot)
                    .file("b", "b", boot)
                    .file("c", "c", boot);
            assertThat(error(small.postForm("/predictions/clothes", three), 413, "too_large"))
                    .contains("2 images");
            Served.FormData many = new Served.FormData();
            for (int i = 0; i < 9; i++) {
                many.file("a", "a", boot);
            }
            assertThat(error(small.postForm("/predictions/clothes", many), 413, "too_large"))
                    .contains("2 images");
            String image = "\"" + Base64.getEncoder().encodeToString(boot) + "\"";
            assertThat(error(
                            small.post(
                                    "/v2/models/clothes/infer",
                                    infer(
                                            "{\"name\":\"images\",\"datatype\":\"BYTES\",\"shape\":[3],\"data\":["
                                                    + image + "," + image + "," + image + "]}",
                                            "")),
                            413,
                            "too_large"))
                    .contains("2 images");
        }
    }

    @Test
    void bodies_thatTogetherTakeTooMuchMemory_areRefused_andGivenBack() throws IOException {
        // The rest is for the answers with metrics.
        ServerOptions.RequestLimits limits = Served.limits(100_000, 2, 250_000, Duration.ofSeconds(30));
        byte[] body = new byte[60_000];
        byte[] almost = ("POST /predictions/clothes HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n"
                        + "x".repeat(99_999))
                .getBytes(StandardCharsets.US_ASCII);
        try (Served small = Served.of(Served.with(limits), "clothes");
                Socket slow = small.connect();
                Socket other = small.connect()) {
            slow.getOutputStream().write(almost);
            other.getOutputStream().write(almost);
            while (metric(small, "convzoo_request_memory_bytes") < 2 * 99_999) {
                Thread.onSpinWait();
            }
            assertThat(error(small.post("/predictions/clothes", body), 503, "queue_full"))
                    .contains("memory");
            for (Socket socket : List.of(slow, other)) {
                socket.getOutputStream().write('x');
                socket.shutdownOutput();
                Served.read(socket.getInputStream());
            }
            error(small.post("/predictions/clothes", body), 400, "bad_image");
        }
    }

    @Test
    void client_thatIsTooSlow_isAnsweredAndDisconnected_whileOthersAreServed() throws IOException {
        ServerOptions.RequestLimits limits = Served.limits(1 << 20, 2, 1 << 20, Duration.ofMillis(300));
        try (Served small = Served.of(Served.with(limits), "clothes")) {
            List<Socket> slow = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                Socket socket = new Socket(
                        InetAddress.getLoopbackAddress(),
                        small.server().address().getPort());
                socket.getOutputStream()
                        .write("POST /predictions/clothes HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nx"
                                .getBytes(StandardCharsets.US_ASCII));
                slow.add(socket);
            }
            succeeded(small.post("/predictions/clothes", Served.BOOT));
            for (Socket socket : slow) {
                assertThat(Served.read(socket.getInputStream()))
                        .startsWith("HTTP/1.1 408 ")
                        .contains("\"type\":\"too_slow\"");
                socket.close();
            }
        }
    }

    @Test
    void requests_beyondTheQueue_areRefusedWithRetryAfter() throws Exception {
        // A batch that never fills keeps its images in the queue until the deadline.
        ServerOptions.Batching batching = Served.batching(100, Duration.ofMillis(2900), 2, Duration.ofSeconds(3));
        ServerOptions.RequestLimits limits = Served.limits(1 << 20, 2, 1 << 20, Duration.ofSeconds(30));
        ServerOptions options = new ServerOptions("127.0.0.1", 0, Served.OPTIONS.access(), batching, limits, 1);
        try (Served small = Served.of(options, "clothes")) {
            ExecutorService clients = Executors.newFixedThreadPool(4);
            List<Future<HttpResponse<String>>> responses = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                responses.add(clients.submit(() -> small.post("/predictions/clothes", Served.BOOT)));
            }
            int refused = 0;
            for (Future<HttpResponse<String>> each : responses) {
                HttpResponse<String> response = each.get();
                if (response.statusCode() == 503) {
                    refused++;
                    assertThat(response.headers().firstValue("Retry-After")).contains("1");
                    error(response, 503, "queue_full");
                } else {
                    succeeded(response);
                }
            }
            clients.shutdown();
            assertThat(refused).isEqualTo(2);
        }
    }

    @Test
    void close_answersWhatWasAccepted_andRefusesTheRest() throws Exception {
        ServerOptions.Batching batching = Served.batching(2, Duration.ofSeconds(20), 10, Duration.ofSeconds(30));
        Served closing = Served.of(Served.with(batching), "clothes");
        ExecutorService clients = Executors.newFixedThreadPool(2);
        Future<HttpResponse<String>> accepted = clients.submit(() -> closing.post("/predictions/clothes", Served.BOOT));
        while (metric(closing, "convzoo_queue_images{model=\"clothes\"}") != 1) {
            Thread.onSpinWait();
        }
        // The image waits for another to share its batch, and there will be none.
        Future<?> closed = clients.submit(closing::close);

        succeeded(accepted.get());
        closed.get();
        clients.shutdown();
        assertThatThrownBy(() -> closing.get("/ping")).isInstanceOf(IOException.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "NONSENSE\r\n\r\n",
                "GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
                "GET / HTTP/1.1\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
                "GET /%zz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                "GET /a/../../etc HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                "GET /ping?%zz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                "POST /predictions/clothes HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
                "POST /predictions/clothes HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
                "POST /predictions/clothes HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                "POST /predictions/clothes HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: rot13\r\n\r\nzz\r\n"
            })
    void request_thatIsNotHttp_isAnsweredInTheShapeOfAllErrors(String request) throws IOException {
        String response = served.raw(request);

        assertThat(response).matches("(?s)HTTP/1\\.1 (4\\d\\d|505) .*");
        assertThat(response.toLowerCase(java.util.Locale.ROOT)).contains("content-type: application/json");
        assertThat(response).contains("\r\n\r\n{\"error\":\"").doesNotContain("Exception", "jetty");
    }

    @Test
    void headers_thatAreTooLong_areRefused() throws IOException {
        String response = served.raw("GET / HTTP/1.1\r\nHost: localhost\r\nX: " + "x".repeat(9000) + "\r\n\r\n");

        assertThat(response).startsWith("HTTP/1.1 431 ").contains("\"type\":\"headers_too_large\"");
    }

    @Test
    void servers_ofTwoModelsOfOneName_orNone_areRefused() {
        assertThatThrownBy(() -> Served.of(Served.OPTIONS, "a", "a")).hasMessageContaining("same name");
        assertThatThrownBy(() -> Served.of(Served.OPTIONS)).hasMessageContaining("no model");
    }

    @Test
    void server_onAPortInUse_saysSo() {
        ServerOptions options = new ServerOptions(
                "127.0.0.1",
                served.server().address().getPort(),
                Served.OPTIONS.access(),
                Served.OPTIONS.batching(),
                Served.OPTIONS.limits(),
                1);

        assertThatThrownBy(() -> Served.of(options, "clothes"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("cannot listen on 127.0.0.1, port ")
                .hasMessageContaining("--port");
    }
}
