package dev.remora.models.eval;

import dev.remora.core.Batch;
import dev.remora.moe.Routing;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;

/** For each token in the order of reading: its id, the number of its text, and the experts that it met in each layer. */
final class ChoiceLog {
    private static final short NONE = -1;

    private final TreeMap<Integer, short[]> choices = new TreeMap<>();
    private int[] ids = new int[1024];
    private int[] texts = new int[1024];
    private int tokens;
    private int text;
    private int perToken;

    /** Tokens that come now belong to this text. */
    void text(int number) {
        text = number;
    }

    void add(int layer, Batch batch, Routing routing) {
        if (choices.isEmpty()) {
            perToken = routing.expertsPerRow();
        }
        // Each step passes all sparse layers; the first of them brings the tokens.
        if (choices.isEmpty() || layer == choices.firstKey()) {
            append(batch);
        }
        short[] of = choices.getOrDefault(layer, new short[0]);
        if (of.length < tokens * perToken) {
            int used = of.length;
            of = Arrays.copyOf(of, ids.length * perToken);
            Arrays.fill(of, used, of.length, NONE);
            choices.put(layer, of);
        }
        int first = tokens - routing.rows();
        for (int row = 0; row < routing.rows(); row++) {
            for (int rank = 0; rank < routing.count(row); rank++) {
                of[(first + row) * perToken + rank] = (short) routing.expert(row, rank);
            }
        }
    }

    private void append(Batch batch) {
        int needed = tokens + batch.rows();
        if (needed > ids.length) {
            int length = Math.max(needed, 2 * ids.length);
            ids = Arrays.copyOf(ids, length);
            texts = Arrays.copyOf(texts, length);
        }
        for (int row = 0; row < batch.rows(); row++) {
            ids[tokens + row] = batch.token(row);
            texts[tokens + row] = text;
        }
        tokens = needed;
    }

    int tokens() {
        return tokens;
    }

    int id(int token) {
        return ids[token];
    }

    /** The number of the text that a token belongs to. */
    int textOf(int token) {
        return texts[token];
    }

    /** Layers with experts, ascending. */
    List<Integer> layers() {
        return new ArrayList<>(choices.keySet());
    }

    /** Most experts of a token. */
    int perToken() {
        return perToken;
    }

    /** The expert of a token at a rank; negative: it has fewer. */
    int expert(int layer, int token, int rank) {
        return choices.get(layer)[token * perToken + rank];
    }
}
