package dev.remora.core.sampling;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.RemoraException;
import org.junit.jupiter.api.Test;

class DivergenceTest {
    @Test
    void divergenceIsThatOfTheDistributions() {
        float[] p = {0, (float) Math.log(3)};
        float[] q = {9, 9};
        // 1/4 log(1/2) + 3/4 log(3/2)
        assertEquals(0.25 * Math.log(0.5) + 0.75 * Math.log(1.5), Divergence.kl(p, 0, q, 0, 2), 1e-7);
        assertEquals(0, Divergence.kl(p, 0, p, 0, 2));
        assertEquals(Double.POSITIVE_INFINITY, Divergence.kl(p, 0, new float[] {0, Float.NaN}, 0, 2));
        float[] broken = {Float.NaN, 0};
        assertThrows(RemoraException.class, () -> Divergence.kl(broken, 0, q, 0, 2));
        assertFalse(Divergence.sameTop(p, 0, q, 0, 2), "of equal logits the first counts");
        assertTrue(Divergence.sameTop(p, 0, new float[] {5, 0, 1}, 1, 2));
    }
}
