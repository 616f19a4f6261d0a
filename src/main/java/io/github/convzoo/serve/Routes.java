package io.github.convzoo.serve;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BooleanSupplier;

/** Every route of the server. {@code openapi.json} describes the same. */
final class Routes {

    private static final Set<String> GET = Set.of("GET", "HEAD");
    private static final Set<String> POST = Set.of("POST");
    private static final Set<String> POST_PUT = Set.of("POST", "PUT");

    private final Map<String, ServedModel> models;
    private final Metrics metrics;
    private final BooleanSupplier ready;
    private final String version;
    private final List<Route> all;

    /**
     * Makes the routes.
     *
     * @param models the models by name
     * @param ready whether the server takes requests
     * @param version the server's version
     */
    Routes(
            Map<String, ServedModel> models,
            ServerOptions options,
            Metrics metrics,
            BooleanSupplier ready,
            String version) {
        this.models = models;
        this.metrics = metrics;
        this.ready = ready;
        this.version = version;
        RequestImages requestImages = new RequestImages(options.access().urls(), System::nanoTime);
        int maxImages = options.limits().images();
        Inference inference = new Inference(requestImages, maxImages);
        Predictions predictions = new Predictions(requestImages, maxImages);
        Explanations explanations = new Explanations(predictions);
        List<Route> list = new ArrayList<>();
        for (StaticFile file : StaticFile.values()) {
            list.add(new Route(GET, file.path, true, call -> now(call, file.answer())));
        }
        list.add(new Route(GET, "/ping", true, call -> now(call, ping())));
        list.add(new Route(GET, "/metrics", false, call -> now(call, metrics(call))));
        list.add(new Route(GET, "/models", false, call -> now(call, cards())));
        list.add(new Route(
                GET,
                "/models/{model}",
                false,
                call -> now(call, Answer.json(model(call).card()))));
        list.add(new Route(POST_PUT, "/predictions/{model}", false, call -> predictions.predict(model(call), call)));
        list.add(new Route(POST_PUT, "/explanations/{model}", false, call -> explanations.explain(model(call), call)));
        list.add(new Route(GET, "/v2", false, call -> now(call, server())));
        list.add(new Route(GET, "/v2/health/live", true, call -> now(call, flag("live", true))));
        list.add(new Route(GET, "/v2/health/ready", true, call -> now(call, flag("ready", ready.getAsBoolean()))));
        for (String model : List.of("/v2/models/{model}", "/v2/models/{model}/versions/{version}")) {
            list.add(new Route(GET, model, false, call -> now(call, Inference.metadata(model(call)))));
            list.add(new Route(GET, model + "/ready", false, call -> now(call, modelReady(call))));
            list.add(new Route(POST, model + "/infer", false, call -> {
                call.allowQuery(Set.of());
                return inference.infer(model(call), call);
            }));
        }
        all = List.copyOf(list);
    }

    List<Route> all() {
        return all;
    }

    private static CompletionStage<Answer> now(Call call, Answer answer) throws Problem {
        call.allowQuery(Set.of());
        return CompletableFuture.completedFuture(answer);
    }

    private ServedModel model(Call call) throws Problem {
        String name = call.path("model");
        ServedModel model = models.get(name);
        if (model == null) {
            throw new Problem(
                    Problem.Kind.UNKNOWN_MODEL,
                    "there is no model " + name + "; this server has " + String.join(", ", models.keySet()));
        }
        String asked = call.pathIfAny("version").orElse(ServedModel.VERSION);
        if (!asked.equals(ServedModel.VERSION)) {
            throw new Problem(
                    Problem.Kind.UNKNOWN_MODEL,
                    "the model " + name + " has no version " + asked + "; its only version is " + ServedModel.VERSION);
        }
        return model;
    }

    private Answer ping() {
        JsonObject json = new JsonObject();
        boolean healthy = ready.getAsBoolean();
        json.addProperty("status", healthy ? "Healthy" : "Stopping");
        return status(json, healthy);
    }

    private static Answer flag(String name, boolean value) {
        JsonObject json = new JsonObject();
        json.addProperty(name, value);
        return status(json, value);
    }

    private static Answer status(JsonObject json, boolean good) {
        Answer answer = Answer.json(json);
        return good ? answer : new Answer(503, answer.type(), answer.headers(), answer.body());
    }

    private Answer modelReady(Call call) throws Problem {
        JsonObject json = new JsonObject();
        json.addProperty("name", model(call).name());
        json.addProperty("ready", ready.getAsBoolean());
        return status(json, ready.getAsBoolean());
    }

    private Answer server() {
        JsonObject json = new JsonObject();
        json.addProperty("name", "convzoo");
        json.addProperty("version", version);
        JsonArray extensions = new JsonArray();
        extensions.add("classification");
        extensions.add("binary_tensor_data");
        json.add("extensions", extensions);
        return Answer.json(json);
    }

    private Answer cards() {
        JsonArray cards = new JsonArray();
        models.values().forEach(model -> cards.add(model.card()));
        return Answer.json(cards);
    }

    private Answer metrics(Call call) throws Problem {
        try {
            return metrics.answer(call.header("Accept").orElse(""));
        } catch (IOException e) {
            throw Problem.internal(e);
        }
    }
}
