package dev.remora.models.eval;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.sampling.Greedy;
import dev.remora.models.eval.PolicyResult.Cost;
import dev.remora.moe.policy.Fallback;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

class QualityTest {
    private static final Quality ONE = new Quality(2, 2, 1, 1, 1, 0, 1, 3, 3 * Math.log(2), 0.3, 2);
    private static final Quality OTHER = new Quality(3, 1, 1, 3, 2, 1, 0, 1, Math.log(32), 0.1, 1);

    @Test
    void sumsAddUpAndMeansFollow() {
        Quality both = ONE.plus(OTHER);
        assertEquals(new Quality(5, 3, 2, 4, 3, 1, 1, 4, 3 * Math.log(2) + Math.log(32), 0.4, 3), both);
        assertEquals(0.75, both.accuracy());
        assertEquals(4, both.perplexity(), 1e-12, "2^8 over four tokens");
        assertEquals(0.1, both.kl(), 1e-12);
        assertEquals(0.75, both.top1Agreement());
        assertEquals(ONE, ONE.plus(Quality.NONE));
    }

    @Test
    void nothingHasNoMean() {
        assertTrue(Double.isNaN(Quality.NONE.accuracy()));
        assertTrue(Double.isNaN(Quality.NONE.perplexity()));
        assertTrue(Double.isNaN(Quality.NONE.kl()));
        assertTrue(Double.isNaN(Quality.NONE.top1Agreement()));
    }

    @Test
    void costsAreByTokenAndChoice() {
        Cost cost = new Cost(10, 2_000_000_000, 40, 120, 500, 90, 30, 0, Map.of(Fallback.Step.NEXT, 3L));
        assertEquals(5, cost.tokensPerSecond());
        assertEquals(3, cost.expertsPerToken());
        assertEquals(50, cost.bytesReadPerToken());
        assertEquals(0.75, cost.hitRate());
        Cost none = new Cost(0, 0, 0, 0, 0, 0, 0, 0, Map.of());
        assertTrue(Double.isNaN(none.tokensPerSecond()) && Double.isNaN(none.expertsPerToken()));
        assertTrue(Double.isNaN(none.bytesReadPerToken()) && Double.isNaN(none.hitRate()));
    }

    @Test
    void theLowerOfEqualLogitsIsTheChoice() {
        assertEquals(1, Greedy.choice(new float[] {0, 3, 2, 3}, 0, 4));
        assertEquals(0, Greedy.choice(new float[] {0, -0f}, 0, 2));
    }

    @Test
    void theYardstickGivesBackItsRowsAndLeavesNoFile() {
        Path file;
        try (Yardstick yardstick = new Yardstick(3)) {
            file = yardstick.file();
            yardstick.write(new float[] {1, Float.MIN_VALUE, -0f});
            yardstick.write(new float[] {4, 5, 6});
            yardstick.judge(7, true);
            float[] row = new float[3];
            for (int pass = 0; pass < 2; pass++) {
                yardstick.rewind();
                yardstick.read(row);
                assertArrayEquals(new float[] {1, Float.MIN_VALUE, -0f}, row);
                yardstick.read(row);
                assertArrayEquals(new float[] {4, 5, 6}, row);
            }
            assertThrows(UncheckedIOException.class, () -> yardstick.read(row), "there are no more rows");
            assertTrue(yardstick.right(7) && !yardstick.right(6));
            assertTrue(Files.exists(file));
        }
        assertFalse(Files.exists(file));
    }
}
