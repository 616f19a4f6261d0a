/**
 * A network as data: values, nodes, and a closed set of operations, without any engine.
 *
 * <p>A {@link io.github.convzoo.graph.Graph} is what a network's flow is recorded into. Running, shapes, initialization, listings, features,
 * heads, folding, and export are loops over it, cuts of it, or {@linkplain io.github.convzoo.graph.Pass passes} on it.
 *
 * @since 0.1.0
 */
@NullMarked
package io.github.convzoo.graph;

import org.jspecify.annotations.NullMarked;
