/**
 * A network as data: values, nodes, and a closed set of operations, without any engine.
 *
 * <p>A network's flow is recorded into a {@link io.github.convzoo.graph.Graph}. Running, shapes, initialization,
 * listings, features, heads, folding, and export are loops over it, cuts of it, or {@linkplain
 * io.github.convzoo.graph.Pass passes} on it.
 *
 * @since 0.1.0
 */
@NullMarked
package io.github.convzoo.graph;

import org.jspecify.annotations.NullMarked;
