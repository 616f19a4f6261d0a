package io.github.convzoo.nn;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import io.github.convzoo.graph.FoldNormalization;
import io.github.convzoo.graph.Graph;
import io.github.convzoo.graph.Tensor;
import io.github.convzoo.graph.Types;
import org.jspecify.annotations.Nullable;

/**
 * A block that is recorded into a graph once, on first need, and then runs it.
 *
 * <p>Outputs are the only arrays that outlive a forward pass: each intermediate array is closed at its last use.
 */
public abstract sealed class GraphBlock extends AbstractBlock permits FlowBlock, GraphCut {

    private volatile @Nullable Recording recording;
    private volatile @Nullable Program plain;
    private volatile @Nullable Program folded;
    private volatile @Nullable CompiledGraph compiled;
    private volatile boolean onlyCompiled;

    GraphBlock() {}

    /** Records the graph for a number of inputs, with names below a root. */
    abstract Recording record(int inputs, Block root);

    /** The block below which this block's graph has its names, if the block stands alone. */
    abstract Block nameRoot();

    final Recording recording(int inputs) {
        Recording current = recording;
        if (current == null || current.graph().inputs().size() != inputs) {
            // Two threads may both record: the graphs are equal.
            current = record(inputs, nameRoot());
            recording = current;
        }
        return current;
    }

    /**
     * The block's data flow from one input, as it is now. A block of another library is one node, whose inside is not known; {@link
     * Tracer} looks inside.
     *
     * @return a new graph, whose parameters have the block's canonical names
     */
    public final Graph graph() {
        return record(1, nameRoot()).graph();
    }

    /**
     * The values of the graph's parameters, as they are now.
     *
     * @return reads a parameter by its canonical name
     */
    public final Tensor.Source parameterValues() {
        return recording(1).parameterValues();
    }

    /**
     * Runs a graph of this block, changed by passes or not, at inference.
     *
     * @param graph the graph
     * @param inputs its inputs; they stay open
     * @return its outputs
     */
    public final NDList run(Graph graph, NDList inputs) {
        // Recorded anew, as the graph was: what a block does may have changed in between.
        return record(1, nameRoot()).withGraph(graph).run(inputs);
    }

    /**
     * The types of the graph's values.
     *
     * @param graph a graph of this block, changed by passes or not
     * @param inputShapes the shapes of its inputs; the first axis may be -1, for a batch of any size
     * @return the types
     * @throws IllegalArgumentException if they do not fit
     */
    public static Types types(Graph graph, Shape... inputShapes) {
        return graph.types(Recording.types(inputShapes));
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameterStore, NDList inputs, boolean training, @Nullable PairList<String, Object> params) {
        if (inputs.get(0) instanceof RecordedArray recorded) {
            return recorded.trace.splice(this, inputs);
        }
        CompiledGraph other = compiled;
        if (!training
                && other != null
                && (onlyCompiled || other.accepts(inputs.get(0).getShape()))) {
            return other.run(inputs);
        }
        Program fast = folded;
        if (!training && fast != null && fast.isCurrent(inputs.get(0).getDevice())) {
            return fast.run(parameterStore, inputs, false);
        }
        Program program = plain;
        if (program == null || program.inputs() != inputs.size()) {
            program = Program.of(recording(inputs.size()));
            plain = program;
        }
        return program.run(parameterStore, inputs, training);
    }

    /** {@inheritDoc} */
    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        Recording current = recording(inputShapes.length);
        Types types = current.typesFor(inputShapes);
        return current.graph().outputs().stream()
                .map(output -> Recording.shape(types.of(output)))
                .toArray(Shape[]::new);
    }

    /**
     * Folds each normalization into the convolution or linear layer before it, for inference: faster, and equal but for rounding.
     * The parameters stay as they are; a copy of the weights is kept next to them, with their manager.
     *
     * <p>Training does not use the copies. Call this again after changing values in place, or {@link #unfoldNorms}; if arrays
     * are replaced, as loading does, the copies are no longer used.
     *
     * @throws IllegalStateException if the block is not initialized
     */
    public final void foldNorms() {
        Shape[] inputs = getInputShapes();
        unfoldNorms();
        Recording current = recording(inputs.length);
        Graph graph = new FoldNormalization().apply(current.graph(), current.typesFor(inputs));
        folded = Program.of(current.withGraph(graph));
    }

    /** Takes back what {@link #foldNorms} did: a copy does not see values that change in place. */
    public final void unfoldNorms() {
        Program current = folded;
        folded = null;
        if (current != null) {
            current.close();
        }
    }

    /**
     * Runs a compiled form of this block at inference, for as long as the parameters stay as they are. Training does not use it.
     *
     * @param value the compiled form of this block's graph; whoever made it closes it. Null to run the graph itself again
     */
    public final void useCompiled(@Nullable CompiledGraph value) {
        compiled = value;
    }

    /**
     * Runs a compiled form of this block, which has no parameters and never gets any: inputs that the form does not take are
     * refused, and so is training.
     *
     * @param value the compiled form of this block's graph; whoever made it closes it
     * @throws IllegalStateException if the block has parameters
     */
    public final void useOnlyCompiled(CompiledGraph value) {
        if (isInitialized()) {
            throw new IllegalStateException("a block with parameters runs without a compiled form, too");
        }
        compiled = value;
        onlyCompiled = true;
    }

    /**
     * Whether the block has only a compiled form, and no parameters.
     *
     * @return whether {@link #useOnlyCompiled} was called
     */
    public final boolean isOnlyCompiled() {
        return onlyCompiled;
    }

    /** {@inheritDoc} */
    @Override
    public void initialize(NDManager manager, DataType dataType, Shape... inputShapes) {
        if (onlyCompiled) {
            throw new IllegalStateException(
                    "this network comes from an exported file, so it has no parameters to train,"
                            + " save, or export; load its weights instead");
        }
        super.initialize(manager, dataType, inputShapes);
    }

    /** {@inheritDoc} */
    @Override
    public void clear() {
        unfoldNorms();
        useCompiled(null);
        super.clear();
    }
}
