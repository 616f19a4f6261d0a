/**
 * Layers shared by several families of networks, and the composition of blocks from them.
 *
 * <p>{@link io.github.convzoo.nn.DynamicConv2d} and {@link io.github.convzoo.nn.RoutingAttention} can be used in any
 * DJL block. The networks are written with {@link io.github.convzoo.nn.FlowBlock} and {@link
 * io.github.convzoo.nn.Operations}.
 *
 * @since 0.1.0
 */
@NullMarked
package io.github.convzoo.nn;

import org.jspecify.annotations.NullMarked;
