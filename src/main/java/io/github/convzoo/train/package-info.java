/**
 * What is measured on data sets, and learning from them.
 *
 * <p>Start from {@link io.github.convzoo.train.Learner}, which takes a {@link io.github.convzoo.train.Recipe} and batches.
 *
 * @since 0.1.0
 */
@NullMarked
package io.github.convzoo.train;

import org.jspecify.annotations.NullMarked;
