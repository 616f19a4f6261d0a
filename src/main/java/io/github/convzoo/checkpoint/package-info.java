/**
 * Readers and writers of tensor files.
 *
 * <p>{@link io.github.convzoo.checkpoint.Checkpoint} reads a file of any known format into a tree of
 * {@link io.github.convzoo.checkpoint.Value}s, whose leaves are {@link io.github.convzoo.checkpoint.Tensor}s: views on
 * the memory-mapped file. {@link io.github.convzoo.checkpoint.Safetensors} writes, {@link
 * io.github.convzoo.checkpoint.Npy} reads and writes single arrays. Whatever a file contains, reading it results in a
 * value or in a {@link io.github.convzoo.checkpoint.CheckpointException}; code named in a file is never run, and the
 * resources that a file may use are bounded by {@link io.github.convzoo.checkpoint.Limits}.
 *
 * @since 0.1.0
 */
@NullMarked
package io.github.convzoo.checkpoint;

import org.jspecify.annotations.NullMarked;
