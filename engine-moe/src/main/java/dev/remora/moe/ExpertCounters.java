package dev.remora.moe;

import dev.remora.moe.policy.Fallback;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * What happened to each expert of each layer since the beginning, or the last {@link #reset}. Counting allocates nothing.
 * Written by the engine thread and those of a store; read by any thread at any time, each number by itself.
 */
public final class ExpertCounters implements RoutingListener, RoutingObserver, ExpertObserver {
    private static final double MICRO = 1e6;
    private static final double LN_2 = Math.log(2);

    private final int layers;
    private final int experts;

    // (layers, experts)
    private final AtomicLongArray load;
    private final AtomicLongArray overflow;
    private final Map<Fallback.Step, AtomicLongArray> fallback = new EnumMap<>(Fallback.Step.class);
    private final AtomicLongArray hits;
    private final AtomicLongArray misses;
    private final AtomicLongArray bytes;
    private final AtomicLongArray nanos;

    // (layers)
    private final AtomicLongArray rows;
    private final AtomicLongArray microBits;

    /**
     * All at zero.
     *
     * @param layers  of the model, dense ones too
     * @param experts of a layer
     */
    public ExpertCounters(int layers, int experts) {
        this.layers = layers;
        this.experts = experts;
        int all = Math.multiplyExact(layers, experts);
        load = new AtomicLongArray(all);
        overflow = new AtomicLongArray(all);
        for (Fallback.Step step : Fallback.Step.values()) {
            fallback.put(step, new AtomicLongArray(all));
        }
        hits = new AtomicLongArray(all);
        misses = new AtomicLongArray(all);
        bytes = new AtomicLongArray(all);
        nanos = new AtomicLongArray(all);
        rows = new AtomicLongArray(layers);
        microBits = new AtomicLongArray(layers);
    }

    @Override
    public void routed(int layer, Routing routing) {
        for (int row = 0; row < routing.rows(); row++) {
            for (int rank = 0; rank < routing.count(row); rank++) {
                load.getAndIncrement(at(layer, routing.expert(row, rank)));
            }
            microBits.getAndAdd(layer, Math.round(bits(routing, row) * MICRO));
        }
        rows.getAndAdd(layer, routing.rows());
    }

    /**
     * Entropy of one row's choice: how evenly its weights are spread, from 0 (one expert decides) to log2 of their number.
     */
    public static double bits(Routing routing, int row) {
        double sum = 0;
        double logs = 0;
        for (int rank = 0; rank < routing.count(row); rank++) {
            double weight = routing.weight(row, rank);
            if (weight > 0) {
                sum += weight;
                logs += weight * Math.log(weight);
            }
        }
        return sum > 0 ? Math.max(0, (Math.log(sum) - logs / sum) / LN_2) : 0;
    }

    @Override
    public void overflow(int layer, int expert, int row) {
        overflow.getAndIncrement(at(layer, expert));
    }

    @Override
    public void fallback(int layer, int expert, Fallback.Step step, int row) {
        fallback.get(step).getAndIncrement(at(layer, expert));
    }

    @Override
    public void hit(int layer, int expert) {
        hits.getAndIncrement(at(layer, expert));
    }

    @Override
    public void miss(int layer, int expert) {
        misses.getAndIncrement(at(layer, expert));
    }

    @Override
    public void loaded(int layer, int expert, long read, long took) {
        bytes.getAndAdd(at(layer, expert), read);
        nanos.getAndAdd(at(layer, expert), took);
    }

    /** Sets all counters to zero. What is counted meanwhile may be lost. */
    public void reset() {
        for (AtomicLongArray counter : new AtomicLongArray[] {load, overflow, hits, misses, bytes, nanos}) {
            clear(counter);
        }
        fallback.values().forEach(ExpertCounters::clear);
        clear(rows);
        clear(microBits);
    }

    /** Layers of the model; those without experts stay at zero. */
    public int layers() {
        return layers;
    }

    /** Experts of a layer. */
    public int experts() {
        return experts;
    }

    /** Rows that passed a layer. */
    public long rows(int layer) {
        return rows.get(layer);
    }

    /** Rows that were given to an expert. */
    public long load(int layer, int expert) {
        return load.get(at(layer, expert));
    }

    /** {@link #load(int, int)} of all experts of a layer. */
    public long[] load(int layer) {
        long[] copy = new long[experts];
        for (int expert = 0; expert < experts; expert++) {
            copy[expert] = load(layer, expert);
        }
        return copy;
    }

    /** Rows that an expert would have met, had it not been full. */
    public long overflow(int layer, int expert) {
        return overflow.get(at(layer, expert));
    }

    /** Rows that an expert would have met, had it been in memory in time. */
    public long fallback(int layer, int expert, Fallback.Step step) {
        return fallback.get(step).get(at(layer, expert));
    }

    /** How often a step found an expert in memory. */
    public long hits(int layer, int expert) {
        return hits.get(at(layer, expert));
    }

    /** How often a step had to wait for an expert. */
    public long misses(int layer, int expert) {
        return misses.get(at(layer, expert));
    }

    /** Bytes that were read to bring an expert in. */
    public long bytesRead(int layer, int expert) {
        return bytes.get(at(layer, expert));
    }

    /** Time that bringing an expert in took. */
    public long loadNanos(int layer, int expert) {
        return nanos.get(at(layer, expert));
    }

    /** Mean number of experts of a row; 0 before the first row. */
    public double expertsPerRow(int layer) {
        long chosen = 0;
        for (int expert = 0; expert < experts; expert++) {
            chosen += load(layer, expert);
        }
        return rows(layer) == 0 ? 0 : (double) chosen / rows(layer);
    }

    /** Mean over rows of {@link #bits}; 0 before the first row. */
    public double entropyBits(int layer) {
        return rows(layer) == 0 ? 0 : microBits.get(layer) / MICRO / rows(layer);
    }

    /** {@link #overflow(int, int)} of all experts. */
    public long overflow() {
        return sum(overflow);
    }

    /** {@link #fallback(int, int, Fallback.Step)} of all experts. */
    public long fallback(Fallback.Step step) {
        return sum(fallback.get(step));
    }

    /** {@link #hits(int, int)} of all experts. */
    public long hits() {
        return sum(hits);
    }

    /** {@link #misses(int, int)} of all experts. */
    public long misses() {
        return sum(misses);
    }

    /** {@link #bytesRead(int, int)} of all experts. */
    public long bytesRead() {
        return sum(bytes);
    }

    /** {@link #loadNanos(int, int)} of all experts. */
    public long loadNanos() {
        return sum(nanos);
    }

    private int at(int layer, int expert) {
        return layer * experts + expert;
    }

    private static long sum(AtomicLongArray counter) {
        long sum = 0;
        for (int i = 0; i < counter.length(); i++) {
            sum += counter.get(i);
        }
        return sum;
    }

    private static void clear(AtomicLongArray counter) {
        for (int i = 0; i < counter.length(); i++) {
            counter.set(i, 0);
        }
    }
}
