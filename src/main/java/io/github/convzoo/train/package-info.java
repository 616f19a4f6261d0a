/**
 * Training and evaluation on data sets.
 *
 * <p>Start from {@link io.github.convzoo.train.Learner}, which takes a {@link io.github.convzoo.train.Recipe} and
 * batches.
 *
 * @since 0.1.0
 */
@NullMarked
package io.github.convzoo.train;

import org.jspecify.annotations.NullMarked;
