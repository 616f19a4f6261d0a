package io.github.convzoo.spark;

import io.github.convzoo.spark.OutputColumns.Result;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Queue;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.jspecify.annotations.Nullable;

/**
 * Classifies the images of a partition, one batch after the other as rows are read.
 *
 * @param model the model
 * @param topK the number of classes per image
 * @param batchSize the number of images to compute at once; 0 for the model's usual
 * @param input the position of the column of images
 * @param columns the columns to add
 */
record PartitionClassifier(ShippedModel model, int topK, int batchSize, int input, OutputColumns columns)
        implements MapPartitionsFunction<Row, Row> {

    @Override
    public Iterator<Row> call(Iterator<Row> rows) {
        return new Classified(rows);
    }

    private final class Classified implements Iterator<Row> {

        private final Iterator<Row> rows;
        private final Queue<Row> done = new ArrayDeque<>();

        /** Null until the first row: an empty partition needs no model. */
        private @Nullable TaskModel loaded;

        Classified(Iterator<Row> rows) {
            this.rows = rows;
        }

        @Override
        public boolean hasNext() {
            return !done.isEmpty() || rows.hasNext();
        }

        @Override
        public Row next() {
            if (!hasNext()) {
                throw new NoSuchElementException();
            }
            if (done.isEmpty()) {
                if (loaded == null) {
                    loaded = TaskModel.of(model, topK, columns, TaskContext.get());
                }
                computeBatch(loaded);
            }
            return done.remove();
        }

        private void computeBatch(TaskModel current) {
            int size = batchSize == 0 ? current.usualBatchSize() : batchSize;
            List<Row> batch = new ArrayList<>(size);
            List<byte @Nullable []> images = new ArrayList<>(size);
            while (batch.size() < size && rows.hasNext()) {
                Row row = rows.next();
                batch.add(row);
                images.add(row.getAs(input));
            }
            List<Result> results = current.results(images);
            for (int i = 0; i < batch.size(); i++) {
                done.add(appended(batch.get(i), columns.values(results.get(i))));
            }
        }
    }

    private static Row appended(Row row, List<@Nullable Object> more) {
        @Nullable Object[] values = new Object[row.size() + more.size()];
        for (int i = 0; i < row.size(); i++) {
            values[i] = row.get(i);
        }
        for (int i = 0; i < more.size(); i++) {
            values[row.size() + i] = more.get(i);
        }
        return RowFactory.create(values);
    }
}
