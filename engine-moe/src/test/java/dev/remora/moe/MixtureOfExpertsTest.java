package dev.remora.moe;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.Batch;
import dev.remora.core.CheckpointException;
import dev.remora.core.Rows;
import dev.remora.core.SwiGlu;
import dev.remora.core.ThreadTeam;
import dev.remora.core.weight.DenseFormat;
import dev.remora.moe.policy.Fallback;
import dev.remora.moe.policy.RouterPolicy;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("widths")
class MixtureOfExpertsTest {
    private static final long SEED = 7;

    @ParameterizedTest
    @EnumSource(DenseFormat.class)
    void equalsTheDenseSum(DenseFormat format) {
        for (MoeConfig config : List.of(MoeFixture.sigmoidConfig(), MoeFixture.softmaxConfig(), withoutShared())) {
            try (MoeFixture moe = new MoeFixture(config, SEED, format)) {
                int rows = 9;
                float[] x = moe.input(rows, SEED);
                float[] actual = moe.run(x, rows, 2);
                for (int row = 0; row < rows; row++) {
                    double[] expected = MoeSpecification.forward(moe, x, row);
                    double largest =
                            Arrays.stream(expected).map(Math::abs).max().orElseThrow();
                    for (int i = 0; i < expected.length; i++) {
                        // Two multiplications of 160 and 72 terms: an error of sqrt(160) * 2^-24 each, and some room.
                        double bound = 2e-6 * largest;
                        assertEquals(expected[i], actual[row * expected.length + i], bound, "row " + row + ", " + i);
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 7, 64, 512})
    void aRowHasTheSameBitsInEveryBatch(int rows) {
        for (MoeConfig config : List.of(MoeFixture.sigmoidConfig(), MoeFixture.softmaxConfig())) {
            try (MoeFixture moe = new MoeFixture(config, SEED, DenseFormat.BF16)) {
                int width = config.hiddenSize();
                float[] x = moe.input(rows, SEED);
                float[] together = moe.run(x, rows, 2);
                for (int row = 0; row < rows; row += Math.max(1, rows / 13)) {
                    float[] alone = moe.run(Arrays.copyOfRange(x, row * width, (row + 1) * width), 1, 1);
                    assertArrayEquals(
                            Arrays.copyOfRange(together, row * width, (row + 1) * width), alone, "row " + row);
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 5, 33})
    void threadCountsGiveTheSameBits(int rows) {
        try (MoeFixture moe = new MoeFixture(MoeFixture.sigmoidConfig(), SEED)) {
            float[] x = moe.input(rows, SEED);
            float[] expected = moe.run(x, rows, 1);
            for (int threads = 2; threads <= 4; threads++) {
                assertArrayEquals(expected, moe.run(x, rows, threads), threads + " threads");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void aStoreWithFewSlotsGivesTheSameBits(int slots) {
        try (MoeFixture moe = new MoeFixture(MoeFixture.sigmoidConfig(), SEED);
                ThreadTeam team = new ThreadTeam(2, 20)) {
            float[] x = moe.input(20, SEED);
            SlotStore store = new SlotStore(moe.experts, slots);
            Rows out = new Rows(20, moe.config.hiddenSize());
            moe.layer(new MoeWorkspace(moe.config, 20, team), store)
                    .forward(moe.rows(x, 20), MoeFixture.prompt(20), out);
            assertArrayEquals(moe.run(x, 20, 1), out.data());
            assertEquals(List.of(), store.held);
            assertEquals(moe.config.nRoutedExperts(), store.served);
        }
    }

    @Test
    void expertsAreReleasedWhenARunFails() {
        try (MoeFixture moe = new MoeFixture(MoeFixture.sigmoidConfig(), SEED);
                ThreadTeam team = new ThreadTeam(1, 4)) {
            SlotStore store = new SlotStore(moe.experts, 8);
            MixtureOfExperts layer = moe.layer(new MoeWorkspace(moe.config, 4, team), store);
            Rows tooNarrow = new Rows(4, 16);
            Rows h = moe.rows(moe.input(4, SEED), 4);
            assertThrows(IndexOutOfBoundsException.class, () -> layer.forward(h, MoeFixture.prompt(4), tooNarrow));
            assertEquals(List.of(), store.held);
        }
    }

    @Test
    void stepsOfChangingSizeAndInputLeaveNoTrace() {
        try (MoeFixture moe = new MoeFixture(MoeFixture.softmaxConfig(), SEED);
                ThreadTeam team = new ThreadTeam(2, 32)) {
            int width = moe.config.hiddenSize();
            MixtureOfExperts layer = moe.layer(new MoeWorkspace(moe.config, 32, team));
            Rows shared = new Rows(32, width);
            Rows out = new Rows(32, width);
            for (int rows : new int[] {32, 1, 7, 31, 0, 2}) {
                float[] x = moe.input(rows, rows);
                shared.resize(rows);
                System.arraycopy(x, 0, shared.data(), 0, x.length);
                // The same storage as in the step before, then another.
                for (Rows h : List.of(shared, moe.rows(x, rows))) {
                    layer.forward(h, MoeFixture.prompt(rows), out);
                    assertEquals(rows, out.count());
                    float[] expected = rows == 0 ? new float[0] : moe.run(x, rows, 1);
                    assertArrayEquals(expected, Arrays.copyOf(out.data(), rows * width), rows + " rows");
                }
            }
        }
    }

    @Test
    void theListenerSeesWhatWasRouted() {
        try (MoeFixture moe = new MoeFixture(MoeFixture.sigmoidConfig(), SEED);
                ThreadTeam team = new ThreadTeam(1, 3)) {
            float[] x = moe.input(3, SEED);
            MoeWorkspace workspace = new MoeWorkspace(moe.config, 3, team);
            List<Integer> seen = new ArrayList<>();
            workspace.listen((layer, routing) -> {
                assertEquals(1, layer);
                for (int row = 0; row < routing.rows(); row++) {
                    for (int rank = 0; rank < routing.count(row); rank++) {
                        seen.add(routing.expert(row, rank));
                    }
                }
            });
            moe.layer(workspace).forward(moe.rows(x, 3), MoeFixture.prompt(3), new Rows(3, moe.config.hiddenSize()));
            List<Integer> expected = new ArrayList<>();
            for (int row = 0; row < 3; row++) {
                expected.addAll(MoeSpecification.route(moe, x, row).experts());
            }
            assertEquals(expected, seen);
        }
    }

    @Test
    void allocatesNothing() {
        try (MoeFixture moe = new MoeFixture(MoeFixture.sigmoidConfig(), SEED, DenseFormat.BF16);
                ThreadTeam team = new ThreadTeam(1, 5)) {
            MixtureOfExperts layer = moe.layer(new MoeWorkspace(moe.config, 5, team));
            for (int rows : new int[] {1, 5}) {
                Rows h = moe.rows(moe.input(rows, SEED), rows);
                Batch batch = MoeFixture.prompt(rows);
                Rows out = new Rows(rows, moe.config.hiddenSize());
                // Patient, because the compiler shares the machine.
                long allocated = Long.MAX_VALUE;
                for (int round = 0; round < 40 && allocated >= 1024; round++) {
                    allocated = allocatedByHundredCalls(layer, h, batch, out);
                }
                assertTrue(allocated < 1024, allocated + " bytes in 100 calls of " + rows + " rows");
            }
        }
    }

    @Test
    void policiesAllocateNothing() {
        RouterPolicy everything = RouterPolicy.parse("mass:0.7,renormalize+capacity:0.5+noise:0.2,seed=1"
                + "+available:m=4,lambda=1,keep=1,loss=1+fallback:deadline=0ms,order=fp8/next/shared");
        try (MoeFixture moe = new MoeFixture(MoeFixture.sigmoidConfig(), SEED, DenseFormat.BF16);
                ThreadTeam team = new ThreadTeam(1, 8)) {
            MoeWorkspace workspace = new MoeWorkspace(moe.config, 8, team);
            AtomicInteger events = new AtomicInteger();
            workspace.observe(new RoutingObserver() {
                @Override
                public void overflow(int layer, int expert, int row) {
                    events.incrementAndGet();
                }

                @Override
                public void fallback(int layer, int expert, Fallback.Step step, int row) {
                    events.incrementAndGet();
                }
            });
            workspace.policy(everything);
            MixtureOfExperts layer = moe.layer(workspace, new EvenResident(moe.experts));
            Rows h = moe.rows(moe.input(8, SEED), 8);
            Rows out = new Rows(8, moe.config.hiddenSize());
            Batch batch = Batches.of(1, 6, 1);
            long allocated = Long.MAX_VALUE;
            for (int round = 0; round < 40 && allocated >= 1024; round++) {
                allocated = allocatedByHundredCalls(layer, h, batch, out);
                // To the exact router and back.
                workspace.policy(RouterPolicy.EXACT);
                workspace.policy(everything);
            }
            assertTrue(allocated < 1024, allocated + " bytes in 100 calls");
            assertTrue(events.get() > 0, "the policies had something to do");
        }
    }

    @Test
    void nothingOfAPolicyStaysWhenTheExactRouterComesBack() {
        for (MoeConfig config : List.of(MoeFixture.sigmoidConfig(), MoeFixture.softmaxConfig(), withoutShared())) {
            try (MoeFixture moe = new MoeFixture(config, SEED);
                    ThreadTeam team = new ThreadTeam(2, 8)) {
                float[] x = moe.input(8, SEED);
                MoeWorkspace workspace = new MoeWorkspace(config, 8, team);
                MixtureOfExperts layer = moe.layer(workspace, new EvenResident(moe.experts));
                Rows out = new Rows(8, config.hiddenSize());
                workspace.policy(RouterPolicy.parse("topk:1+capacity:0.1+fallback:deadline=0ms,order=fp8/next/shared"));
                layer.forward(moe.rows(x, 8), Batches.of(1, 6, 1), out);
                assertFalse(Arrays.equals(moe.run(x, 8, 1), out.data()));
                workspace.policy(RouterPolicy.EXACT);
                layer.forward(moe.rows(x, 8), Batches.of(1, 6, 1), out);
                assertArrayEquals(moe.run(x, 8, 1), out.data());
            }
        }
    }

    /** Even experts are in memory; of the odd ones, 3 has a copy. */
    private static final class EvenResident implements ExpertStore {
        private final List<SwiGlu> experts;
        private final Optional<SwiGlu> copy;

        EvenResident(List<SwiGlu> experts) {
            this.experts = experts;
            copy = Optional.of(experts.get(3));
        }

        @Override
        public int acquire(int layer, int[] ids, int from, int to, SwiGlu[] into) {
            for (int i = from; i < to; i++) {
                into[i - from] = experts.get(ids[i]);
            }
            return to - from;
        }

        @Override
        public void release(int layer, int[] ids, int from, int to) {}

        @Override
        public boolean resident(int layer, int expert) {
            return expert % 2 == 0;
        }

        @Override
        public long loadNanos(int layer) {
            return 5_000_000;
        }

        @Override
        public Optional<SwiGlu> substitute(int layer, int expert) {
            return expert == 3 ? copy : Optional.empty();
        }
    }

    private static long allocatedByHundredCalls(MixtureOfExperts layer, Rows h, Batch batch, Rows out) {
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        for (int i = 0; i < 1_000; i++) {
            layer.forward(h, batch, out);
        }
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < 100; i++) {
            layer.forward(h, batch, out);
        }
        return threads.getCurrentThreadAllocatedBytes() - before;
    }

    @Test
    void shapesAreChecked() {
        try (MoeFixture moe = new MoeFixture(MoeFixture.sigmoidConfig(), SEED);
                ThreadTeam team = new ThreadTeam(1, 4)) {
            MoeConfig config = moe.config;
            List<SwiGlu> tooFew = moe.experts.subList(1, 8);
            assertMessage("n_routed_experts = 8", () -> new ResidentExperts(config, List.of(tooFew)));
            List<SwiGlu> oneWrong = new ArrayList<>(moe.experts);
            SwiGlu first = moe.experts.get(0);
            oneWrong.set(5, new SwiGlu(first.down(), first.down(), first.gate()));
            assertMessage("layer 0, expert 5", () -> new ResidentExperts(config, List.of(oneWrong)));
            MoeWorkspace workspace = new MoeWorkspace(config, 4, team);
            assertThrows(
                    IllegalArgumentException.class,
                    () -> new MixtureOfExperts(
                            1,
                            config,
                            moe.router(workspace),
                            new SlotStore(moe.experts, 1),
                            Optional.empty(),
                            workspace));
            MixtureOfExperts layer = moe.layer(workspace);
            Rows five = moe.rows(moe.input(5, SEED), 5);
            assertThrows(
                    IllegalArgumentException.class,
                    () -> layer.forward(five, MoeFixture.prompt(5), new Rows(5, config.hiddenSize())));
        }
    }

    private static void assertMessage(String part, Executable executable) {
        String message = assertThrows(CheckpointException.class, executable).getMessage();
        assertTrue(message.contains(part), message);
    }

    private static MoeConfig withoutShared() {
        return new MoeConfig(160, 72, 8, 0, 3, 4, 2, ScoringFunc.SOFTMAX, TopkMethod.GROUP_LIMITED_GREEDY, false, 16);
    }

    /** Serves a few experts at a time, and remembers which are out. */
    private static final class SlotStore implements ExpertStore {
        private final List<SwiGlu> experts;
        private final int slots;
        private final List<Integer> held = new ArrayList<>();
        private int served;

        SlotStore(List<SwiGlu> experts, int slots) {
            this.experts = experts;
            this.slots = slots;
        }

        @Override
        public int acquire(int layer, int[] ids, int from, int to, SwiGlu[] into) {
            int count = Math.min(slots, to - from);
            for (int i = 0; i < count; i++) {
                into[i] = experts.get(ids[from + i]);
                held.add(ids[from + i]);
            }
            served += count;
            return count;
        }

        @Override
        public void release(int layer, int[] ids, int from, int to) {
            for (int i = from; i < to; i++) {
                assertTrue(held.remove(Integer.valueOf(ids[i])));
            }
        }
    }
}
