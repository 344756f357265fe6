package dev.remora.mla;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.remora.core.Batch;
import dev.remora.core.CacheFormat;
import dev.remora.core.CachePool;
import dev.remora.core.Rope;
import dev.remora.core.RopeScaling;
import dev.remora.core.ThreadTeam;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

class MlaWorkspaceTest {
    private static final MlaConfig CONFIG = MlaFixture.config(20, 32, 24, 48, 24, 16, 40);
    private static final int MAX_ROWS = 256;

    @Test
    void theAccountOfMemoryIsWhatIsAllocated() {
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        try (ThreadTeam team = new ThreadTeam(3, MAX_ROWS)) {
            // The first one also loads classes.
            long width = workspace(team).queries().width();
            long before = threads.getCurrentThreadAllocatedBytes();
            width += workspace(team).queries().width();
            long allocated = threads.getCurrentThreadAllocatedBytes() - before;
            assertEquals(2L * 20 * 40, width);
            // The partial results come with the first step.
            long expected = MlaWorkspace.bytes(CONFIG, MAX_ROWS, 3, 512) - 4L * AbsorbedPlan.USUAL_SIZE;
            // Headers of about a hundred objects.
            assertTrue(Math.abs(expected - allocated) < 8192, expected + " accounted, " + allocated + " allocated");
        }
    }

    @Test
    void theAccountGrowsWithTheContext() {
        // 300 splits of two groups of 16 heads: 16 maxima, 16 sums and 16 latents of 48.
        long oneRow = 300L * 2 * 16 * (2 + 48);
        long twelve = 12 * oneRow;
        assertEquals(
                4 * (twelve - AbsorbedPlan.USUAL_SIZE),
                MlaWorkspace.bytes(CONFIG, 1, 1, 12 * 300 * 512) - MlaWorkspace.bytes(CONFIG, 1, 1, 512));
    }

    @Test
    void anotherBatchWithTheSameStepIsAnotherStep() {
        try (ThreadTeam team = new ThreadTeam(1, MAX_ROWS);
                CachePool pool = new CachePool(1, 2 * CONFIG.cacheWidth(), 1 << 20)) {
            MlaWorkspace workspace = workspace(team);
            CachePool.Sequence sequence = pool.open(10);
            workspace.begin(batch(sequence));
            assertEquals(1f, workspace.rotations().data()[0]);
            sequence.resize(5);
            workspace.begin(batch(sequence));
            assertEquals((float) Math.cos(5), workspace.rotations().data()[0]);
            sequence.resize(0);
        }
    }

    private static Batch batch(CachePool.Sequence sequence) {
        Batch batch = new Batch(1);
        batch.clear();
        batch.add(sequence, new int[] {3}, 0, 1);
        return batch;
    }

    private static MlaWorkspace workspace(ThreadTeam team) {
        Rope rope = new Rope(CONFIG.qkRopeHeadDim(), 10_000, new RopeScaling.None());
        return new MlaWorkspace(CONFIG, rope, CacheFormat.BF16, Evaluation.CHEAPEST, team, MAX_ROWS);
    }
}
