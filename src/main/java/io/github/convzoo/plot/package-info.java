/**
 * Pictures of what was measured and predicted. Needs XChart, which ConvZoo's users add where they want pictures.
 *
 * <p>Start from {@link io.github.convzoo.plot.Curves}, {@link io.github.convzoo.plot.ConfusionPicture} and
 * {@link io.github.convzoo.plot.ImageGrid}.
 */
@NullMarked
package io.github.convzoo.plot;

import org.jspecify.annotations.NullMarked;
