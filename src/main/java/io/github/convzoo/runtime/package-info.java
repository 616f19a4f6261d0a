/** Compiled models: which runtime, the cache, the loaded form. {@code LoadOptions.compiled()} is the door. */
@NullMarked
package io.github.convzoo.runtime;

import org.jspecify.annotations.NullMarked;
