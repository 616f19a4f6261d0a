/** The command line: parses, calls the library, prints. {@link io.github.convzoo.cli.Main} is the launcher's entry. */
@NullMarked
package io.github.convzoo.cli;

import org.jspecify.annotations.NullMarked;
