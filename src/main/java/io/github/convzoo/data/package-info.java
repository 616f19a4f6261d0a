/**
 * What is shown to a network, for training and for evaluation: data sets of labelled images.
 *
 * <p>{@link io.github.convzoo.data.LabeledImages} is a data set.
 */
@NullMarked
package io.github.convzoo.data;

import org.jspecify.annotations.NullMarked;
