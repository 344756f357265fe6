package dev.remora.models.experts;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class IntQueueTest {
    @Test
    void firstInFirstOutRoundAndRound() {
        IntQueue queue = new IntQueue(3);
        for (int round = 0; round < 10; round++) {
            queue.add(round);
            queue.add(-round);
            assertEquals(round, queue.remove());
            assertEquals(-round, queue.remove());
            assertTrue(queue.isEmpty());
        }
    }

    @Test
    void tooMuchIsAnError() {
        IntQueue queue = new IntQueue(1);
        queue.add(5);
        assertThrows(IllegalStateException.class, () -> queue.add(6));
    }
}
