package io.github.convzoo.checkpoint;

import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Unsupported kinds of tensors and arrays, identified by their names in a file. */
final class TensorKind {

    /** The pattern of the names, the kind of tensor, and what to save instead. */
    private record Kind(Pattern names, String remedy) {
        static Kind of(String names, String remedy) {
            return new Kind(Pattern.compile(names), remedy);
        }
    }

    private static final List<Kind> KINDS = List.of(
            Kind.of(
                    "torch[.]float8_.*|safetensors[.]F8_.*",
                    "an 8-bit floating-point tensor; save tensor.to(torch.float32) instead, with its scale applied"
                            + " if it"
                            + " has one"),
            Kind.of(
                    "torch[.]float4_.*|safetensors[.]F[46].*",
                    "a tensor of less than 8 bits; save it unpacked to torch.float32 instead"),
            Kind.of(
                    "torch[.](cuda[.])?Complex.*Storage|torch[.](complex.*|cfloat|cdouble|chalf|bcomplex32|_conj)"
                            + "|safetensors[.]C.*|numpy[.].*c[0-9]+",
                    "a complex tensor, which no network in ConvZoo has; save tensor.real, or both parts with"
                            + " torch.view_as_real(tensor)"),
            Kind.of(
                    "torch[.]_utils[.]_rebuild_sparse_.*|torch[.]sparse.*",
                    "a sparse tensor; save tensor.to_dense() instead"),
            Kind.of(
                    "torch[.]_utils[.]_rebuild_qtensor|torch[.](cuda[.])?QU?Int.*Storage|torch[.]qu?int.*",
                    "a quantized tensor; save tensor.dequantize() instead"),
            Kind.of(
                    "torch[.]_utils[.]_rebuild_meta_tensor.*",
                    "a tensor on the meta device, which has no values; load the model on a real device and save it"
                            + " again"),
            Kind.of(
                    "torch[.]_utils[.]_rebuild_(xla|device)_tensor.*|torch_xla[.].*",
                    "a tensor on an XLA or other device; save tensor.cpu() instead"),
            Kind.of(
                    "torch[.]_utils[.]_rebuild_nested_tensor|torch[.]nested[.].*",
                    "a nested tensor; save tensor.to_padded_tensor(0) instead"),
            Kind.of("torch[.]_utils[.]_rebuild_mkldnn.*", "an MKL-DNN tensor; save tensor.to_dense() instead"),
            Kind.of("torch[.]_neg_view", "a lazily negated tensor; save tensor.resolve_neg() instead"),
            Kind.of(
                    "torch[.]nn[.]parameter[.]Uninitialized(Parameter|Buffer)",
                    "a parameter without values; run the model once before it is saved"),
            Kind.of(
                    "torch[.]distributed[.].*Tensor",
                    "a tensor in parts on several devices; save tensor.full_tensor() instead"),
            Kind.of(
                    "torch[.]_utils[.]_rebuild_wrapper_subclass|torchao[.].*Tensor.*|bitsandbytes[.].*",
                    "a tensor of a special class, such as a quantized one; save tensor.dequantize() instead"),
            Kind.of(
                    "(torch|mxnet)[.]uint(16|32|64)|safetensors[.]U(16|32|64)",
                    "a tensor of unsigned integers, but weights are floating-point; save tensor.to(torch.float32)"),
            Kind.of(
                    "torch[.](int|uint)[1-7]|torch[.]bits.*",
                    "a tensor of packed integers; save it unpacked to torch.float32"),
            Kind.of(
                    "numpy[.].*",
                    "a NumPy array or number of an unsupported type (objects, complex, unsigned, or big-endian); save"
                            + " array.astype('float32') instead"));

    private TensorKind() {}

    /** The kind of tensor with such a name, and what to save instead; null for other names. */
    static @Nullable String remedy(String global) {
        for (Kind kind : KINDS) {
            if (kind.names.matcher(global).matches()) {
                return kind.remedy;
            }
        }
        return null;
    }
}
