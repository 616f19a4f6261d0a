/** Tests of the Spark transformer: in one JVM, and on executors in processes of their own. */
@NullMarked
package io.github.convzoo.spark;

import org.jspecify.annotations.NullMarked;
