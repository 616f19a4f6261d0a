package io.github.convzoo.checkpoint;

import java.util.List;

/** DJL's parameters, named by their position and the layer's own name: {@code 3.gamma}. */
final class DjlDialect implements Dialect {
    static final DjlDialect INSTANCE = new DjlDialect();

    private DjlDialect() {}

    @Override
    public List<String> places() {
        return List.of();
    }

    @Override
    public boolean isOrdered() {
        return true;
    }

    @Override
    public String name(String name) {
        return name;
    }
}
