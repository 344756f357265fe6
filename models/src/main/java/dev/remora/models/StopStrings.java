package dev.remora.models;

import java.util.List;

/**
 * Finds the first of several strings in a text that arrives in pieces, and lets through what cannot belong to one. What
 * is held back is the longest end of the text so far with which a stop string could begin.
 */
final class StopStrings {
    private final List<String> stops;
    private final StringBuilder held = new StringBuilder();
    private boolean found;

    StopStrings(List<String> stops) {
        this.stops = stops;
    }

    /** Takes the next piece; returns the text that is now certain: all before the stop string once there is one. */
    String push(String piece) {
        if (found || piece.isEmpty()) {
            return "";
        }
        held.append(piece);
        int stop = firstStop();
        found = stop >= 0;
        return release(found ? stop : held.length() - possibleStart());
    }

    /**
     * True once a stop string was complete. Of two the one that ends first counts, then the one that begins first: so
     * it does not matter how the text was cut into pieces.
     */
    boolean found() {
        return found;
    }

    /** Ends the text: what is held back was no stop string. Empty after one was found. */
    String flush() {
        return found ? "" : release(held.length());
    }

    private int firstStop() {
        int first = -1;
        int firstEnd = Integer.MAX_VALUE;
        for (String stop : stops) {
            int at = held.indexOf(stop);
            int end = at + stop.length();
            if (at >= 0 && (end < firstEnd || (end == firstEnd && at < first))) {
                first = at;
                firstEnd = end;
            }
        }
        return first;
    }

    /** Characters at the end that could begin a stop string. */
    private int possibleStart() {
        int longest = 0;
        for (String stop : stops) {
            for (int n = Math.min(stop.length() - 1, held.length()); n > longest; n--) {
                if (endsWithStartOf(stop, n)) {
                    longest = n;
                }
            }
        }
        return longest;
    }

    private boolean endsWithStartOf(String stop, int n) {
        int from = held.length() - n;
        for (int i = 0; i < n; i++) {
            if (held.charAt(from + i) != stop.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    private String release(int count) {
        // A stop string that begins with half a character must not cut one in two.
        boolean halved = count > 0 && count < held.length() && Character.isHighSurrogate(held.charAt(count - 1));
        int whole = halved && !found ? count - 1 : count;
        String text = held.substring(0, whole);
        held.delete(0, whole);
        return text;
    }
}
