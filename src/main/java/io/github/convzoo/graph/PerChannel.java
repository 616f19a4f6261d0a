package io.github.convzoo.graph;

import org.jspecify.annotations.Nullable;

/**
 * A multiplication, and then an addition, per channel.
 *
 * @param scale the factors, (C), or null for none
 * @param shift the offsets, (C), or null for none
 */
record PerChannel(@Nullable Constant scale, @Nullable Constant shift) {

    /** What an operation does to values of a type; null if it does something else. */
    static @Nullable PerChannel of(Op op, Type type) {
        if (op instanceof Op.Scale scale) {
            return new PerChannel(repeated(scale.factor(), type), null);
        } else if (op instanceof Op.Affine affine) {
            return new PerChannel(affine.multiplies() ? affine.scale() : null, affine.adds() ? affine.shift() : null);
        } else if (op instanceof Op.Normalization norm) {
            return new PerChannel(norm.scale(), norm.shift());
        }
        return null;
    }

    /** This, and then another one. */
    PerChannel then(PerChannel next) {
        return new PerChannel(scale == null ? next.scale : next.scaled(scale), next.shifted(shift));
    }

    /** The weights of a layer that does this to its output, (C, ...). */
    Constant scaled(Constant weight) {
        return scale == null ? weight : new Constant.Scaled(weight, scale);
    }

    /** The bias of a layer that does this to its output, (C), or null for none. */
    @Nullable Constant shifted(@Nullable Constant bias) {
        if (bias == null) {
            return shift;
        }
        return shift == null ? scaled(bias) : new Constant.Sum(scaled(bias), shift);
    }

    /** This as an operation on values of a type. */
    Op op(Type type) {
        return new Op.Affine(scale == null ? repeated(1, type) : scale, shift == null ? repeated(0, type) : shift);
    }

    private static Constant repeated(float number, Type type) {
        return new Constant.Repeated(Constant.Literal.of(number), Math.toIntExact(type.get(1)));
    }
}
