package dev.remora.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.CheckpointException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Merging, against the definition: look at all pairs, apply the first of lowest rank, begin again. */
class MergerTest {
    private static final int LETTERS = 4;

    @Test
    void mergesAsDefinedForShortAndLongWords() {
        Random random = new Random(1);
        for (int round = 0; round < 300; round++) {
            Map<Long, int[]> rules = new HashMap<>();
            PairTable table = new PairTable(60);
            int next = LETTERS;
            for (int rank = 0; rank < 60; rank++) {
                int left = random.nextInt(next);
                int right = random.nextInt(next);
                if (rules.putIfAbsent((long) left << 32 | right, new int[] {rank, next}) == null) {
                    table.put(left, right, rank, next++);
                }
            }
            List<Integer> word = new ArrayList<>();
            Merger merger = new Merger(table);
            // The queue takes over at 49 symbols.
            for (int i = random.nextInt(round % 2 == 0 ? 52 : 400); i > 0; i--) {
                int symbol = random.nextInt(LETTERS);
                word.add(symbol);
                merger.add(symbol);
            }
            merger.merge();
            assertEquals(byDefinition(word, rules), symbols(merger));
        }
    }

    private static List<Integer> symbols(Merger merger) {
        List<Integer> symbols = new ArrayList<>();
        for (int i = 0; i < merger.size(); i++) {
            symbols.add(merger.symbols()[i]);
        }
        return symbols;
    }

    private static List<Integer> byDefinition(List<Integer> word, Map<Long, int[]> rules) {
        List<Integer> symbols = new ArrayList<>(word);
        while (true) {
            int[] best = null;
            int at = -1;
            for (int i = 0; i + 1 < symbols.size(); i++) {
                int[] rule = rules.get((long) symbols.get(i) << 32 | symbols.get(i + 1));
                if (rule != null && (best == null || rule[0] < best[0])) {
                    best = rule;
                    at = i;
                }
            }
            if (best == null) {
                return symbols;
            }
            symbols.set(at, best[1]);
            symbols.subList(at + 1, at + 2).clear();
        }
    }

    @Test
    void recoveredMergesGiveWhatTiktokenGives() {
        Random random = new Random(2);
        int multi = 0;
        for (int round = 0; round < 300; round++) {
            String[] tokens = randomRanks(random);
            Map<String, Integer> ids = new HashMap<>();
            for (int i = 0; i < tokens.length; i++) {
                ids.put(tokens[i], i);
            }
            Merger merger = new Merger(TiktokenMerges.recover(tokens, ids, "tiktoken.model"));
            for (int w = 0; w < 30; w++) {
                merger.clear();
                List<Integer> word = new ArrayList<>();
                for (int i = random.nextInt(80); i > 0; i--) {
                    int symbol = ids.get(String.valueOf((char) ('a' + random.nextInt(LETTERS))));
                    word.add(symbol);
                    merger.add(symbol);
                }
                merger.merge();
                List<Integer> expected = byJoinedText(word, tokens, ids);
                assertEquals(expected, symbols(merger));
                multi += expected.size() < word.size() ? 1 : 0;
            }
        }
        assertTrue(multi > 1000, "the vocabularies are too poor to test anything");
    }

    /** All bytes and random strings of four letters, the ranks in no order at all: longer tokens before their parts. */
    private static String[] randomRanks(Random random) {
        List<String> tokens = new ArrayList<>();
        for (int b = 0; b < 256; b++) {
            tokens.add(String.valueOf(ByteLevel.charOf(b)));
        }
        for (int i = 0; i < 60; i++) {
            StringBuilder token = new StringBuilder();
            for (int j = 2 + random.nextInt(4); j > 0; j--) {
                token.append((char) ('a' + random.nextInt(LETTERS)));
            }
            if (!tokens.contains(token.toString())) {
                tokens.add(token.toString());
            }
        }
        java.util.Collections.shuffle(tokens.subList(256, tokens.size()), random);
        return tokens.toArray(String[]::new);
    }

    private static List<Integer> byJoinedText(List<Integer> word, String[] tokens, Map<String, Integer> ids) {
        List<Integer> symbols = new ArrayList<>(word);
        while (true) {
            int best = Integer.MAX_VALUE;
            int at = -1;
            for (int i = 0; i + 1 < symbols.size(); i++) {
                int joined = ids.getOrDefault(tokens[symbols.get(i)] + tokens[symbols.get(i + 1)], Integer.MAX_VALUE);
                if (joined < best) {
                    best = joined;
                    at = i;
                }
            }
            if (at < 0) {
                return symbols;
            }
            symbols.set(at, best);
            symbols.subList(at + 1, at + 2).clear();
        }
    }

    @Test
    void tiktokenNeedsEveryByte() {
        CheckpointException e = assertThrows(
                CheckpointException.class,
                () -> TiktokenMerges.recover(new String[] {"a"}, Map.of("a", 0), "tiktoken.model"));
        assertEquals("tiktoken.model: expected a token for each byte, found none for 0", e.getMessage());
    }

    @Test
    void tableFindsWhatWasPut() {
        PairTable table = new PairTable(1000);
        Random random = new Random(3);
        Map<Long, Integer> expected = new HashMap<>();
        for (int i = 0; i < 1000; i++) {
            int left = random.nextInt(40);
            int right = random.nextInt(40);
            expected.putIfAbsent((long) left << 32 | right, i);
            table.put(left, right, i, i + 7);
        }
        for (int left = 0; left < 40; left++) {
            for (int right = 0; right < 40; right++) {
                Integer rank = expected.get((long) left << 32 | right);
                assertEquals(rank == null ? PairTable.NONE : (long) rank << 32 | rank + 7, table.get(left, right));
            }
        }
    }
}
