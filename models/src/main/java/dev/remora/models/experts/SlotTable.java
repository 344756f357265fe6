package dev.remora.models.experts;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicIntegerArray;

/**
 * Which expert has which slot, and which one leaves when another comes: the one that was used least often, where a use
 * counts half of a new one after {@value #HALF_LIFE} steps. All layers share the slots: every layer runs once a step, so
 * uses of different layers compare, and a layer whose router prefers few experts leaves its slots to one that needs many. Of
 * experts used equally often the one leaves whose layer comes last from now on. No clock, no chance. Not thread-safe but for
 * {@link #ready}.
 */
final class SlotTable {
    static final int NONE = -1;

    private static final int HALF_LIFE = 64;
    private static final double GROWTH = Math.pow(2, 1.0 / HALF_LIFE);
    private static final double LARGE = 1e100;

    private final int layers;
    private final int experts;

    // By expert, layer after layer.
    private final int[] slotOf;
    private final double[] score;
    private final boolean[] pinned;
    private final boolean[] wanted;
    private final AtomicIntegerArray ready;

    // By slot.
    private final int[] occupant;
    private final int[] users;

    private double unit = 1;
    private int layer;

    /** @param experts of each layer */
    SlotTable(int layers, int experts, int slots) {
        this.layers = layers;
        this.experts = experts;
        slotOf = new int[layers * experts];
        Arrays.fill(slotOf, NONE);
        score = new double[slotOf.length];
        pinned = new boolean[slotOf.length];
        wanted = new boolean[slotOf.length];
        ready = new AtomicIntegerArray(slotOf.length);
        occupant = new int[slots];
        Arrays.fill(occupant, NONE);
        users = new int[slots];
    }

    int slots() {
        return occupant.length;
    }

    /** One number for an expert of a layer. */
    int id(int ofLayer, int expert) {
        return ofLayer * experts + expert;
    }

    int layerOf(int id) {
        return id / experts;
    }

    int expertOf(int id) {
        return id % experts;
    }

    /** The slot that an expert has or is being loaded into. */
    int slotOf(int id) {
        return slotOf[id];
    }

    int occupant(int slot) {
        return occupant[slot];
    }

    /** True if an expert is in memory; any thread may ask, but only the owner of the table can rely on the answer. */
    boolean ready(int id) {
        return ready.get(id) != 0;
    }

    /** Says which layer asks now; where that is not after the one before, a new step has begun and earlier uses age. */
    void arrive(int atLayer) {
        if (atLayer <= layer) {
            unit *= GROWTH;
            if (unit > LARGE) {
                for (int id = 0; id < score.length; id++) {
                    score[id] /= unit;
                }
                unit = 1;
            }
        }
        layer = atLayer;
    }

    /** Counts a use, whether the expert is in memory or not. */
    void count(int id) {
        score[id] += unit;
    }

    /** While it is wanted, an expert is only replaced for want of any other. */
    void want(int id, boolean value) {
        wanted[id] = value;
    }

    boolean wanted(int id) {
        return wanted[id];
    }

    /** Once in memory, it stays. */
    void pin(int id) {
        pinned[id] = true;
    }

    boolean pinned(int id) {
        return pinned[id];
    }

    /** An acquired expert keeps its slot. */
    void use(int id) {
        users[slotOf[id]]++;
    }

    void release(int id) {
        users[slotOf[id]]--;
    }

    /** How badly a slot is needed. */
    enum Need {
        /** A guess: takes only the slot of an expert that is worth less. */
        AHEAD,
        /** Asked for, others too. */
        WANTED,
        /** The next one that the engine cannot do without: also takes the slot of an expert that is asked for later. */
        NEXT
    }

    /**
     * Finds a slot for an expert that has none and gives it to it.
     *
     * @return the slot, to be loaded; {@link #NONE} if there is none to have now
     */
    int assign(int id, Need need) {
        int best = NONE;
        for (int slot = 0; slot < occupant.length; slot++) {
            if (occupant[slot] == NONE) {
                best = slot;
                break;
            }
            if (replaceable(slot, id, need) && (best == NONE || leavesBefore(occupant[slot], occupant[best]))) {
                best = slot;
            }
        }
        if (best != NONE) {
            if (occupant[best] != NONE) {
                ready.set(occupant[best], 0);
                slotOf[occupant[best]] = NONE;
            }
            occupant[best] = id;
            slotOf[id] = best;
        }
        return best;
    }

    private boolean replaceable(int slot, int by, Need need) {
        int id = occupant[slot];
        if (!ready(id) || users[slot] > 0 || pinned[id]) {
            return false;
        }
        return switch (need) {
            case AHEAD -> !wanted[id] && leavesBefore(id, by);
            case WANTED -> !wanted[id];
            case NEXT -> true;
        };
    }

    /** A total order of all experts, so that a choice never depends on the slots they happen to have. */
    private boolean leavesBefore(int a, int b) {
        if (wanted[a] != wanted[b]) {
            return wanted[b];
        }
        if (wanted[a]) {
            // The engine goes through them in ascending order.
            return a > b;
        }
        if (score[a] != score[b]) {
            return score[a] < score[b];
        }
        int distance = distance(layerOf(a)) - distance(layerOf(b));
        return distance == 0 ? a > b : distance > 0;
    }

    /** Layers until one runs again; all of them for the one that asks now. */
    private int distance(int ofLayer) {
        return Math.floorMod(ofLayer - layer - 1, layers) + 1;
    }

    /** The expert of a slot is in memory now. */
    void loaded(int slot) {
        ready.set(occupant[slot], 1);
    }

    /** What was to come into a slot did not: the slot is free again. */
    void failed(int slot) {
        slotOf[occupant[slot]] = NONE;
        occupant[slot] = NONE;
    }
}
