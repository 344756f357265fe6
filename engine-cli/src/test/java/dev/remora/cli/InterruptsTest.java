package dev.remora.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class InterruptsTest {
    private final List<String> log = new ArrayList<>();
    private final Interrupts interrupts = new Interrupts(() -> log.add("halt"));

    @Test
    void withoutAnActionTheFirstHalts() {
        interrupts.signal();
        assertEquals(List.of("halt"), log);
    }

    @Test
    void theFirstRunsTheActionAndTheSecondHalts() {
        try (Interrupts.Scope _ = interrupts.during(() -> log.add("cancel"))) {
            assertFalse(interrupts.happened());
            interrupts.signal();
            assertTrue(interrupts.happened());
            interrupts.signal();
        }
        assertEquals(List.of("cancel", "halt"), log);
    }

    @Test
    void everyActionHasItsOwnFirst() {
        for (int answer = 1; answer <= 2; answer++) {
            String name = "cancel " + answer;
            try (Interrupts.Scope _ = interrupts.during(() -> log.add(name))) {
                interrupts.signal();
            }
        }
        assertTrue(interrupts.happened());
        interrupts.signal();
        assertEquals(List.of("cancel 1", "cancel 2", "halt"), log);
    }
}
