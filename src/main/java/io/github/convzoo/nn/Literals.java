package io.github.convzoo.nn;

import io.github.convzoo.graph.Constant;
import io.github.convzoo.graph.Tensor;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The literals of several traces: one object for equal numbers, so that equal graphs compare equal. */
final class Literals {

    private record Content(List<Long> sizes, FloatBuffer values) {}

    private final Map<Content, Constant> known = new HashMap<>();

    Constant of(List<Long> sizes, float... values) {
        return known.computeIfAbsent(
                new Content(sizes, FloatBuffer.wrap(values)), key -> new Constant.Literal(new Tensor(sizes, values)));
    }

    Constant number(float value) {
        return of(List.of(), value);
    }
}
