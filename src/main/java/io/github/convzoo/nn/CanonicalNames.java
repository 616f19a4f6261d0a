package io.github.convzoo.nn;

import ai.djl.nn.Block;
import ai.djl.nn.BlockList;
import ai.djl.nn.Parameter;
import ai.djl.util.Pair;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The canonical names of a block's parts: paths in the block tree, as in PyTorch's state dicts.
 *
 * <p>A child's name is its name in the tree without DJL's number prefix; gamma, beta, runningMean and runningVar become
 * weight, bias, running_mean and running_var. If two children of a block would then have the same name, as in a {@code
 * SequentialBlock} of two convolutions, all its children keep their numbers: {@code 01Conv2d}, {@code 02LambdaBlock},
 * {@code 03Conv2d}.
 */
public final class CanonicalNames {

    private CanonicalNames() {}

    /**
     * Names every parameter.
     *
     * @param root the root block, initialized or not
     * @return the parameters by name, in the tree's order; unmodifiable
     */
    public static Map<String, Parameter> parameters(Block root) {
        Map<String, Parameter> parameters = new LinkedHashMap<>();
        collect(root, "", parameters, new IdentityHashMap<>());
        return Collections.unmodifiableMap(parameters);
    }

    /**
     * Names every block below a block.
     *
     * @param root the root block, initialized or not; its own name is empty
     * @return the names by block, compared by identity
     */
    public static IdentityHashMap<Block, String> blocks(Block root) {
        IdentityHashMap<Block, String> blocks = new IdentityHashMap<>();
        collect(root, "", new LinkedHashMap<>(), blocks);
        return blocks;
    }

    /**
     * {@return the name of a block's class, for messages and metadata: the simple one, unless the class is anonymous}
     *
     * @param block the block
     */
    public static String kind(Block block) {
        String simple = block.getClass().getSimpleName();
        return simple.isEmpty() ? block.getClass().getName() : simple;
    }

    private static void collect(
            Block block, String path, Map<String, Parameter> parameters, IdentityHashMap<Block, String> blocks) {
        blocks.put(block, path);
        for (Pair<String, Parameter> each : block.getDirectParameters()) {
            parameters.put(join(path, leaf(each.getKey())), each.getValue());
        }
        BlockList children = block.getChildren();
        List<String> keys = children.keys();
        List<String> names = new ArrayList<>();
        for (int i = 0; i < keys.size(); i++) {
            String prefix = (i < 9 ? "0" : "") + (i + 1);
            String key = keys.get(i);
            names.add(key.startsWith(prefix) ? key.substring(prefix.length()) : key);
        }
        List<String> distinct = new HashSet<>(names).size() == names.size() ? names : keys;
        for (int i = 0; i < keys.size(); i++) {
            collect(children.valueAt(i), join(path, distinct.get(i)), parameters, blocks);
        }
    }

    private static String join(String path, String name) {
        return path.isEmpty() ? name : path + "." + name;
    }

    private static String leaf(String parameter) {
        return switch (parameter) {
            case "gamma" -> "weight";
            case "beta" -> "bias";
            case "runningMean" -> "running_mean";
            case "runningVar" -> "running_var";
            default -> parameter;
        };
    }
}
