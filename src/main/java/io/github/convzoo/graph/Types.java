package io.github.convzoo.graph;

import java.util.Collections;
import java.util.Map;

/** The types of a graph's values for inputs of given types. */
public final class Types {

    private final Map<Value, Type> types;

    Types(Map<Value, Type> types) {
        this.types = Collections.unmodifiableMap(types);
    }

    /**
     * {@return the type of a value}
     *
     * @param value a value of the graph
     * @throws IllegalArgumentException if the graph does not have it
     */
    public Type of(Value value) {
        Type type = types.get(value);
        if (type == null) {
            throw new IllegalArgumentException("the graph has no value " + value);
        }
        return type;
    }
}
