/**
 * The wording of messages: reasons of failures, and advice on misspelled names. Not exported.
 *
 * @since 0.1.0
 */
@NullMarked
package io.github.convzoo.message;

import org.jspecify.annotations.NullMarked;
