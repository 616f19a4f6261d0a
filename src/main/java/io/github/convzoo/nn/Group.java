package io.github.convzoo.nn;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import org.jspecify.annotations.Nullable;

/** Groups blocks under a name in the tree; the parent block runs them. */
public final class Group extends AbstractBlock {

    /** Creates an empty group. */
    public Group() {}

    /**
     * Adds a block.
     *
     * @param name its name in the reference
     * @param block the block
     * @param <B> its type
     * @return the block
     */
    public <B extends Block> B add(String name, B block) {
        return addChildBlock(name, block);
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameterStore, NDList inputs, boolean training, @Nullable PairList<String, Object> params) {
        throw new IllegalStateException("a group only names its blocks; run the parent block instead");
    }

    /** {@inheritDoc} */
    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        throw new IllegalStateException("a group only names its blocks; run the parent block instead");
    }

    // A group has no input of its own whose shape could be saved.

    /** {@inheritDoc} */
    @Override
    protected void saveMetadata(DataOutputStream os) {}

    /** {@inheritDoc} */
    @Override
    protected void loadMetadata(byte loadVersion, DataInputStream is) {}
}
