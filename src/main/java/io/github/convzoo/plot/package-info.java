/**
 * Pictures of metrics and predictions. Needs XChart, an optional dependency.
 *
 * <p>Start from {@link io.github.convzoo.plot.Curves}, {@link io.github.convzoo.plot.ConfusionPicture} and
 * {@link io.github.convzoo.plot.ImageGrid}.
 */
@NullMarked
package io.github.convzoo.plot;

import org.jspecify.annotations.NullMarked;
