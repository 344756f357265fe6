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
            long expected = MlaWorkspace.bytes(CONFIG, MAX_ROWS, 3);
            // Headers of about a hundred objects.
            assertTrue(Math.abs(expected - allocated) < 8192, expected + " accounted, " + allocated + " allocated");
        }
    }

    /** V2-Lite's 27 layers, BF16, at its full context. */
    @Test
    void thirtyTwoThousandPositionsTakeLessThanElevenHundredMegabytes() {
        MlaConfig lite = MlaFixture.config(16, 2048, 0, 512, 128, 64, 128);
        int rowBytes = new LatentCache(CacheFormat.BF16, lite).rowBytes();
        assertEquals(1152, rowBytes);
        try (CachePool pool = new CachePool(27, rowBytes, 1_100_000_000)) {
            assertEquals(27L * 1152 * 32_768, pool.bytesFor(32_768));
            assertTrue(pool.bytesFor(32_768) < 1_100_000_000, pool.bytesFor(32_768) + " bytes");
            CachePool.Sequence sequence = pool.open(32_768);
            sequence.reserve(32_768);
            assertEquals(27L * 1152 * 64, sequence.page(32_767).byteSize());
            assertEquals((26L * 64 + 63) * 1152, sequence.offset(26, 32_767));
        }
    }

    @Test
    void theLargestModelTakesFewPartialResults() {
        MlaConfig v3 = MlaFixture.config(128, 7168, 1536, 512, 128, 64, 128);
        assertTrue(AbsorbedPlan.bytes(v3, 512) < 9_000_000);
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
