/**
 * Image classification on Apache Spark. {@link io.github.convzoo.spark.ImageClassifier} is the only public type.
 */
@NullMarked
package io.github.convzoo.spark;

import org.jspecify.annotations.NullMarked;
