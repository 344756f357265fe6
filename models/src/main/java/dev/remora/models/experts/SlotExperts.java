package dev.remora.models.experts;

import dev.remora.core.CheckpointException;
import dev.remora.core.RemoraException;
import dev.remora.core.SwiGlu;
import dev.remora.core.Weight;
import dev.remora.moe.ExpertObserver;
import dev.remora.moe.ExpertStore;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Optional;

/**
 * A store with a fixed number of slots, filled from files. The engine thread asks; threads of the store read: first what is
 * asked for, in the order of the request, then, while they have nothing else to do, what the next layer will probably ask
 * for: what its router is expected to choose, else the experts that it used in the step before, or all of them where a
 * prompt uses most. An expert that is in memory when it is asked for costs no allocation.
 *
 * <p>A request for more experts than there are slots is served in waves. While the engine works on one, the next is read.
 */
public final class SlotExperts implements ExpertStore, AutoCloseable {
    /** Where most experts of a layer are used, the next layer will probably use all: a prompt. */
    private static final int MOST = 2;

    /** With fewer slots than so many rows need, none is left for what is only expected. */
    private static final int MANY = 4;

    /** Of the estimate of a load's time: the last one counts this part. */
    private static final int SMOOTHING = 8;

    private final ExpertPlan plan;
    private final ExpertFiles files;
    private final Optional<Fp8Copies> copies;
    private final ExpertObserver observer;
    private final SlotTable table;
    private final Arena arena;
    private final Thread[] threads;
    private final Object lock = new Object();

    // Guarded by lock. A job is a matrix of a slot: slot * 3 + its index.
    private final ExpertSlot[] slots;
    private final IntQueue jobs;
    private final int[] ahead;
    private final boolean[] used;
    private final RemoraException[] failures;
    private int aheadNext;
    private int aheadCount;
    private volatile long loadNanos;
    private boolean closed;

    /**
     * Opens the files and starts the threads.
     *
     * @param arena  that will own the slots; it must be shared, and closed after this
     * @param copies of all experts, if there are any
     */
    SlotExperts(ExpertPlan plan, Arena arena, Optional<Fp8Copies> copies, ExpertObserver observer) {
        this.plan = plan;
        this.copies = copies;
        this.observer = observer;
        this.arena = arena;
        int layers = plan.layers();
        int experts = plan.expertsPerLayer();
        table = new SlotTable(layers, experts, plan.slots());
        slots = new ExpertSlot[plan.slots()];
        Arrays.setAll(slots, i -> plan.slot());
        jobs = new IntQueue(ExpertSlot.PARTS * plan.slots());
        ahead = new int[Math.max(experts, plan.slots())];
        used = new boolean[layers * experts];
        failures = new RemoraException[layers * experts];
        pin();
        files = plan.open();
        threads = new Thread[plan.readers()];
        try {
            for (int i = 0; i < threads.length; i++) {
                ExpertReader reader = new ExpertReader(files, arena, plan.stagingBytes());
                // Platform threads that nobody interrupts: an interrupt would close the file they read.
                threads[i] = Thread.ofPlatform()
                        .name("remora-expert-reader-" + i)
                        .daemon()
                        .start(() -> readExperts(reader));
            }
        } catch (Throwable e) {
            close();
            throw e;
        }
    }

    /** The hottest experts are read first, and stay. */
    private void pin() {
        for (StoredExpert expert : plan.pinned()) {
            int id = table.id(expert.layer(), expert.expert());
            table.pin(id);
            order(table.assign(id, SlotTable.Need.WANTED));
        }
    }

    @Override
    public int acquire(int layer, int[] ids, int from, int to, SwiGlu[] into) {
        synchronized (lock) {
            if (from == 0) {
                begin(layer, ids, to);
            }
            try {
                int count = awaitSome(layer, ids, from, to);
                for (int i = 0; i < count; i++) {
                    int id = table.id(layer, ids[from + i]);
                    table.want(id, false);
                    table.use(id);
                    into[i] = slots[table.slotOf(id)].network();
                }
                return count;
            } catch (Throwable e) {
                forget(layer, ids, from, to);
                throw e;
            }
        }
    }

