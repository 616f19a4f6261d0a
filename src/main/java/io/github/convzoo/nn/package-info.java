/**
 * Layers that more than one family of networks uses, and how blocks are composed of them.
 *
 * <p>{@link io.github.convzoo.nn.DynamicConv2d} and {@link io.github.convzoo.nn.RoutingAttention} serve in any DJL
 * block. {@link io.github.convzoo.nn.FlowBlock} and {@link io.github.convzoo.nn.Operations} are what the networks are
 * written in.
 *
 * @since 0.1.0
 */
@NullMarked
package io.github.convzoo.nn;

import org.jspecify.annotations.NullMarked;
