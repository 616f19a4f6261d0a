/** What is measured on data sets. */
@NullMarked
package io.github.convzoo.train;

import org.jspecify.annotations.NullMarked;
