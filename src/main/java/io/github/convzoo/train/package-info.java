/** Data sets and what is measured on them. */
@NullMarked
package io.github.convzoo.train;

import org.jspecify.annotations.NullMarked;
