/**
 * Published files and users' repositories on the Hugging Face hub: download, verification, and cache. Independent of
 * the networks.
 *
 * <p>Start from {@link io.github.convzoo.hub.FileStore}.
 *
 * @since 0.1.0
 */
@NullMarked
package io.github.convzoo.hub;

import org.jspecify.annotations.NullMarked;
