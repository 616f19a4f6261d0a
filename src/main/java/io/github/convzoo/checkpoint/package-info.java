/**
 * Readers and writers of tensor files.
 *
 * <p>{@link io.github.convzoo.checkpoint.Checkpoint} reads a file of any known format into a tree of
 * {@link io.github.convzoo.checkpoint.Value}s, whose leaves are {@link io.github.convzoo.checkpoint.Tensor}s: views on the
 * mapped file. {@link io.github.convzoo.checkpoint.Safetensors} writes, {@link io.github.convzoo.checkpoint.Npy} reads and
 * writes single arrays. Whatever a file holds, reading it ends in a value or in a
 * {@link io.github.convzoo.checkpoint.CheckpointException}; no code that a file names is ever run, and what a file may ask
 * for is bounded by {@link io.github.convzoo.checkpoint.Limits}.
 *
 * @since 0.1.0
 */
@NullMarked
package io.github.convzoo.checkpoint;

import org.jspecify.annotations.NullMarked;