    private void begin(int layer, int[] ids, int count) {
        table.arrive(layer);
        for (int expert = 0; expert < plan.expertsPerLayer(); expert++) {
            // Forgets what was expected of this layer.
            table.want(table.id(layer, expert), false);
        }
        for (int i = 0; i < count; i++) {
            int id = table.id(layer, ids[i]);
            failures[id] = null;
            table.count(id);
            table.want(id, true);
            if (table.ready(id)) {
                observer.hit(layer, ids[i]);
            } else {
                observer.miss(layer, ids[i]);
            }
        }
        predict(layer, count);
        remember(layer, ids, count);
    }

    /** Lists what the readers bring in while nobody asks for anything. */
    private void predict(int layer, int count) {
        aheadNext = 0;
        aheadCount = 0;
        int next = plan.sparseAfter(layer);
        boolean all = count * MOST > plan.expertsPerLayer();
        for (int expert = 0; expert < plan.expertsPerLayer(); expert++) {
            int id = table.id(next, expert);
            if (all || used[id]) {
                ahead[aheadCount++] = id;
            }
        }
    }

    private void remember(int layer, int[] ids, int count) {
        int first = table.id(layer, 0);
        Arrays.fill(used, first, first + plan.expertsPerLayer(), false);
        for (int i = 0; i < count; i++) {
            used[first + ids[i]] = true;
        }
    }

