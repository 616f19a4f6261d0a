/**
 * Compiled models: the choice of the runtime, the cache, the loaded form. Start from {@code LoadOptions.compiled()}.
 */
@NullMarked
package io.github.convzoo.runtime;

import org.jspecify.annotations.NullMarked;
