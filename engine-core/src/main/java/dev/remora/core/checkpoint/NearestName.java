package dev.remora.core.checkpoint;

import java.util.Collection;
import java.util.Optional;

/** Finds what a missing name was probably meant to be. Runs only for an error message. */
final class NearestName {
    private NearestName() {}

    /**
     * The name that contains the wanted one or is contained in it (a lost or added prefix), else the one of the
     * smallest edit distance, if that is at most a quarter of the wanted name.
     */
    static Optional<String> of(String wanted, Collection<String> names) {
        String best = null;
        int bestDistance = wanted.length() / 4 + 1;
        for (String name : names) {
            if (name.endsWith("." + wanted) || wanted.endsWith("." + name)) {
                return Optional.of(name);
            }
            if (Math.abs(name.length() - wanted.length()) < bestDistance) {
                int distance = distance(wanted, name);
                if (distance < bestDistance) {
                    bestDistance = distance;
                    best = name;
                }
            }
        }
        return Optional.ofNullable(best);
    }

    /** Levenshtein distance: insertions, deletions and replacements that turn one text into the other. */
    static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j < row.length; j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replaced, Math.min(row[j], row[j - 1]) + 1);
            }
        }
        return row[b.length()];
    }
}
