package io.github.convzoo.spark;

import ai.djl.modality.Classifications;
import ai.djl.modality.Classifications.Classification;
import ai.djl.translate.TranslateException;
import io.github.convzoo.spark.OutputColumns.Result;
import io.github.convzoo.zoo.PreparedImage;
import io.github.convzoo.zoo.StagedModel;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.spark.TaskContext;
import org.apache.spark.util.TaskCompletionListener;
import org.jspecify.annotations.Nullable;

/** A model in use by a task, until the task ends. */
final class TaskModel {

    private final ShippedModel model;
    private final int topK;
    private final @Nullable StagedModel<byte[], Classifications> classifier;
    private final @Nullable StagedModel<byte[], float[]> embedder;

    private TaskModel(
            ShippedModel model,
            int topK,
            @Nullable StagedModel<byte[], Classifications> classifier,
            @Nullable StagedModel<byte[], float[]> embedder) {
        this.model = model;
        this.topK = topK;
        this.classifier = classifier;
        this.embedder = embedder;
    }

    /**
     * Loads a model unless this JVM has it.
     *
     * @throws IllegalStateException if it cannot be loaded; the message names it
     */
    static TaskModel of(ShippedModel model, int topK, OutputColumns columns, TaskContext task) {
        try {
            ExecutorEngine.start(task);
            return new TaskModel(
                    model,
                    topK,
                    columns.hasClassifier() ? stages(ExecutorModels.CLASSIFIERS, model, task) : null,
                    columns.hasEmbedding() ? stages(ExecutorModels.EMBEDDERS, model, task) : null);
        } catch (IOException | RuntimeException e) {
            throw new IllegalStateException(
                    "the model " + model.key().name() + " cannot be loaded: " + e.getMessage(), e);
        }
    }

    private static <O> StagedModel<byte[], O> stages(SharedModels<O> models, ShippedModel model, TaskContext task)
            throws IOException {
        SharedModels<O>.Lease lease = models.lease(model);
        TaskCompletionListener release = ended -> lease.close();
        task.addTaskCompletionListener(release);
        return lease.stages();
    }

    /** The batch size that changes no result, of all that the task computes. */
    int usualBatchSize() {
        int size = Integer.MAX_VALUE;
        if (classifier != null) {
            size = classifier.usualBatchSize();
        }
        return embedder == null ? size : Math.min(size, embedder.usualBatchSize());
    }

    /**
     * Computes a batch. An image that cannot be read costs only itself.
     *
     * @param images image files, or null
     * @return one result per image, in the same order
     * @throws IllegalStateException if the engine fails; the message names the model
     */
    List<Result> results(List<byte @Nullable []> images) {
        Map<Integer, Result> failed = new HashMap<>();
        List<PreparedImage> prepared = new ArrayList<>();
        for (int i = 0; i < images.size(); i++) {
            byte @Nullable [] image = images.get(i);
            if (image == null) {
                failed.put(i, Result.failed("the image is null"));
                continue;
            }
            try {
                prepared.add(prepare(image));
            } catch (IOException e) {
                failed.put(i, Result.failed(String.valueOf(e.getMessage())));
            } catch (RuntimeException e) {
                // A bug in the decoder, which should not cost a million other images.
                failed.put(i, Result.failed("the image cannot be read: " + e));
            }
        }
        Iterator<Result> computed = prepared.isEmpty()
                ? Collections.emptyIterator()
                : compute(prepared).iterator();
        List<Result> results = new ArrayList<>();
        for (int i = 0; i < images.size(); i++) {
            @Nullable Result error = failed.get(i);
            results.add(error == null ? computed.next() : error);
        }
        return results;
    }

    /** Both networks of a model have the same input. */
    private PreparedImage prepare(byte[] image) throws IOException {
        return (classifier == null ? Objects.requireNonNull(embedder) : classifier).prepare(image);
    }

    private List<Result> compute(List<PreparedImage> batch) {
        try {
            @Nullable List<Classifications> classes = classifier == null ? null : classifier.run(batch);
            @Nullable List<float[]> embeddings = embedder == null ? null : embedder.run(batch);
            List<Result> results = new ArrayList<>();
            for (int i = 0; i < batch.size(); i++) {
                results.add(
                        result(classes == null ? null : classes.get(i), embeddings == null ? null : embeddings.get(i)));
            }
            return results;
        } catch (TranslateException e) {
            throw new IllegalStateException("the model " + model.key().name() + " failed: " + e.getMessage(), e);
        }
    }

    private Result result(@Nullable Classifications classes, float @Nullable [] embedding) {
        if (classes == null) {
            return new Result(null, null, embedding, null);
        }
        List<Classification> best = classes.topK(topK);
        String[] names = new String[best.size()];
        float[] probabilities = new float[best.size()];
        for (int i = 0; i < names.length; i++) {
            names[i] = best.get(i).getClassName();
            // A float before DJL widened it.
            probabilities[i] = (float) best.get(i).getProbability();
        }
        return new Result(names, probabilities, embedding, null);
    }
}
