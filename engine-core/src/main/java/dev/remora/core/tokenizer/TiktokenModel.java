package dev.remora.core.tokenizer;

import dev.remora.core.CheckpointException;
import dev.remora.core.UnsupportedModelException;
import dev.remora.core.json.JsonObject;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;

/** Reads {@code tiktoken.model}, as tokenization_moonshot.py and tokenization_kimi.py do. */
final class TiktokenModel {
    /** The words of Moonlight and Kimi-K2, in the order of their published alternatives. */
    static final String PATTERN = String.join(
            "|",
            "[\\p{Han}]+",
            "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]*"
                    + "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
            "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]+"
                    + "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
            "\\p{N}{1,3}",
            " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*",
            "\\s*[\\r\\n]+",
            "\\s+(?!\\S)",
            "\\s+");

    private static final int RESERVED = 256;
    private static final String CLASS = "TikTokenTokenizer";

    private TiktokenModel() {}

    static Tokenizer read(byte[] file, String source, JsonObject config) {
        String tokenizerClass = config.string("tokenizer_class", CLASS);
        if (!tokenizerClass.equals(CLASS)) {
            throw new UnsupportedModelException(config.source() + ": tokenizer_class: expected " + CLASS + " beside "
                    + source + ", found " + tokenizerClass);
        }
        String[] tokens = tokens(file, source);
        Map<String, Integer> ids = Vocabulary.newMap(tokens.length);
        for (int rank = 0; rank < tokens.length; rank++) {
            Integer before = ids.put(tokens[rank], rank);
            if (before != null) {
                throw new CheckpointException(
                        source + ": ranks " + before + " and " + rank + " have the same token, " + tokens[rank]);
            }
        }
        List<AddedToken> added = addedTokens(tokens.length, config);
        PairTable merges = TiktokenMerges.recover(tokens, ids, source);
        Vocabulary vocabulary = new Vocabulary(ids, added, source);
        BytePairEncoder.Symbols symbols = new ByteSymbols(vocabulary, new UnknownSymbol(-1, false));
        return new BpeTokenizer(
                vocabulary,
                added,
                null,
                List.of(new Split(OnigurumaSyntax.compile(PATTERN, source), SplitBehavior.ISOLATED, false)),
                new BytePairEncoder(vocabulary, merges, symbols, true),
                new ByteLevelDecoder(),
                new TiktokenChunks(),
                SpecialTokensReader.read(vocabulary, config, null));
    }

    /** The tokens by rank, in the alphabet of {@link ByteLevel}. */
    private static String[] tokens(byte[] file, String source) {
        List<String> lines = new ArrayList<>();
        List<Integer> ranks = new ArrayList<>();
        int line = 0;
        for (int start = 0, end; start < file.length; start = end + 1) {
            line++;
            end = start;
            int space = -1;
            while (end < file.length && file[end] != '\n') {
                space = file[end] == ' ' ? end : space;
                end++;
            }
            int trimmed = end > start && file[end - 1] == '\r' ? end - 1 : end;
            if (trimmed == start) {
                continue;
            }
            int rank = space < 0 ? -1 : rank(file, space + 1, trimmed);
            if (rank < 0) {
                throw new CheckpointException(
                        source + ": line " + line + ": expected a token in base64, a space and its rank");
            }
            lines.add(token(Arrays.copyOfRange(file, start, space), source, line));
            ranks.add(rank);
        }
        String[] tokens = new String[lines.size()];
        for (int i = 0; i < tokens.length; i++) {
            int rank = ranks.get(i);
            if (rank >= tokens.length || tokens[rank] != null) {
                throw new CheckpointException(source + ": expected each rank from 0 to " + (tokens.length - 1)
                        + " once, found " + rank + (rank < tokens.length ? " twice" : ""));
            }
            tokens[rank] = lines.get(i);
        }
        return tokens;
    }

    private static String token(byte[] base64, String source, int line) {
        try {
            byte[] bytes = Base64.getDecoder().decode(base64);
            if (bytes.length > 0) {
                return ByteLevel.write(bytes);
            }
        } catch (IllegalArgumentException e) {
            throw new CheckpointException(source + ": line " + line + ": the token is not base64", e);
        }
        throw new CheckpointException(source + ": line " + line + ": the token is empty");
    }

    /** The decimal number in {@code file[from]} to {@code file[to - 1]}, or -1. */
    private static int rank(byte[] file, int from, int to) {
        int value = 0;
        for (int i = from; i < to; i++) {
            int digit = file[i] - '0';
            if (digit < 0 || digit > 9 || i - from > 8) {
                return -1;
            }
            value = value * 10 + digit;
        }
        return to > from ? value : -1;
    }

    /** Those that the config names; the rest of the reserved ids get the names that the published code gives them. */
    private static List<AddedToken> addedTokens(int base, JsonObject config) {
        List<AddedToken> added = new ArrayList<>();
        boolean[] named = new boolean[RESERVED];
        for (AddedToken token : TokenizerJson.addedTokens(config)) {
            if (token.id() < base) {
                throw new CheckpointException(config.source() + ": added_tokens_decoder: expected ids from " + base
                        + ", the number of ranks, found " + token.id() + " for \"" + token.content() + "\"");
            }
            // tiktoken knows no stripping and no word boundaries: a special token is found wherever it is spelt.
            added.add(new AddedToken(token.id(), token.content(), false, false, false, false, token.special()));
            if (token.id() - base < RESERVED) {
                named[token.id() - base] = true;
            }
        }
        for (int i = 0; i < RESERVED; i++) {
            if (!named[i]) {
                String content = "<|reserved_token_" + (base + i) + "|>";
                added.add(new AddedToken(base + i, content, false, false, false, false, true));
            }
        }
        return added;
    }
}
