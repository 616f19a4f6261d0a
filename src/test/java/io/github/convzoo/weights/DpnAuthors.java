package io.github.convzoo.weights;

import java.util.Map;

/** What the DPN authors' MXNet files call a network's parameters. */
public final class DpnAuthors {

    private static final Map<String, String> STATISTICS =
            Map.of("weight", "gamma", "bias", "beta", "running_mean", "moving_mean", "running_var", "moving_var");

    private DpnAuthors() {}

    /**
     * A parameter's name.
     *
     * @param canonical its canonical name
     * @param classifier what the file calls the classifier: fc6, or fc6-1k
     * @param parted whether the blocks' last convolutions are in two parts, as in the b models
     */
    public static String name(String canonical, String classifier, boolean parted) {
        String leaf = canonical.substring(canonical.lastIndexOf('.') + 1);
        String statistic = STATISTICS.get(leaf);
        if (canonical.startsWith("classifier.")) {
            return "arg:" + classifier + "_" + leaf;
        }
        String kind = leaf.startsWith("running") ? "aux:" : "arg:";
        if (canonical.equals("features.conv1_1.conv.weight")) {
            return "arg:conv1_x_1__conv_weight";
        }
        if (canonical.startsWith("features.conv1_1.bn.")) {
            return kind + "conv1_x_1__relu-sp__bn_" + statistic;
        }
        if (canonical.startsWith("features.conv5_bn_ac.bn.")) {
            return kind + "conv5_x_x__relu-sp__bn_" + statistic;
        }
        String[] parts = canonical.split("\\.", -1);
        String block = parts[1].replace("_", "_x__") + "_";
        String layer =
                switch (parts[2]) {
                    case "c1x1_w_s1" -> "c1x1-w(s/1)";
                    case "c1x1_w_s2" -> "c1x1-w(s/2)";
                    default -> parts[2].replace('_', '-');
                };
        if (parts[3].equals("bn")) {
            // The b models' last convolution has its own normalization next to its two parts.
            String infix = layer.equals("c1x1-c") && parted ? "__bn_" : "__bn__bn_";
            return kind + block + layer + infix + statistic;
        }
        return "arg:" + block + layer + "__conv_weight";
    }
}
