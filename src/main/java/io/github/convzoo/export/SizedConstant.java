package io.github.convzoo.export;

import io.github.convzoo.graph.Constant;
import java.util.List;

/**
 * A constant as a file has it, once for all its readers: the same numbers may be needed with other sizes, to be
 * combined with vectors and with maps.
 */
record SizedConstant(Constant constant, List<Long> sizes) {}
