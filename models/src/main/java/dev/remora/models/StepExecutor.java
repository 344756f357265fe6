package dev.remora.models;

import dev.remora.core.Batch;
import dev.remora.core.CachePool;
import dev.remora.core.RemoraException;
import dev.remora.core.Rows;
import dev.remora.core.sampling.Divergence;
import dev.remora.models.transformer.Transformer;
import dev.remora.moe.MoeWorkspace;
import dev.remora.moe.control.PolicyLoop;
import dev.remora.moe.policy.RouterPolicy;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.concurrent.CancellationException;

/**
 * Runs a step of one or more slots on the transformer, under the policy of the moment. What goes wrong with one slot is its
 * own affair: a shared step that fails is run again for each of its slots alone.
 *
 * <p>Where a guard watches, some steps of decoded tokens are run twice on the same cache, as the policy has it and exactly.
 * The policy goes first, so that it meets the experts in memory that it would have met without a guard. The rows that it
 * cached are put back afterwards, unless the guard says that the exact ones shall stay.
 */
final class StepExecutor {
    /** Most sequences of a step. */
    static final int MOST_MEMBERS = 64;

    private final Transformer transformer;
    private final Optional<MoeWorkspace> experts;
    private final PolicyLoop policies;
    private final Telemetry telemetry;
    private final CachePool pool;
    private final Batch batch;
    private final EngineSlot[] members = new EngineSlot[MOST_MEMBERS];
    private final MemorySegment savedRows;
    private final Transformer.LayerBoundary boundary = this::checkCancelled;
    private int count;
    private RouterPolicy announced = RouterPolicy.EXACT;

    /**
     * @param experts   the buffers of the sparse layers, if there are any
     * @param telemetry told what happens
     */
    StepExecutor(
            Transformer transformer,
            Optional<MoeWorkspace> experts,
            PolicyLoop policies,
            Telemetry telemetry,
            CachePool pool) {
        this.transformer = transformer;
        this.experts = experts;
        this.policies = policies;
        this.telemetry = telemetry;
        this.pool = pool;
        batch = new Batch(transformer.maxRows());
        savedRows = MemorySegment.ofArray(new byte[policies.guards() ? MOST_MEMBERS * pool.positionBytes() : 0]);
    }

    int vocabSize() {
        return transformer.vocabSize();
    }

    int maxRows() {
        return transformer.maxRows();
    }

    /**
     * Runs the steps of the first {@code n} slots and finishes them.
     *
     * @param slots of one row each, or one slot
     */
    void run(EngineSlot[] slots, int n) {
        count = 0;
        for (int i = 0; i < n; i++) {
            if (prepare(slots[i])) {
                members[count++] = slots[i];
            }
        }
        int shared = count;
        if (!tryRun(shared > 1) && shared > 1) {
            for (int i = 0; i < n; i++) {
                if (slots[i].failure == null) {
                    members[0] = slots[i];
                    count = 1;
                    tryRun(false);
                }
            }
        }
        for (int i = 0; i < n; i++) {
            EngineSlot slot = slots[i];
            slots[i] = null;
            slot.finish();
        }
    }

    /** False, with the slot's failure set, if the slot cannot take part. */
    private boolean prepare(EngineSlot slot) {
        int length = slot.sequence.length();
        try {
            checkIds(slot);
            slot.sequence.reserve(length + slot.count);
            return true;
        } catch (RuntimeException | Error e) {
            slot.failure = e;
            // Frees the pages that were reserved for nothing.
            slot.sequence.resize(length);
            return false;
        }
    }

    /**
     * Runs the members.
     *
     * @param again true if after a failure they are to be run once more
     * @return false if that failed
     */
    private boolean tryRun(boolean again) {
        if (count == 0) {
            return true;
        }
        try {
            forward();
        } catch (RuntimeException | Error e) {
            for (int i = 0; i < count && !again; i++) {
                members[i].failure = e;
                members[i].sequence.resize(members[i].sequence.length());
            }
            return false;
        }
        for (int i = 0; i < count; i++) {
            EngineSlot slot = members[i];
            int length = slot.sequence.length();
            boolean late = count > 1 && slot.cancelled();
            slot.failure = late ? new CancellationException("cancelled") : null;
            slot.sequence.resize(late ? length : length + slot.count);
        }
        return true;
    }

    private void forward() {
        batch.clear();
        for (int i = 0; i < count; i++) {
            batch.add(members[i].sequence, members[i].ids, members[i].from, members[i].count);
        }
        boolean decoding = batch.rows() == count;
        RouterPolicy policy = policies.next();
        announce(policy);
        if (decoding && policies.sampleThisStep()) {
            forwardBothWays();
        } else {
            follow(policy);
            forwardAsKept(!decoding);
        }
    }

