package dev.remora.moe;

import dev.remora.core.Rows;
import java.util.Arrays;

/**
 * The rows of a step sorted by expert: a counting sort, stable, so within an expert rows ascend. Each expert with rows is
 * a group; its inputs are rows of h where they lie, its outputs are neighbours.
 */
final class ExpertGroups {
    private final Rows activation;
    private final Rows output;
    private final int maxRows;
    private final int[] ids;
    private final int[] starts;
    private final int[] cursor;
    private final int[] slots;
    private final int[] storedIds;
    private final int[] storedGroups;
    private final Rows[] inputs;
    private final Rows[] activations;
    private final Rows[] outputs;
    private Rows source;
    private int count;
    private final int[] laterIds;
    private final int[] laterGroups;
    private int stored;

    ExpertGroups(MoeConfig config, int maxRows, Rows activation, Rows output) {
        this.activation = activation;
        this.output = output;
        this.maxRows = maxRows;
        int capacity = Math.min(config.nRoutedExperts(), output.capacity());
        ids = new int[capacity];
        starts = new int[capacity + 1];
        cursor = new int[config.nRoutedExperts()];
        slots = new int[output.capacity()];
        storedIds = new int[capacity];
        storedGroups = new int[capacity];
        laterIds = new int[capacity];
        laterGroups = new int[capacity];
        inputs = new Rows[capacity];
        activations = new Rows[capacity];
        outputs = new Rows[capacity];
        for (int group = 0; group < capacity; group++) {
            activations[group] = activation.selection(maxRows);
            outputs[group] = output.selection(maxRows);
        }
    }

    /** Most experts that a step can need. */
    int capacity() {
        return ids.length;
    }

    /**
     * Groups all rows of h by the experts that they were routed to.
     *
     * @param policy that knows of networks in place of experts, or null
     */
    void sort(Rows h, Routing routing, ActivePolicy policy) {
        share(h);
        Arrays.fill(cursor, 0);
        int perRow = routing.expertsPerRow();
        for (int row = 0; row < routing.rows(); row++) {
            for (int rank = 0; rank < routing.count(row); rank++) {
                cursor[routing.expert(row, rank)]++;
            }
        }
        count = 0;
        stored = 0;
        int start = 0;
        for (int expert = 0; expert < cursor.length; expert++) {
            int size = cursor[expert];
            if (size > 0) {
                ids[count] = expert;
                if (policy == null || policy.substitute(expert) == null) {
                    storedIds[stored] = expert;
                    storedGroups[stored] = count;
                    stored++;
                }
                starts[count] = start;
                activations[count].select(activation, start, size);
                outputs[count].select(output, start, size);
                count++;
            }
            cursor[expert] = start;
            start += size;
        }
        starts[count] = start;
        for (int row = 0; row < routing.rows(); row++) {
            for (int rank = 0; rank < routing.count(row); rank++) {
                int expert = routing.expert(row, rank);
                slots[row * perRow + rank] = cursor[expert];
                cursor[expert]++;
            }
        }
        fillInputs(h, routing);
    }

    private void fillInputs(Rows h, Routing routing) {
        for (int group = 0; group < count; group++) {
            inputs[group].resize(0);
            // From here on cursor maps an expert to its group.
            cursor[ids[group]] = group;
        }
        for (int row = 0; row < routing.rows(); row++) {
            for (int rank = 0; rank < routing.count(row); rank++) {
                inputs[cursor[routing.expert(row, rank)]].append(h, row);
            }
        }
    }

    /** An engine passes the same h to every layer, so this allocates in the first step only. */
    @SuppressWarnings("ReferenceEquality") // the question is which storage, not what is in it
    private void share(Rows h) {
        if (source == null || source.data() != h.data()) {
            source = h;
            for (int group = 0; group < inputs.length; group++) {
                inputs[group] = h.selection(maxRows);
            }
        }
    }

    /** Experts that have rows. */
    int count() {
        return count;
    }

    /** The expert of a group; ascends. */
    int id(int group) {
        return ids[group];
    }

    /** Experts that have rows and come from the store: those without a substitute. */
    int stored() {
        return stored;
    }

    /** Puts experts that are in memory before those that are not; these can come while the others compute. */
    void residentFirst(int layer, ExpertStore store) {
        int first = 0;
        int later = 0;
        for (int i = 0; i < stored; i++) {
            if (store.resident(layer, storedIds[i])) {
                storedIds[first] = storedIds[i];
                storedGroups[first] = storedGroups[i];
                first++;
            } else {
                laterIds[later] = storedIds[i];
                laterGroups[later] = storedGroups[i];
                later++;
            }
        }
        System.arraycopy(laterIds, 0, storedIds, first, later);
        System.arraycopy(laterGroups, 0, storedGroups, first, later);
    }

    /** These experts; the first {@link #stored} are in use. */
    int[] storedIds() {
        return storedIds;
    }

    /** The group of the expert at an index of {@link #storedIds}. */
    int storedGroup(int index) {
        return storedGroups[index];
    }

    Rows input(int group) {
        return inputs[group];
    }

    Rows activation(int group) {
        return activations[group];
    }

    Rows output(int group) {
        return outputs[group];
    }

    /** Row of the workspace's output that holds what the expert at this rank made of this row. */
    int slot(int index) {
        return slots[index];
    }
}
