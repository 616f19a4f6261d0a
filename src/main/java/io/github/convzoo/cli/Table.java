package io.github.convzoo.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A table for people: columns as wide as necessary, with a line below the header. */
final class Table {

    private final List<String[]> rows = new ArrayList<>();
    private final boolean[] right;

    /** Takes each column's header and alignment, {@code <} or {@code >}. */
    Table(String... headsAndAlignments) {
        String[] heads = new String[headsAndAlignments.length / 2];
        right = new boolean[heads.length];
        for (int i = 0; i < heads.length; i++) {
            heads[i] = headsAndAlignments[2 * i];
            right[i] = headsAndAlignments[2 * i + 1].equals(">");
        }
        rows.add(heads);
    }

    void row(String... cells) {
        rows.add(Arrays.stream(cells).map(cell -> cell.replaceAll("\\R", " ")).toArray(String[]::new));
    }

    void print(PrintWriter out) {
        int[] widths = new int[right.length];
        for (String[] row : rows) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], row[i].length());
            }
        }
        for (int r = 0; r < rows.size(); r++) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < widths.length; i++) {
                String cell = rows.get(r)[i];
                String space = " ".repeat(widths[i] - cell.length());
                line.append(i == 0 ? "" : "  ").append(right[i] ? space + cell : cell + space);
            }
            out.println(line.toString().stripTrailing());
            if (r == 0) {
                int width = 2 * (widths.length - 1);
                for (int each : widths) {
                    width += each;
                }
                out.println("-".repeat(width));
            }
        }
    }
}
