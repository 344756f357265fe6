package dev.remora.core.tokenizer;

import dev.remora.core.CheckpointException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Finds the merges that a list of ranked tokens implies. tiktoken merges, of all neighbours whose joined bytes are a token,
 * those of lowest rank. A token can come about in one way only: merging never looks across the bounds of what it merges,
 * so within the bytes of a token it goes on as it would on these bytes alone, and its last step there joins one certain
 * pair. That pair is the token's merge.
 */
final class TiktokenMerges {
    private final String[] tokens;
    private final Map<String, Integer> ids;
    private final PairTable table;
    private final Merger merger;

    private TiktokenMerges(String[] tokens, Map<String, Integer> ids) {
        this.tokens = tokens;
        this.ids = ids;
        table = new PairTable(tokens.length);
        merger = new Merger(table);
    }

    /**
     * The merges of a vocabulary.
     *
     * @param tokens by rank, in the alphabet of {@link ByteLevel}
     * @param ids the rank of each
     */
    static PairTable recover(String[] tokens, Map<String, Integer> ids, String source) {
        for (int b = 0; b < 256; b++) {
            if (!ids.containsKey(String.valueOf(ByteLevel.charOf(b)))) {
                throw new CheckpointException(source + ": expected a token for each byte, found none for " + b);
            }
        }
        TiktokenMerges merges = new TiktokenMerges(tokens, ids);
        for (int rank = 0; rank < tokens.length; rank++) {
            if (tokens[rank].length() > 1) {
                merges.add(rank);
            }
        }
        return merges.table;
    }

    /** Adds the merge of one token; those of all lower ranks are in the table. */
    private void add(int rank) {
        String token = tokens[rank];
        merger.clear();
        for (int i = 0; i < token.length(); i++) {
            merger.add(ids.get(String.valueOf(token.charAt(i))));
        }
        merger.merge();
        if (merger.size() == 2) {
            table.put(merger.symbols()[0], merger.symbols()[1], rank, rank);
        } else {
            addInUnusualOrder(rank);
        }
    }

    /** For a token whose parts rank behind it, which the table cannot know yet: merges by looking up joined bytes. */
    private void addInUnusualOrder(int rank) {
        List<Integer> parts = new ArrayList<>();
        for (int i = 0; i < tokens[rank].length(); i++) {
            parts.add(ids.get(String.valueOf(tokens[rank].charAt(i))));
        }
        while (parts.size() > 2) {
            int best = Integer.MAX_VALUE;
            int bestAt = -1;
            for (int i = 0; i + 1 < parts.size(); i++) {
                Integer joined = ids.get(tokens[parts.get(i)] + tokens[parts.get(i + 1)]);
                if (joined != null && joined < best) {
                    best = joined;
                    bestAt = i;
                }
            }
            if (bestAt < 0) {
                // No sequence of merges makes this token: it is only ever a whole word.
                return;
            }
            parts.set(bestAt, best);
            parts.subList(bestAt + 1, bestAt + 2).clear();
        }
        if (parts.size() == 2) {
            table.put(parts.get(0), parts.get(1), rank, rank);
        }
    }
}
