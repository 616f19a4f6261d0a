package io.github.convzoo.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Writes the results of images, in their order, in one of the formats that {@code predict} offers. */
interface ResultWriter extends AutoCloseable {

    void write(ImageResult result) throws IOException;

    /** Completes the output; not called if the command fails. */
    void complete() throws IOException;

    @Override
    default void close() throws IOException {}

    /** Percentages and labels, below the image's name unless there is only one. Failures are messages only. */
    static ResultWriter text(PrintWriter out, boolean one) {
        return new ResultWriter() {
            @Override
            public void write(ImageResult result) {
                if (result instanceof ImageResult.Classified classified) {
                    if (!one) {
                        out.println(Main.oneLine(classified.image()));
                    }
                    for (Prediction each : classified.predictions()) {
                        out.printf(Locale.ROOT, "%6.2f %%  %s%n", 100 * each.probability(), Main.oneLine(each.label()));
                    }
                }
            }

            @Override
            public void complete() {}
        };
    }

    /** One JSON array at the end. Failures are messages only. */
    static ResultWriter json(PrintWriter out) {
        List<ImageResult> results = new ArrayList<>();
        return new ResultWriter() {
            @Override
            public void write(ImageResult result) {
                if (result instanceof ImageResult.Classified) {
                    results.add(result);
                }
            }

            @Override
            public void complete() {
                out.println(Json.of(results));
            }
        };
    }

    /** One JSON object per line. */
    static ResultWriter jsonLines(PrintWriter out) {
        return new ResultWriter() {
            @Override
            public void write(ImageResult result) {
                out.println(Json.line(result));
            }

            @Override
            public void complete() {}
        };
    }
}
