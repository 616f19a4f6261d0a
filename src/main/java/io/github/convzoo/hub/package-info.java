/**
 * Published files and users' repositories of the Hugging Face hub: download, verification, and cache. Knows no network.
 *
 * <p>Start from {@link io.github.convzoo.hub.FileStore}.
 *
 * @since 0.1.0
 */
@NullMarked
package io.github.convzoo.hub;

import org.jspecify.annotations.NullMarked;
