package dev.remora.mla;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.CacheFormat;
import dev.remora.core.CachePool;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What must not change a single bit: neighbours in the step, threads, waves, rollback, rows that are not seen. */
@Tag("widths")
class BitEqualityTest {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final List<Evaluation> BOTH = List.of(Evaluation.ABSORBED, Evaluation.EXPANDED);

    /** Expands segments of more than two rows, so that one step holds both kinds. */
    private static final Evaluation MIXED = (config, cached, rows) -> rows > 2;

    @ParameterizedTest
    @EnumSource(CacheFormat.class)
    void aSequenceHasTheSameBitsAloneAndAmongOthers(CacheFormat format) {
        int[] cached = {520, 0, 70, 3, 130, 0, 63};
        int[] rows = {1, 4, 2, 7, 3, 1, 65};
        try (MlaFixture fixture = new MlaFixture(MlaFixture.config(17, 48, 24, 48, 24, 16, 40), true, 1);
                MlaFixture.Engine engine = fixture.engine(MIXED, format, 2, 128)) {
            float[][] inputs = new float[cached.length][];
            float[][] alone = new float[cached.length][];
            CachePool.Sequence[] sequences = new CachePool.Sequence[cached.length];
            for (int i = 0; i < cached.length; i++) {
                inputs[i] = fixture.input(cached[i] + rows[i], 100 + i);
                sequences[i] = engine.open();
                engine.fill(sequences[i], inputs[i], cached[i]);
                alone[i] = engine.run(sequences[i], inputs[i], rows[i]);
                sequences[i].resize(cached[i]);
            }
            for (int i = 0; i < cached.length; i++) {
                engine.add(sequences[i], inputs[i], rows[i]);
            }
            float[] together = engine.run();
            int at = 0;
            for (int i = 0; i < cached.length; i++) {
                float[] part = Arrays.copyOfRange(together, at, at + alone[i].length);
                assertArrayEquals(alone[i], part, "sequence " + i);
                at += part.length;
            }
            assertEquals(together.length, at);
        }
    }

    /** Prefill in one step, in several, or token by token: one evaluation gives one answer. */
    @Test
    void chunksOfASequenceChangeNothing() {
        try (MlaFixture fixture = MlaFixture.small()) {
            float[] h = fixture.input(140, 2);
            for (Evaluation evaluation : BOTH) {
                try (MlaFixture.Engine engine = fixture.engine(evaluation, CacheFormat.F32, 2, 140)) {
                    float[] whole = engine.run(engine.open(), h, 140);
                    for (int step : new int[] {1, 7, 64, 65}) {
                        CachePool.Sequence sequence = engine.open();
                        for (int at = 0; at < 140; at += step) {
                            int count = Math.min(step, 140 - at);
                            float[] expected = Arrays.copyOfRange(whole, at * 32, (at + count) * 32);
                            assertArrayEquals(expected, engine.run(sequence, h, count), at + " in steps of " + step);
                        }
                    }
                }
            }
        }
    }

    @Test
    void threadsChangeNothing() {
        try (MlaFixture fixture = new MlaFixture(MlaFixture.config(17, 48, 24, 48, 24, 16, 40), true, 3)) {
            float[] h = fixture.input(700, 4);
            for (Evaluation evaluation : BOTH) {
                float[][] expected = new float[3][];
                for (int threads = 1; threads <= 4; threads++) {
                    try (MlaFixture.Engine engine = fixture.engine(evaluation, CacheFormat.BF16, threads, 60)) {
                        CachePool.Sequence sequence = engine.open();
                        engine.fill(sequence, h, 590);
                        int step = 0;
                        for (int count : new int[] {1, 9, 60}) {
                            float[] actual = engine.run(sequence, h, count);
                            if (threads == 1) {
                                expected[step] = actual;
                            }
                            assertArrayEquals(expected[step++], actual, threads + " threads");
                        }
                    }
                }
            }
        }
    }

    /**
     * With little room for partial results a step goes in waves, over its rows and over one long context among short ones:
     * room for two splits of a bundle at the least.
     */
    @Test
    void wavesChangeNothing() {
        MlaConfig config = MlaFixture.config(17, 32, 0, 48, 24, 16, 40);
        int deep = 4100;
        try (MlaFixture fixture = new MlaFixture(config, false, 5);
                MlaFixture.Engine roomy = fixture.absorbingEngine(2, 90, 1 << 22)) {
            float[] h = fixture.input(deep + 3, 6);
            float[] expected = oneLongAmongShort(roomy, config, h, deep);
            assertEquals(1, waves(roomy));
            int slot = OnlineAttention.slotSize(1);
            for (int slots : new int[] {8, 9, 30, 67, 68, 69, 100, 190}) {
                try (MlaFixture.Engine narrow = fixture.absorbingEngine(2, 90, slots * slot)) {
                    assertArrayEquals(expected, oneLongAmongShort(narrow, config, h, deep), slots + " slots");
                    assertTrue(waves(narrow) > 1);
                }
            }
        }
    }

