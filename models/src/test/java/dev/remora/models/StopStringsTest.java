package dev.remora.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class StopStringsTest {
    @Test
    void holdsBackOnlyWhatCouldBeginAStop() {
        StopStrings stops = new StopStrings(List.of("END", "Stop"));
        assertEquals("a ", stops.push("a E"));
        assertEquals("", stops.push("N"));
        assertEquals("EN", stops.push("E"));
        assertEquals("", stops.push("N"));
        assertEquals("", stops.push("D, more"));
        assertTrue(stops.found());
        assertEquals("", stops.push("ignored"));
        assertEquals("", stops.flush());
    }

    @Test
    void flushReleasesWhatWasNoStop() {
        StopStrings stops = new StopStrings(List.of("END"));
        assertEquals("so ", stops.push("so EN"));
        assertEquals("EN", stops.flush());
        assertEquals("", stops.flush());
    }

    @Test
    void overlappingStartsAreFound() {
        StopStrings stops = new StopStrings(List.of("aab"));
        assertEquals("", stops.push("a"));
        assertEquals("", stops.push("a"));
        assertEquals("a", stops.push("a"));
        assertEquals("", stops.push("b"));
        assertTrue(stops.found());
    }

    @Test
    void neverCutsACharacterInTwo() {
        String octopus = "\uD83D\uDC19";
        StopStrings stops = new StopStrings(List.of("\uDC19!", octopus + octopus));
        assertEquals("a", stops.push("a" + octopus));
        assertEquals(octopus + "b", stops.push("b"));
        assertEquals("", stops.push(octopus));
        assertEquals("", stops.push(octopus));
        assertTrue(stops.found());
    }

    @Test
    void howTheTextIsCutDoesNotMatter() {
        Random random = new Random(11);
        for (int trial = 0; trial < 20_000; trial++) {
            String text = word(random, 12);
            List<String> all = List.of(word(random, 4), word(random, 3), word(random, 2));
            int stopAt = stop(text, all);
            String expected = stopAt < 0 ? text : text.substring(0, stopAt);
            StopStrings stops = new StopStrings(all);
            StringBuilder out = new StringBuilder();
            for (int from = 0; from < text.length(); ) {
                int to = Math.min(text.length(), from + 1 + random.nextInt(4));
                out.append(stops.push(text.substring(from, to)));
                from = to;
                if (!stops.found()) {
                    assertEquals(safe(text.substring(0, to), all), out.length(), text + " " + all);
                }
            }
            assertEquals(stopAt >= 0, stops.found(), text + " " + all);
            out.append(stops.flush());
            assertEquals(expected, out.toString(), text + " " + all);
        }
    }

    private static String word(Random random, int length) {
        StringBuilder word = new StringBuilder();
        for (int n = 1 + random.nextInt(length); n > 0; n--) {
            word.append((char) ('a' + random.nextInt(2)));
        }
        return word.toString();
    }

    /** Where the stop that ends first begins; -1: nowhere. */
    private static int stop(String text, List<String> stops) {
        for (int end = 1; end <= text.length(); end++) {
            for (int start = 0; start < end; start++) {
                if (stops.contains(text.substring(start, end))) {
                    return start;
                }
            }
        }
        return -1;
    }

    /** How much of a text without a stop can be shown. */
    private static int safe(String text, List<String> stops) {
        for (int start = 0; start < text.length(); start++) {
            String end = text.substring(start);
            if (stops.stream().anyMatch(s -> s.length() > end.length() && s.startsWith(end))) {
                return start;
            }
        }
        return text.length();
    }
}