    private void forwardAsKept(boolean prompt) {
        long hits = telemetry.hits();
        long misses = telemetry.misses();
        long bytes = telemetry.bytesRead();
        long start = System.nanoTime();
        telemetry.begin(batch, transformer.clock());
        transformer.forward(batch, boundary);
        deliver();
        telemetry.end(pool);
        policies.measured(
                prompt,
                batch.rows(),
                System.nanoTime() - start,
                telemetry.hits() - hits,
                telemetry.misses() - misses,
                telemetry.bytesRead() - bytes);
    }

    private void forwardInShadow() {
        telemetry.beginShadow(transformer.clock());
        try {
            transformer.forward(batch, boundary);
        } finally {
            telemetry.endShadow();
        }
    }

    private void forwardBothWays() {
        boolean exactBefore = policies.tripped();
        follow(policies.trial());
        if (exactBefore) {
            forwardInShadow();
            deliver();
        } else {
            forwardAsKept(false);
            for (int i = 0; i < count; i++) {
                CachePool.Sequence sequence = members[i].sequence;
                sequence.save(sequence.length(), savedRows, (long) i * pool.positionBytes());
            }
        }
        follow(RouterPolicy.EXACT);
        if (exactBefore) {
            telemetry.begin(batch, transformer.clock());
            transformer.forward(batch, boundary);
        } else {
            forwardInShadow();
        }
        compare();
        if (exactBefore) {
            deliver();
            telemetry.end(pool);
        } else if (policies.tripped()) {
            deliver();
        } else {
            for (int i = 0; i < count; i++) {
                CachePool.Sequence sequence = members[i].sequence;
                sequence.restore(sequence.length(), savedRows, (long) i * pool.positionBytes());
            }
        }
    }

    /** What the slots were given, by the policy, with what the exact router would have given them. */
    private void compare() {
        int vocabulary = vocabSize();
        for (int row = 0; row < count; row += Transformer.HEAD_ROWS) {
            int rows = Math.min(Transformer.HEAD_ROWS, count - row);
            Rows exact = transformer.logits(row, rows);
            for (int i = 0; i < rows; i++) {
                EngineSlot slot = members[row + i];
                if (slot.logitRows > 0) {
                    int at = exact.offset(i);
                    double kl = Divergence.kl(exact.data(), at, slot.logits, 0, vocabulary);
                    boolean same = Divergence.sameTop(exact.data(), at, slot.logits, 0, vocabulary);
                    telemetry.divergence(slot.sequence.length(), kl, same);
                    policies.sample(kl, same);
                }
            }
        }
    }

    /** Logits of the last forward pass to those who want them. */
    private void deliver() {
        if (count == 1) {
            EngineSlot slot = members[0];
            int first = slot.count - slot.logitRows;
            for (int row = first; row < slot.count; row += Transformer.HEAD_ROWS) {
                int rows = Math.min(Transformer.HEAD_ROWS, slot.count - row);
                Rows logits = transformer.logits(row, rows);
                for (int i = 0; i < rows; i++) {
                    copy(logits, i, slot, row - first + i);
                }
            }
            return;
        }
        for (int row = 0; row < count; row += Transformer.HEAD_ROWS) {
            int rows = Math.min(Transformer.HEAD_ROWS, count - row);
            Rows logits = transformer.logits(row, rows);
            for (int i = 0; i < rows; i++) {
                if (members[row + i].logitRows > 0) {
                    copy(logits, i, members[row + i], 0);
                }
            }
        }
    }

    private void copy(Rows logits, int row, EngineSlot slot, int to) {
        int vocabulary = vocabSize();
        System.arraycopy(logits.data(), logits.offset(row), slot.logits, to * vocabulary, vocabulary);
    }

    private void announce(RouterPolicy policy) {
        if (!announced.equals(policy)) {
            telemetry.policy(announced, policy, policies.reason());
            announced = policy;
        }
    }

    private void follow(RouterPolicy policy) {
        if (experts.isPresent() && !experts.get().policy().equals(policy)) {
            experts.get().policy(policy);
        }
    }

    private void checkIds(EngineSlot slot) {
        for (int i = slot.from; i < slot.from + slot.count; i++) {
            if (slot.ids[i] < 0 || slot.ids[i] >= vocabSize()) {
                throw new RemoraException("token id: expected 0 to " + (vocabSize() - 1) + ", found " + slot.ids[i]
                        + " at position " + (slot.sequence.length() + i - slot.from)
                        + "; do the tokenizer and the weights belong together?");
            }
        }
    }

    /** A step ends before its time when nobody wants it any more. */
    private void checkCancelled(int layer, Rows x) {
        for (int i = 0; i < count; i++) {
            if (!members[i].cancelled()) {
                return;
            }
        }
        throw new CancellationException("cancelled before layer " + layer);
    }
}
