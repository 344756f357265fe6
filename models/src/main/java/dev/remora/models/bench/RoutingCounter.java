package dev.remora.models.bench;

import dev.remora.moe.Routing;
import dev.remora.moe.RoutingListener;
import java.util.Arrays;

/** Counts the experts that each layer of a step met. */
final class RoutingCounter implements RoutingListener {
    private final int[] distinct;
    private final int[] meetings;
    private final boolean[] seen;

    RoutingCounter(int layers, int experts) {
        distinct = new int[layers];
        meetings = new int[layers];
        seen = new boolean[experts];
    }

    @Override
    public void routed(int layer, Routing routing) {
        Arrays.fill(seen, false);
        int count = 0;
        int sum = 0;
        for (int row = 0; row < routing.rows(); row++) {
            sum += routing.count(row);
            for (int rank = 0; rank < routing.count(row); rank++) {
                int expert = routing.expert(row, rank);
                if (!seen[expert]) {
                    seen[expert] = true;
                    count++;
                }
            }
        }
        distinct[layer] = count;
        meetings[layer] = sum;
    }

    /** For each layer, how many the last step met, counted for each row. */
    int[] meetings() {
        return meetings.clone();
    }

    /** For each layer, how many different ones the last step met. */
    int[] distinct() {
        return distinct.clone();
    }
}