    private static float[] oneLongAmongShort(MlaFixture.Engine engine, MlaConfig config, float[] h, int deep) {
        CachePool.Sequence before = engine.open();
        CachePool.Sequence longest = engine.open();
        CachePool.Sequence after = engine.open();
        fillAtRandom(engine, config, longest, deep);
        engine.add(before, h, 40);
        engine.add(longest, h, 3);
        engine.add(after, h, 45);
        return engine.run();
    }

    private static int waves(MlaFixture.Engine engine) {
        AbsorbedPlan plan = engine.workspace.absorbed();
        int waves = 0;
        plan.beginWaves();
        while (plan.nextWave()) {
            waves++;
        }
        return waves;
    }

    /** What a later row of the same step holds, even if it is no number, never reaches an earlier row. */
    @Test
    void laterRowsDoNotReachEarlierOnes() {
        try (MlaFixture fixture = MlaFixture.small()) {
            float[] h = fixture.input(150, 14);
            for (Evaluation evaluation : BOTH) {
                try (MlaFixture.Engine engine = fixture.engine(evaluation, CacheFormat.F32, 2, 80)) {
                    for (int cached : new int[] {0, 7, 60, 64}) {
                        for (int poisoned : new int[] {1, 2, 3, 4, 15, 16, 17, 40, 69}) {
                            CachePool.Sequence sequence = engine.open();
                            engine.fill(sequence, h, cached);
                            float[] expected = engine.run(sequence, h, 70);
                            sequence.resize(cached);
                            float[] poison = h.clone();
                            Arrays.fill(poison, (cached + poisoned) * 32, poison.length, Float.NaN);
                            float[] actual = engine.run(sequence, poison, 70);
                            assertArrayEquals(
                                    Arrays.copyOf(expected, poisoned * 32),
                                    Arrays.copyOf(actual, poisoned * 32),
                                    cached + " + " + poisoned);
                            assertTrue(Float.isNaN(actual[poisoned * 32]));
                            sequence.close();
                        }
                    }
                }
            }
        }
    }

    /** The stretch of context that the expanded evaluation takes at a time depends on the rows that an engine allows. */
    @Test
    void stretchesChangeNothing() {
        try (MlaFixture fixture = new MlaFixture(MlaFixture.config(17, 48, 24, 80, 72, 16, 100), true, 15)) {
            float[] h = fixture.input(700, 16);
            float[] expected = null;
            for (int maxRows : new int[] {60, 130, 300, 600}) {
                try (MlaFixture.Engine engine = fixture.engine(Evaluation.EXPANDED, CacheFormat.BF16, 2, maxRows)) {
                    CachePool.Sequence sequence = engine.open();
                    engine.fill(sequence, h, 620);
                    float[] actual = engine.run(sequence, h, 60);
                    if (expected == null) {
                        expected = actual;
                    }
                    assertArrayEquals(expected, actual, maxRows + " rows");
                }
            }
        }
    }

    private static void fillAtRandom(
            MlaFixture.Engine engine, MlaConfig config, CachePool.Sequence sequence, int positions) {
        Random random = new Random(9);
        float[] row = new float[config.cacheWidth()];
        sequence.reserve(positions);
        for (int position = 0; position < positions; position++) {
            for (int i = 0; i < row.length; i++) {
                row[i] = (float) random.nextGaussian();
            }
            engine.workspace.cache().store(sequence, engine.layer(), position, row, 0);
        }
        sequence.resize(positions);
    }

    @Test
    void rollingBackAndAppendingAgainChangesNothing() {
        try (MlaFixture fixture = MlaFixture.small()) {
            float[] h = fixture.input(200, 7);
            float[] other = fixture.input(200, 8);
            for (Evaluation evaluation : BOTH) {
                try (MlaFixture.Engine engine = fixture.engine(evaluation, CacheFormat.BF16, 2, 100)) {
                    CachePool.Sequence sequence = engine.open();
                    engine.fill(sequence, h, 100);
                    float[] expected = engine.run(sequence, h, 40);
                    sequence.resize(100);
                    assertArrayEquals(expected, engine.run(sequence, h, 40));
                    // Something else in between, which reuses the pages that were given back.
                    sequence.resize(30);
                    CachePool.Sequence thief = engine.open();
                    engine.fill(thief, other, 130);
                    engine.fill(sequence, other, 150);
                    sequence.resize(30);
                    engine.fill(sequence, h, 100);
                    assertArrayEquals(expected, engine.run(sequence, h, 40));
                }
            }
        }
    }

