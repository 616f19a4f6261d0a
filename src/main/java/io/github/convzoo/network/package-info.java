/**
 * The networks, one file a family, their variants in an enum beside it.
 *
 * <p>Start from {@link io.github.convzoo.network.Variant}: it finds a network by its name and builds it.
 *
 * @since 0.1.0
 */
@NullMarked
package io.github.convzoo.network;

import org.jspecify.annotations.NullMarked;
