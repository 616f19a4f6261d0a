package io.github.convzoo.checkpoint;

import java.util.List;
import java.util.Optional;

/** PyTorch's names, as its own files, safetensors and NumPy archives have them. */
final class PyTorchDialect implements Dialect {
    static final PyTorchDialect INSTANCE = new PyTorchDialect();

    /** What DataParallel and torch.compile put before every name. */
    private static final List<String> WRAPPERS = List.of("module.", "_orig_mod.");

    private PyTorchDialect() {}

    @Override
    public String name(String name) {
        return stripped(name, WRAPPERS);
    }

    @Override
    public Optional<Extra> extra(String name, Tensor tensor) {
        String last = name.substring(name.lastIndexOf('.') + 1);
        boolean fraction = tensor.type() == ElementType.F32 || tensor.type() == ElementType.F64;
        return switch (last) {
            // A tensor without dimensions, at the top.
            case "n_averaged" ->
                name.equals(last) && tensor.size() == 1 && !fraction
                        ? Optional.of(Extra.AVERAGE_COUNT)
                        : Optional.empty();
            // torch.zeros(1, dtype=torch.float64), which a conversion to half precision changes.
            case "total_ops", "total_params" ->
                tensor.size() == 1 ? Optional.of(Extra.PROFILER_COUNT) : Optional.empty();
            default -> Optional.empty();
        };
    }

    /** A name without the given prefixes, however often and in whatever order they stand before it. */
    static String stripped(String name, List<String> prefixes) {
        String rest = name;
        for (boolean found = true; found; ) {
            found = false;
            for (String prefix : prefixes) {
                if (rest.startsWith(prefix)) {
                    rest = rest.substring(prefix.length());
                    found = true;
                }
            }
        }
        return rest;
    }
}
