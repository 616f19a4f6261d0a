package io.github.convzoo.spark;

import java.io.Serializable;
import org.jspecify.annotations.Nullable;

/**
 * A model as the driver sends it to executors.
 *
 * @param key tells it from others
 * @param files its files; null for a model that comes with ConvZoo
 */
record ShippedModel(ModelKey key, @Nullable ShippedFiles files) implements Serializable {}
