package io.github.convzoo.checkpoint;

import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The names in MXNet's files. The prefixes {@code arg:} and {@code aux:} are always dropped; the rest of the DPN
 * authors' names is mapped by the rules below, and their linear classifier becomes a 1 x 1 convolution. Other names are
 * unchanged.
 */
final class MxnetDialect implements Dialect {
    static final MxnetDialect INSTANCE = new MxnetDialect();

    private static final List<String> PREFIXES = List.of("arg:", "aux:");

    /** A pattern for a whole name, and its replacement. */
    private record Rule(Pattern pattern, String canonical) {
        static Rule of(String pattern, String canonical) {
            return new Rule(Pattern.compile(pattern), canonical);
        }
    }

    private static final String BLOCK = "conv([2-5])_x__([0-9]+)_";
    private static final String LAYER = "(c1x1-a|c3x3-b|c1x1-c|c1x1-w\\(s/[12]\\))";
    private static final String STATISTIC = "(gamma|beta|moving_mean|moving_var)";

    private static final List<Rule> RULES = List.of(
            Rule.of("conv1_x_1__conv_weight", "features.conv1_1.conv.weight"),
            Rule.of("conv1_x_1__relu-sp__bn_" + STATISTIC, "features.conv1_1.bn.$1"),
            Rule.of(BLOCK + LAYER + "__conv_weight", "features.conv$1_$2.$3.conv.weight"),
            Rule.of(BLOCK + LAYER + "__bn__bn_" + STATISTIC, "features.conv$1_$2.$3.bn.$4"),
            // DPN-68b and similar split a block's last convolution, with one normalization before both parts.
            Rule.of(BLOCK + "c1x1-c__bn_" + STATISTIC, "features.conv$1_$2.c1x1_c.bn.$3"),
            Rule.of(BLOCK + "c1x1-c([12])__conv_weight", "features.conv$1_$2.c1x1_c$3.weight"),
            Rule.of("conv5_x_x__relu-sp__bn_" + STATISTIC, "features.conv5_bn_ac.bn.$1"),
            Rule.of("fc6(?:-1k)?_(weight|bias)", "classifier.$1"));

    private static final Map<String, String> PARTS = Map.of(
            "c1x1-a", "c1x1_a",
            "c3x3-b", "c3x3_b",
            "c1x1-c", "c1x1_c",
            "c1x1-w(s/1)", "c1x1_w_s1",
            "c1x1-w(s/2)", "c1x1_w_s2",
            "gamma", "weight",
            "beta", "bias",
            "moving_mean", "running_mean",
            "moving_var", "running_var");

    private MxnetDialect() {}

    @Override
    public List<String> places() {
        return List.of();
    }

    @Override
    public String name(String name) {
        return canonical(stripped(name));
    }

    @Override
    public Tensor tensor(String name, Tensor tensor) {
        String canonical = name(name);
        long[] shape = tensor.shape();
        if (canonical.equals("classifier.weight") && !stripped(name).equals(canonical) && shape.length == 2) {
            return tensor.withName(canonical).withShape(shape[0], shape[1], 1, 1);
        }
        return tensor.withName(canonical);
    }

    private static String stripped(String name) {
        for (String prefix : PREFIXES) {
            if (name.startsWith(prefix)) {
                return PyTorchDialect.INSTANCE.name(name.substring(prefix.length()));
            }
        }
        return PyTorchDialect.INSTANCE.name(name);
    }

    private static String canonical(String name) {
        for (Rule rule : RULES) {
            Matcher matcher = rule.pattern.matcher(name);
            if (matcher.matches()) {
                String canonical = rule.canonical;
                for (int group = matcher.groupCount(); group > 0; group--) {
                    String part = matcher.group(group);
                    canonical = canonical.replace("$" + group, PARTS.getOrDefault(part, part));
                }
                return canonical;
            }
        }
        return name;
    }
}
