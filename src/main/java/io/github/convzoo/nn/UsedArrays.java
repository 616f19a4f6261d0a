package io.github.convzoo.nn;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Parameter;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The arrays of some parameters at the time when something was derived from them. Loading and replacing weights gives
 * parameters other arrays; a change in place cannot be detected.
 */
final class UsedArrays {

    private final Map<Parameter, NDArray> arrays = new LinkedHashMap<>();

    static UsedArrays of(Collection<Parameter> parameters) {
        UsedArrays used = new UsedArrays();
        parameters.forEach(used::add);
        return used;
    }

    /** Remembers a parameter's array, and returns it. */
    NDArray add(Parameter parameter) {
        NDArray array = parameter.getArray();
        arrays.put(parameter, array);
        return array;
    }

    /** Whether the parameters still have these arrays. */
    boolean areCurrent() {
        for (Map.Entry<Parameter, NDArray> each : arrays.entrySet()) {
            Parameter parameter = each.getKey();
            if (!parameter.isInitialized() || parameter.getArray() != each.getValue()) {
                return false;
            }
        }
        return true;
    }
}
