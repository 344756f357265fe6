package dev.remora.models.bench;

import java.util.Arrays;

/**
 * The shape of one step: its segments, and what its routers chose.
 *
 * @param past            for each segment the positions cached before
 * @param rows            for each segment its rows in this step
 * @param distinctExperts for each layer how many different routed experts its rows met
 * @param meetings        for each layer how many routed experts its rows met, counted for each row
 * @param logitRows       rows that met the head
 */
@SuppressWarnings("ArrayRecordComponent") // a holder, never compared
record StepShape(int[] past, int[] rows, int[] distinctExperts, int[] meetings, int logitRows) {
    int totalRows() {
        return Arrays.stream(rows).sum();
    }
}
