package io.github.convzoo.checkpoint;

import java.util.List;
import java.util.Optional;

/** PyTorch's names, used in its own files, safetensors and NumPy archives. */
final class PyTorchDialect implements Dialect {
    static final PyTorchDialect INSTANCE = new PyTorchDialect();

    /** The prefixes of DataParallel and torch.compile. */
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
            // A top-level tensor without dimensions.
            case "n_averaged" ->
                name.equals(last) && tensor.size() == 1 && !fraction
                        ? Optional.of(Extra.AVERAGE_COUNT)
                        : Optional.empty();
            // torch.zeros(1, dtype=torch.float64), whose type a conversion to half precision changes.
            case "total_ops", "total_params" ->
                tensor.size() == 1 ? Optional.of(Extra.PROFILER_COUNT) : Optional.empty();
            default -> Optional.empty();
        };
    }

    /** A name without the given prefixes, in any number and order. */
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
