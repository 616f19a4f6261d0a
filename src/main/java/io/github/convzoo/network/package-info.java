/**
 * The networks, one file per family, with its variants in an enum next to it.
 *
 * <p>Start from {@link io.github.convzoo.network.Variant}, which finds a network by name and builds it.
 *
 * @since 0.1.0
 */
@NullMarked
package io.github.convzoo.network;

import org.jspecify.annotations.NullMarked;
