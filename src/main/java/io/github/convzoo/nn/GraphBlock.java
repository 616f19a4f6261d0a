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
 * A block that is recorded into a graph once, on first use, and then runs the graph.
 *
 * <p>Only outputs outlive a forward pass: each intermediate array is closed after its last use.
 */
public abstract sealed class GraphBlock extends AbstractBlock permits FlowBlock, GraphCut {

    private volatile @Nullable Recording recording;
    private volatile @Nullable Program plain;
    private volatile @Nullable Program folded;
    private volatile @Nullable CompiledGraph compiled;
    private volatile UsedArrays compiledFrom = new UsedArrays();
    private volatile boolean onlyCompiled;

    GraphBlock() {}

    /** Records the graph for a number of inputs, with names below a root. */
    abstract Recording record(int inputs, Block root);

    /** The block that names in this block's graph are relative to, if the block is used alone. */
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
     * {@return a new graph of the block's current data flow for one input, whose parameters have the block's canonical
     * names} A block of another library is one opaque node; {@link Tracer} traces its content.
     */
    public final Graph graph() {
        return record(1, nameRoot()).graph();
    }

    /** {@return a source that reads the current value of a parameter of the graph by its canonical name} */
    public final Tensor.Source parameterValues() {
        return recording(1).parameterValues();
    }

    /**
     * Runs a graph of this block, changed by passes or not, in inference mode.
     *
     * @param graph the graph
     * @param inputs its inputs; they stay open
     * @return its outputs
     */
    public final NDList run(Graph graph, NDList inputs) {
        // Recorded again, because the block's computation may have changed since the graph was recorded.
        return record(1, nameRoot()).withGraph(graph).run(inputs);
    }

    /**
     * Prepares a graph of this block, changed by passes or not, for many runs in inference mode, with the parameters'
     * current values.
     *
     * @param graph the graph
     * @return the prepared graph; close it to free its weights
     */
    public final PreparedGraph prepare(Graph graph) {
        return new PreparedGraph(record(1, nameRoot()).withGraph(graph));
    }

    /**
     * {@return the types of the graph's values}
     *
     * @param graph a graph of this block, changed by passes or not
     * @param inputShapes the shapes of its inputs; the first axis may be -1, for a batch of any size
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
                && (onlyCompiled || (other.accepts(inputs.get(0).getShape()) && compiledFrom.areCurrent()))) {
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
     * Folds each normalization into the convolution or linear layer before it, for inference: faster, with the same
     * results except for rounding. The parameters are unchanged; a copy of the weights is kept next to them, with their
     * manager.
     *
     * <p>Training does not use the copies. After changing values in place, call this again, or {@link #unfoldNorms}; if
     * arrays are replaced, as on loading, the copies are no longer used.
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

    /** Reverts {@link #foldNorms}, because copies do not reflect values that change in place. */
    public final void unfoldNorms() {
        Program current = folded;
        folded = null;
        if (current != null) {
            current.close();
        }
    }

    /**
     * Runs a compiled form of this block at inference, as long as the parameters have the same arrays. Training does
     * not use it. After changing values in place, compile the block again: this cannot be detected.
     *
     * @param value the compiled form of this block's graph, which its creator closes. Null to run the graph itself
     *     again
     */
    public final void useCompiled(@Nullable CompiledGraph value) {
        compiledFrom = value == null
                ? new UsedArrays()
                : UsedArrays.of(CanonicalNames.parameters(this).values());
        compiled = value;
    }

    /**
     * Runs a compiled form of this block, which never gets parameters: inputs that the form does not support are
     * refused, and so is training.
     *
     * @param value the compiled form of this block's graph, which its creator closes
     * @throws IllegalStateException if the block has parameters
     */
    public final void useOnlyCompiled(CompiledGraph value) {
        if (isInitialized()) {
            throw new IllegalStateException(
                    "this block has parameters, so it also runs without a compiled form; use useCompiled");
        }
        compiled = value;
        onlyCompiled = true;
    }

    /**
     * {@return whether the block has only a compiled form, without parameters, because {@link #useOnlyCompiled} was
     * called}
     */
    public final boolean isOnlyCompiled() {
        return onlyCompiled;
    }

    /**
     * {@return whether the output of a sample has the same bits in any batch, in inference mode: whether the block runs
     * a {@linkplain CompiledGraph#isBatchInvariant compiled form} of which this is known}
     */
    public final boolean isBatchInvariant() {
        CompiledGraph other = compiled;
        return other != null && other.isBatchInvariant();
    }

    /** {@inheritDoc} */
    @Override
    public void initialize(NDManager manager, DataType dataType, Shape... inputShapes) {
        if (onlyCompiled) {
            throw new IllegalStateException(
                    "this network comes from an exported file, so it has no parameters to train,"
                            + " save, or export; load its weights instead");
        }
        NativeMemory.keepFreed();
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
