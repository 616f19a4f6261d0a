package io.github.convzoo.cli;

/** One of an image's best classes. The fields are those of the JSON results. */
record Prediction(int classNumber, String label, double probability) {}
