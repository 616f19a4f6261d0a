/**
 * Image preprocessing: decoding, resizing, cropping, and normalization, with the numbers of Pillow and torchvision.
 *
 * <p>{@link io.github.convzoo.image.ImageDecoder} reads a file into an {@link io.github.convzoo.image.RgbImage};
 * {@link io.github.convzoo.image.Preprocessing} turns that into the input of a network;
 * {@link io.github.convzoo.image.Labels} names the network's classes.
 *
 * @since 0.1.0
 */
@NullMarked
package io.github.convzoo.image;

import org.jspecify.annotations.NullMarked;
