package dev.remora.cli;

import java.util.Arrays;
import java.util.List;

/** Columns as wide as their widest cell. */
final class Table {
    private static final String GAP = "  ";

    private Table() {}

    /**
     * Lines of aligned cells.
     *
     * @param rows all of the same length
     * @param colours whether the first column is set apart by a style
     */
    static String of(List<String[]> rows, boolean colours) {
        if (rows.isEmpty()) {
            return "";
        }
        int[] widths = new int[rows.getFirst().length];
        for (String[] row : rows) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], row[i].length());
            }
        }
        StringBuilder text = new StringBuilder();
        for (String[] row : rows) {
            StringBuilder line = new StringBuilder(Style.dim(pad(row[0], widths[0]), colours));
            for (int i = 1; i < widths.length; i++) {
                line.append(GAP).append(pad(row[i], widths[i]));
            }
            text.append(line.toString().stripTrailing()).append('\n');
        }
        return text.toString();
    }

    private static String pad(String cell, int width) {
        char[] spaces = new char[width - cell.length()];
        Arrays.fill(spaces, ' ');
        return cell + new String(spaces);
    }
}
