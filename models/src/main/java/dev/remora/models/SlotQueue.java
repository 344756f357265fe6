package dev.remora.models;

/** Slots in the order in which they came, linked by their own field. For one thread. */
final class SlotQueue {
    private EngineSlot first;
    private EngineSlot last;
    private int size;

    void add(EngineSlot slot) {
        slot.next = null;
        if (last == null) {
            first = slot;
        } else {
            last.next = slot;
        }
        last = slot;
        size++;
    }

    /** The oldest; null if there is none. */
    EngineSlot take() {
        EngineSlot slot = first;
        if (slot != null) {
            first = slot.next;
            last = first == null ? null : last;
            slot.next = null;
            size--;
        }
        return slot;
    }

    int size() {
        return size;
    }
}