    private int awaitSome(int layer, int[] ids, int from, int to) {
        boolean interrupted = false;
        try {
            while (true) {
                boolean all = demand(layer, ids, from, to);
                int count = 0;
                while (from + count < to && table.ready(table.id(layer, ids[from + count]))) {
                    count++;
                }
                if (count > 0) {
                    lock.notifyAll();
                    // With more to come than there are slots, one half is worked on while the other is filled.
                    return all ? count : Math.min(count, Math.max(1, table.slots() / 2));
                }
                interrupted |= pause(0);
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Has as many experts read as there are slots for; true if there were for all. */
    private boolean demand(int layer, int[] ids, int from, int to) {
        boolean all = true;
        for (int i = from; i < to && all; i++) {
            int id = table.id(layer, ids[i]);
            if (failures[id] != null) {
                throw again(failures[id]);
            }
            if (table.slotOf(id) == SlotTable.NONE) {
                all = load(id, i == from ? SlotTable.Need.NEXT : SlotTable.Need.WANTED);
            }
        }
        return all;
    }

    /** True if there was a slot. */
    private boolean load(int id, SlotTable.Need need) {
        int slot = table.assign(id, need);
        if (slot == SlotTable.NONE) {
            return false;
        }
        order(slot);
        lock.notifyAll();
        return true;
    }

    private void order(int slot) {
        slots[slot].begin(System.nanoTime());
        for (int index = 0; index < ExpertSlot.PARTS; index++) {
            jobs.add(ExpertSlot.PARTS * slot + index);
        }
    }

    /** A failure belongs to the request that meets it: its stack says who asked, its cause who read. */
    private static RemoraException again(RemoraException failure) {
        return new CheckpointException(failure.getMessage(), failure);
    }

    private void forget(int layer, int[] ids, int from, int to) {
        for (int i = from; i < to; i++) {
            table.want(table.id(layer, ids[i]), false);
            failures[table.id(layer, ids[i])] = null;
        }
    }

    @Override
    public void release(int layer, int[] ids, int from, int to) {
        synchronized (lock) {
            for (int i = from; i < to; i++) {
                table.release(table.id(layer, ids[i]));
            }
            lock.notifyAll();
        }
    }

    @Override
    public boolean limited() {
        return plan.slots() < plan.experts();
    }

    @Override
    public void expect(int layer, int[] ids, int count) {
        if (table.slots() < MANY * count) {
            return;
        }
        synchronized (lock) {
            aheadNext = 0;
            aheadCount = 0;
            for (int i = 0; i < count; i++) {
                int id = table.id(layer, ids[i]);
                table.want(id, true);
                ahead[aheadCount++] = id;
            }
            lock.notifyAll();
        }
    }

    /** Any thread may ask; what is here now may be gone when it is asked for. */
    @Override
    public boolean resident(int layer, int expert) {
        return table.ready(table.id(layer, expert));
    }

    @Override
    public long loadNanos(int layer) {
        return loadNanos;
    }

    @Override
    public void prefetch(int layer, int[] ids, int count) {
        synchronized (lock) {
            for (int i = 0; i < count; i++) {
                int id = table.id(layer, ids[i]);
                if (table.slotOf(id) == SlotTable.NONE) {
                    load(id, SlotTable.Need.WANTED);
                }
            }
        }
    }

    /** As the interface says; an expert that nobody reads is not waited for. */
    @Override
    public boolean await(int layer, int expert, long deadlineNanos) {
        int id = table.id(layer, expert);
        boolean interrupted = false;
        synchronized (lock) {
            long left = deadlineNanos - System.nanoTime();
            while (!table.ready(id) && table.slotOf(id) != SlotTable.NONE && left > 0) {
                interrupted |= pause(left);
                left = deadlineNanos - System.nanoTime();
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return table.ready(id);
    }

    @Override
    public Optional<SwiGlu> substitute(int layer, int expert) {
        return copies.isPresent() ? copies.get().of(layer, expert) : Optional.empty();
    }

    /**
     * Waits until something changes.
     *
     * @param nanos at most so long; 0: for ever
     * @return true if the thread was interrupted meanwhile, which ends nothing here
     */
    @SuppressWarnings("WaitNotInLoop") // all callers loop
    private boolean pause(long nanos) {
        try {
            lock.wait(nanos == 0 ? 0 : nanos / 1_000_000, nanos == 0 ? 0 : (int) (nanos % 1_000_000));
            return false;
        } catch (InterruptedException e) {
            return true;
        }
    }

    private void readExperts(ExpertReader reader) {
        while (true) {
            int job;
            StoredExpert expert;
            synchronized (lock) {
                while (!closed && jobs.isEmpty() && !orderAhead()) {
                    pause(0);
                }
                if (closed) {
                    return;
                }
                job = jobs.remove();
                int id = table.occupant(job / ExpertSlot.PARTS);
                expert = plan.expert(table.layerOf(id), table.expertOf(id));
            }
            bringIn(reader, expert, job / ExpertSlot.PARTS, job % ExpertSlot.PARTS);
        }
    }

    /** True if there was something that the next layer will probably ask for, and a slot for it. */
    private boolean orderAhead() {
        while (aheadNext < aheadCount) {
            int id = ahead[aheadNext++];
            if (table.slotOf(id) == SlotTable.NONE) {
                int slot = table.assign(id, table.wanted(id) ? SlotTable.Need.WANTED : SlotTable.Need.AHEAD);
                if (slot != SlotTable.NONE) {
                    order(slot);
                    lock.notifyAll();
                    return true;
                }
            }
        }
        return false;
    }

    private void bringIn(ExpertReader reader, StoredExpert expert, int slot, int index) {
        Weight weight = null;
        RemoraException failure = null;
        try {
            MemorySegment memory = slots[slot].memory(index, expert.parts().get(index), arena);
            weight = reader.read(expert, index, memory);
        } catch (RemoraException e) {
            failure = e;
        } catch (Throwable e) {
            failure = new RemoraException(expert + ": cannot be brought into memory: " + e, e);
        }
        synchronized (lock) {
            if (slots[slot].finish(index, weight, failure)) {
                finish(expert, slot);
                lock.notifyAll();
            }
        }
    }

    private void finish(StoredExpert expert, int slot) {
        RemoraException failure = slots[slot].failure();
        if (failure == null) {
            table.loaded(slot);
            long nanos = System.nanoTime() - slots[slot].begun();
            loadNanos = loadNanos == 0 ? nanos : loadNanos + (nanos - loadNanos) / SMOOTHING;
            observer.loaded(expert.layer(), expert.expert(), expert.storedBytes(), nanos);
        } else {
            int id = table.occupant(slot);
            table.failed(slot);
            if (table.wanted(id)) {
                failures[id] = failure;
            }
        }
    }

    /** Waits for the threads; no step may be running. */
    @Override
    public void close() {
        synchronized (lock) {
            closed = true;
            lock.notifyAll();
        }
        boolean interrupted = false;
        for (Thread thread : threads) {
            while (thread != null && thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        files.close();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
