package io.github.convzoo.spark;

import java.io.Serializable;
import org.jspecify.annotations.Nullable;

/**
 * Tells models apart: two with equal keys compute the same.
 *
 * @param name the name that the user gave
 * @param hash the hash of the model's files; null for a model that comes with ConvZoo
 * @param file the file to load; null to load the folder
 * @param compiled whether to compile it
 */
record ModelKey(String name, @Nullable String hash, @Nullable String file, boolean compiled) implements Serializable {}
