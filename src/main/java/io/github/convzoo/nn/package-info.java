/** Layers that more than one family of networks uses. */
@NullMarked
package io.github.convzoo.nn;

import org.jspecify.annotations.NullMarked;
