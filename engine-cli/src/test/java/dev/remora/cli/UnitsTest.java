package dev.remora.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.remora.models.LoadProgress;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class UnitsTest {
    @ParameterizedTest
    @CsvSource({"0, 0 B", "999, 999 B", "1000, 1.00 kB", "13900000, 13.9 MB", "999999, 1.00 MB", "688000000000, 688 GB"
    })
    void bytes(long bytes, String expected) {
        assertEquals(expected, Units.bytes(bytes));
    }

    @ParameterizedTest
    @CsvSource({"7, 7", "15700000000, 15.7 B", "671000000000, 671 B", "11200000, 11.2 M"})
    void counts(long count, String expected) {
        assertEquals(expected, Units.count(count));
    }

    @Test
    void progressSaysHowFarOfHowMuch() {
        assertEquals(
                "repacking: 25 % of 4.00 GB",
                Progress.line(new LoadProgress(1_000_000_000L, 4_000_000_000L, "repacking")));
        assertEquals("config", Progress.line(new LoadProgress(0, 0, "config")));
    }

    @Test
    void columnsAreAsWideAsTheirWidestCell() {
        List<String[]> rows = List.of(new String[] {"a", "long cell", "x"}, new String[] {"bbb", "c", ""});
        assertEquals("a    long cell  x\nbbb  c\n", Table.of(rows, false));
        assertEquals("", Table.of(List.of(), false));
    }

    @Test
    void namesOfOptionsAreThoseOfTheCommandLine() {
        assertEquals("--top-p: expected x", translated("topP: expected x"));
        assertEquals("--ctx: expected x", translated("contextLength: expected x"));
        assertEquals("--logit-bias of token 5: y", translated("logitBias of token 5: y"));
        assertThrows(IllegalArgumentException.class, () -> raise("a fault of ours"));
        assertThrows(IllegalArgumentException.class, () -> raise(null));
    }

    private static String translated(String message) {
        return assertThrows(UsageException.class, () -> raise(message)).getMessage();
    }

    private static void raise(String message) {
        OptionNames.translate(() -> {
            throw new IllegalArgumentException(message);
        });
    }
}
