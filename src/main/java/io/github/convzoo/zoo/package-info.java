/**
 * The main API: networks with their weights and preprocessing, as DJL models.
 *
 * <p>Start from {@link io.github.convzoo.zoo.ConvZoo}.
 *
 * @since 0.1.0
 */
@NullMarked
package io.github.convzoo.zoo;

import org.jspecify.annotations.NullMarked;
