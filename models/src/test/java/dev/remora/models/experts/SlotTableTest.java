package dev.remora.models.experts;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.models.experts.SlotTable.Need;
import org.junit.jupiter.api.Test;

/** Who gets a slot and who leaves it: three layers of eight experts, four slots. */
class SlotTableTest {
    private final SlotTable table = new SlotTable(3, 8, 4);

    private int bring(int layer, int expert) {
        int slot = table.assign(table.id(layer, expert), Need.WANTED);
        assertNotEquals(SlotTable.NONE, slot, "no slot for layer " + layer + ", expert " + expert);
        table.loaded(slot);
        return slot;
    }

    private void use(int layer, int... experts) {
        table.arrive(layer);
        for (int expert : experts) {
            table.count(table.id(layer, expert));
        }
    }

    private boolean here(int layer, int expert) {
        return table.ready(table.id(layer, expert));
    }

    @Test
    void freeSlotsComeFirst() {
        for (int expert = 0; expert < 4; expert++) {
            assertEquals(expert, bring(0, expert));
        }
        for (int expert = 0; expert < 4; expert++) {
            assertTrue(here(0, expert));
        }
        assertFalse(here(0, 4));
    }

    @Test
    void theLeastUsedLeavesWhateverItsLayer() {
        use(0, 0, 1);
        use(1, 2, 3);
        use(2, 0);
        use(0, 0, 1);
        use(1, 3);
        bring(0, 0);
        bring(0, 1);
        bring(1, 2);
        bring(1, 3);
        bring(2, 0);
        assertFalse(here(1, 2), "used once, the others twice");
        assertTrue(here(0, 0) && here(0, 1) && here(1, 3) && here(2, 0));
    }

    @Test
    void oldUsesCountLess() {
        for (int step = 0; step < 10; step++) {
            use(0, 0);
        }
        for (int step = 0; step < 300; step++) {
            use(0);
        }
        use(0, 1);
        bring(0, 0);
        bring(0, 1);
        bring(0, 2);
        table.count(table.id(0, 2));
        table.count(table.id(0, 2));
        bring(0, 3);
        table.count(table.id(0, 3));
        bring(0, 4);
        assertFalse(here(0, 0), "ten uses 300 steps ago are worth less than one");
    }

    @Test
    void ageingGoesOnBeyondLargeNumbers() {
        for (int step = 0; step < 100_000; step++) {
            use(0, 0);
        }
        use(0, 1, 1, 1);
        bring(0, 0);
        bring(0, 1);
        bring(0, 2);
        bring(0, 3);
        bring(0, 4);
        bring(0, 5);
        assertTrue(here(0, 0), "the most used one stays");
        assertTrue(here(0, 1));
    }

    @Test
    void ofEqualOnesTheLayerThatRunsLastLeaves() {
        use(1);
        bring(0, 0);
        bring(1, 0);
        bring(2, 0);
        bring(2, 1);
        bring(2, 2);
        assertFalse(here(1, 0), "layer 1 runs now, and again after layers 2 and 0");
        bring(2, 3);
        assertFalse(here(0, 0), "layer 0 comes after layer 2");
    }

    @Test
    void whatIsInUseOrLoadingOrPinnedStays() {
        bring(0, 0);
        table.use(table.id(0, 0));
        table.pin(table.id(0, 1));
        bring(0, 1);
        int loading = table.assign(table.id(0, 2), Need.WANTED);
        bring(0, 3);
        use(0, 3, 3, 3);
        assertEquals(table.slotOf(table.id(0, 3)), table.assign(table.id(1, 0), Need.WANTED));
        assertEquals(SlotTable.NONE, table.assign(table.id(1, 1), Need.NEXT));
        table.loaded(loading);
        assertEquals(loading, table.assign(table.id(1, 1), Need.NEXT));
        table.release(table.id(0, 0));
        assertEquals(0, table.assign(table.id(1, 2), Need.WANTED));
        assertTrue(here(0, 1));
    }

    @Test
    void aGuessTakesNothingThatIsWorthAsMuch() {
        use(0, 0, 1, 2, 3);
        for (int expert = 0; expert < 4; expert++) {
            bring(0, expert);
        }
        assertEquals(SlotTable.NONE, table.assign(table.id(1, 0), Need.AHEAD), "never used");
        table.count(table.id(1, 0));
        assertNotEquals(SlotTable.NONE, table.assign(table.id(1, 0), Need.AHEAD), "used as often, and needed earlier");
        table.count(table.id(1, 1));
        table.want(table.id(0, 0), true);
        table.want(table.id(0, 1), true);
        table.want(table.id(0, 2), true);
        assertEquals(SlotTable.NONE, table.assign(table.id(1, 1), Need.AHEAD), "the others are asked for");
    }

    @Test
    void onlyTheNextOneTakesWhatIsAskedForAndTheLastOfThose() {
        for (int expert = 2; expert < 6; expert++) {
            bring(0, expert);
            table.want(table.id(0, expert), true);
        }
        table.want(table.id(0, 0), true);
        assertEquals(SlotTable.NONE, table.assign(table.id(0, 0), Need.WANTED));
        assertNotEquals(SlotTable.NONE, table.assign(table.id(0, 0), Need.NEXT));
        assertFalse(here(0, 5), "it is needed last");
        assertTrue(here(0, 2) && here(0, 3) && here(0, 4));
    }

    @Test
    void aFailedSlotIsFreeAgain() {
        int slot = table.assign(table.id(0, 0), Need.WANTED);
        table.failed(slot);
        assertFalse(here(0, 0));
        assertEquals(SlotTable.NONE, table.slotOf(table.id(0, 0)));
        assertEquals(slot, table.assign(table.id(2, 7), Need.WANTED));
        assertEquals(table.id(2, 7), table.occupant(slot));
        assertEquals(2, table.layerOf(table.occupant(slot)));
        assertEquals(7, table.expertOf(table.occupant(slot)));
    }
}