    /** BF16 rounds the rows of the cache and nothing else. */
    @Test
    void theBf16CacheIsAnF32CacheOfRoundedRows() {
        try (MlaFixture fixture = new MlaFixture(MlaFixture.config(17, 48, 24, 48, 24, 16, 40), true, 10)) {
            float[] h = fixture.input(540, 11);
            for (Evaluation evaluation : BOTH) {
                try (MlaFixture.Engine exact = fixture.engine(evaluation, CacheFormat.F32, 2, 128);
                        MlaFixture.Engine rounded = fixture.engine(evaluation, CacheFormat.BF16, 2, 128)) {
                    CachePool.Sequence wide = exact.open();
                    CachePool.Sequence narrow = rounded.open();
                    exact.fill(wide, h, 530);
                    rounded.fill(narrow, h, 530);
                    rounded.add(narrow, h, 7);
                    rounded.forward();
                    exact.add(wide, h, 7);
                    exact.forward();
                    float[] unrounded = attended(exact, 7);
                    int values = roundCache(exact, fixture.config, wide, narrow, rounded.layer(), 537);
                    assertEquals(537 * fixture.config.cacheWidth(), values);
                    // The queries of the step are still there: attend once more, now over the rounded rows.
                    new AbsorbedAttention(fixture.weights, exact.workspace).forward(exact.batch, exact.layer());
                    new ExpandedAttention(fixture.weights, exact.workspace).forward(exact.batch, exact.layer());
                    assertArrayEquals(attended(rounded, 7), attended(exact, 7));
                    assertTrue(!Arrays.equals(unrounded, attended(exact, 7)));
                }
            }
        }
    }

    /** Rounds the rows of the f32 cache to nearest, ties to even, and compares them with the BF16 cache. */
    private static int roundCache(
            MlaFixture.Engine engine,
            MlaConfig config,
            CachePool.Sequence wide,
            CachePool.Sequence narrow,
            int layer,
            int positions) {
        int values = 0;
        for (int position = 0; position < positions; position++) {
            MemorySegment page = wide.page(position);
            for (int i = 0; i < config.cacheWidth(); i++) {
                long at = wide.offset(engine.layer(), position) + 4L * i;
                int bits = page.get(INT, at);
                int upper = (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
                page.set(INT, at, upper << 16);
                long stored = narrow.offset(layer, position) + 2L * i;
                assertEquals((short) upper, narrow.page(position).get(SHORT, stored));
                values++;
            }
        }
        return values;
    }

    private static float[] attended(MlaFixture.Engine engine, int rows) {
        return Arrays.copyOf(
                engine.workspace.attended().data(),
                rows * engine.workspace.attended().width());
    }

    /** Pages are not cleared: what an earlier sequence left after the end of this one must not be seen. */
    @ParameterizedTest
    @EnumSource(CacheFormat.class)
    void rowsAfterTheEndAreNotSeen(CacheFormat format) {
        try (MlaFixture fixture = MlaFixture.small()) {
            float[] h = fixture.input(80, 12);
            for (Evaluation evaluation : BOTH) {
                try (MlaFixture.Engine engine = fixture.engine(evaluation, format, 1, 80)) {
                    for (int cached : new int[] {0, 5, 60, 63, 64, 70}) {
                        for (int rows : new int[] {1, 3, 6}) {
                            CachePool.Sequence clean = engine.open();
                            engine.fill(clean, h, cached);
                            float[] expected = engine.run(clean, h, rows);
                            CachePool.Sequence dirty = engine.open();
                            dirty.reserve(192);
                            for (int position = 0; position < 192; position += CachePool.PAGE_ROWS) {
                                dirty.page(position).fill((byte) 0xff);
                            }
                            engine.fill(dirty, h, cached);
                            // The pages that filling gave back come again, as they were.
                            dirty.reserve(192);
                            for (int position = cached; position < 192; position++) {
                                assertEquals(-1, dirty.page(position).get(INT, dirty.offset(engine.layer(), position)));
                            }
                            assertArrayEquals(expected, engine.run(dirty, h, rows), cached + " + " + rows);
                            clean.close();
                            dirty.close();
                        }
                    }
                }
            }
        }
    }

    /** A step over numbers that are none poisons its own rows, not the workers' tiles. */
    @Test
    void aPoisonedStepLeavesNoTrace() {
        try (MlaFixture fixture = MlaFixture.small()) {
            float[] h = fixture.input(80, 13);
            float[] poison = new float[h.length];
            Arrays.fill(poison, Float.NaN);
            for (Evaluation evaluation : BOTH) {
                try (MlaFixture.Engine engine = fixture.engine(evaluation, CacheFormat.F32, 2, 80)) {
                    CachePool.Sequence sequence = engine.open();
                    float[] expected = engine.run(sequence, h, 80);
                    sequence.resize(0);
                    assertTrue(Float.isNaN(engine.run(sequence, poison, 80)[0]));
                    sequence.resize(0);
                    assertArrayEquals(expected, engine.run(sequence, h, 80));
                }
            }
        }
    }
}
