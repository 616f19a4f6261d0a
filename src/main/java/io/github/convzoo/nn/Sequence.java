package io.github.convzoo.nn;

import ai.djl.nn.Block;
import io.github.convzoo.graph.Value;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A sequence of named blocks with one input and one output each. */
public final class Sequence extends FlowBlock {

    private final Map<String, Block> blocks = new LinkedHashMap<>();

    /** Creates an empty sequence. */
    public Sequence() {}

    /**
     * Adds a block at the end.
     *
     * @param name its name in the reference
     * @param block the block
     * @return this
     */
    public Sequence add(String name, Block block) {
        blocks.put(name, addChildBlock(name, block));
        return this;
    }

    /** {@inheritDoc} */
    @Override
    protected Value flow(Operations ops, List<Value> inputs) {
        Value x = inputs.get(0);
        for (Block block : blocks.values()) {
            x = ops.run(block, x);
        }
        return x;
    }
}
