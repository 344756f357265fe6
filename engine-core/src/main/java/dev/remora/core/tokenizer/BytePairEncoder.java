package dev.remora.core.tokenizer;

import java.util.Arrays;

/** Turns words into ids: splits a word into its smallest symbols and merges them. Immutable but for a cache of words. */
final class BytePairEncoder {
    private final Vocabulary vocabulary;
    private final PairTable merges;
    private final Symbols symbols;
    private final boolean wholeWords;
    private final WordCache cache = new WordCache();

    /** How a word is taken apart. */
    sealed interface Symbols permits ByteSymbols, CharacterSymbols {
        void add(char[] text, int from, int to, Merger word);

        /** The word as the vocabulary would write it. */
        String write(char[] text, int from, int to);
    }

    /** @param wholeWords whether a word that is a token is taken as it is, whatever the merges would make of it */
    BytePairEncoder(Vocabulary vocabulary, PairTable merges, Symbols symbols, boolean wholeWords) {
        this.vocabulary = vocabulary;
        this.merges = merges;
        this.symbols = symbols;
        this.wholeWords = wholeWords;
    }

    /** A consumer of words for one thread, which appends their ids to a list. */
    PreTokenizer.PieceConsumer into(IntList ids) {
        Merger merger = new Merger(merges);
        return (text, from, to, atStart) -> encode(text, from, to, merger, ids);
    }

    private void encode(char[] text, int from, int to, Merger merger, IntList ids) {
        if (to - from > WordCache.MAX_WORD) {
            merge(text, from, to, merger);
            ids.addAll(merger.symbols(), 0, merger.size());
            return;
        }
        int hash = WordCache.hash(text, from, to);
        int[] known = cache.get(text, from, to, hash);
        if (known == null) {
            merge(text, from, to, merger);
            known = Arrays.copyOf(merger.symbols(), merger.size());
            cache.put(text, from, to, hash, known);
        }
        ids.addAll(known, 0, known.length);
    }

    private void merge(char[] text, int from, int to, Merger merger) {
        merger.clear();
        if (wholeWords) {
            int id = vocabulary.id(symbols.write(text, from, to));
            if (id >= 0) {
                merger.add(id);
                return;
            }
        }
        symbols.add(text, from, to, merger);
        merger.merge();
    }
}
