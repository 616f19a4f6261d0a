/**
 * Data for training and evaluation: data sets of labeled images, and loaders that form batches.
 *
 * <p>{@link io.github.convzoo.data.LabeledImages} is a data set, read by {@link io.github.convzoo.data.ImageFolder},
 * {@link io.github.convzoo.data.ImageList}, {@link io.github.convzoo.data.Cifar} or
 * {@link io.github.convzoo.data.FashionMnist}; {@link io.github.convzoo.data.Split} and
 * {@link io.github.convzoo.data.Subset} take parts of one. A {@link io.github.convzoo.data.Pipeline} of
 * {@link io.github.convzoo.data.Augmentation}s converts an image to an input; {@link
 * io.github.convzoo.data.BatchLoader} forms batches of inputs.
 *
 * @since 0.1.0
 */
@NullMarked
package io.github.convzoo.data;

import org.jspecify.annotations.NullMarked;
